"""What there is to choose from in a profile."""

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from helpdesk_core.accounts.languages import LANGUAGES
from helpdesk_core.accounts.schemas.meta import LanguageRead, TimezoneRead
from helpdesk_core.accounts.schemas.types import timezones
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Router

zones = Router("meta/timezones", tag="Meta", document=Dialect.COMPREHENSIVE)
languages = Router("meta/languages", tag="Meta", document=Dialect.COMPREHENSIVE)


@zones.get("/", public=True, slow=True)
def list_timezones(ctx: Context) -> list[TimezoneRead]:
    """The time zones that a user or an organization can have, with their offsets at this moment."""
    return [TimezoneRead(name=zone.key, offset=_offset(zone, ctx.now)) for zone in _zones()]


@languages.get("/", public=True)
def list_languages(ctx: Context) -> list[LanguageRead]:  # noqa: ARG001
    """The languages that a user or an organization can have; a region may be added, `pt-BR`."""
    return [LanguageRead(code=code, name=name) for code, name in sorted(LANGUAGES.items())]


@cache
def _zones() -> tuple[ZoneInfo, ...]:
    return tuple(ZoneInfo(name) for name in sorted(timezones()))


def _offset(zone: ZoneInfo, now: datetime) -> str:
    offset = now.astimezone(zone).utcoffset() or timedelta()
    sign, minutes = ("-" if offset < timedelta() else "+"), abs(offset) // timedelta(minutes=1)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
