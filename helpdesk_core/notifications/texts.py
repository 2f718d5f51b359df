"""The words that people of an organisation are told things in: its own templates before the built-in ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.accounts.letters import FORMATS, PLAIN, Recipient, language_of
from helpdesk_core.accounts.schemas.types import timezones
from helpdesk_core.mail import one_line
from helpdesk_core.notifications.choices import Way
from helpdesk_core.notifications.installed import kind_called
from helpdesk_core.notifications.kinds import NotificationKind, Value, Wording
from helpdesk_core.notifications.models import NotificationTemplate
from helpdesk_core.placeholders import fill

LONGEST_VALUE = 2_000
LONGEST_SUBJECT = 255
LONGEST_TEXT = 20_000
_GAPS = re.compile(r"\n\s*\n\s*\n")
"""Left by a paragraph whose variables are all empty."""


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody is told.

    Attributes:
        subject: one line, not empty.
        text: more of it.
    """

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """What an organisation says when something happens.

    Attributes:
        name: of the kind.
        kind: as its plugin declares it; nothing when the organisation made it.
        own: the organisation's words; nothing when it says what is built in.
    """

    name: str
    kind: NotificationKind | None
    own: NotificationTemplate | None

    @property
    def usual(self) -> Way:
        """Return how those are told who did not choose."""
        return Way(self.kind.in_app, self.kind.email) if self.kind else Way(in_app=True, email=True)

    def wording(self, language: str) -> Wording:
        """Return the words for a reader of a language; an organisation's own are the same for all."""
        if self.own is not None:
            return Wording(self.own.title, self.own.subject, self.own.text)
        if self.kind is None:
            raise LookupError(self.name)
        return self.kind.wording(language)


def template_called(session: Session, name: str) -> Template | None:
    """Return what the session's organisation says by this name, if there is anything."""
    kind = kind_called(session, name)
    own = session.scalars(select(NotificationTemplate).where(NotificationTemplate.name == name)).first()
    return Template(name, kind, own) if kind or own else None


def write(wording: Wording, values: Mapping[str, Value], recipient: Recipient) -> Written:
    """Fill the variables in, literally and once: what was filled in is not looked at again.

    Args:
        wording: with `{variables}`; those without a value stay as they are.
        values: by variable; long ones are cut.
        recipient: in whose language and time zone values are shown.
    """
    language = language_of(recipient.language)
    shown = {name: _shown(value, recipient, language) for name, value in values.items()}
    subject = one_line(fill(wording.subject, shown))[:LONGEST_SUBJECT].strip()
    text = _GAPS.sub("\n\n", fill(wording.text, shown)[:LONGEST_TEXT]).strip()
    return Written(subject or wording.title, text)


def _shown(value: Value, recipient: Recipient, language: str) -> str:
    if isinstance(value, datetime):
        zone = recipient.timezone if recipient.timezone in timezones() else "UTC"
        return f"{value.astimezone(ZoneInfo(zone)):{FORMATS[language]}} ({zone})"
    if isinstance(value, Mapping):
        return value.get(language) or value.get(PLAIN) or ""
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}\N{HORIZONTAL ELLIPSIS}"
