"""What somebody is told, and when: their choices, and the defaults of what they did not choose."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpdesk_core.accounts.schemas.types import timezones
from helpdesk_core.notifications.models import NotificationPreferences


@dataclass(frozen=True, slots=True)
class Way:
    """Whether something is in an inbox, and whether it is mailed."""

    in_app: bool
    email: bool


def way_of(preferences: NotificationPreferences | None, kind: str, usual: Way) -> Way:
    """Return how somebody is told of a kind.

    Args:
        preferences: theirs; nothing when they never chose.
        kind: its name.
        usual: how those are told who did not choose.
    """
    if preferences is None:
        return usual
    chosen = preferences.channels.get(kind, {})
    return Way(
        in_app=chosen.get("in_app", usual.in_app),
        email=preferences.email and chosen.get("email", usual.email),
    )


def quiet_until(preferences: NotificationPreferences | None, timezone: str, moment: datetime) -> datetime | None:
    """Return when somebody's quiet hours end, if `moment` is within them.

    The end is found on the clock of their wall: on the day when clocks change, quiet hours are longer or shorter.
    """
    if preferences is None or preferences.quiet_from is None or preferences.quiet_until is None:
        return None
    start, end = time.fromisoformat(preferences.quiet_from), time.fromisoformat(preferences.quiet_until)
    zone = ZoneInfo(timezone if timezone in timezones() else "UTC")
    here = moment.astimezone(zone)
    within = start <= here.time() < end if start < end else here.time() >= start or here.time() < end
    if not within:
        return None
    ends = datetime.combine(here.date(), end, zone)
    if here.time() >= end:
        ends = datetime.combine(here.date() + timedelta(days=1), end, zone)
    return ends.astimezone(moment.tzinfo)
