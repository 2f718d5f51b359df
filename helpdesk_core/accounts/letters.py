"""Mails about accounts: written from templates, in the language and the time zone of whom they are for.

A mail is two templates, `mails/<language>/<name>.txt` and `.html`; a language that lacks one uses the English one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.accounts.queries import Holder, core_settings
from helpdesk_core.accounts.schemas.types import timezones
from helpdesk_core.clock import Clock
from helpdesk_core.mail import Mail, base_url, one_line
from helpdesk_core.settings import Settings

PLAIN = "en"
FORMATS = {"en": "%Y-%m-%d %H:%M", "de": "%d.%m.%Y, %H:%M"}
"""How each language that mails are written in writes a date and a time."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a mail is for.

    Attributes:
        address: where it goes.
        language: of two letters, with a region or without.
        timezone: an IANA name.
        name: to greet them by; empty for none.
    """

    address: str
    language: str
    timezone: str
    name: str = ""


def at_their_address(user: User, address: str = "") -> Recipient:
    """Return a user as recipient, at their own address or at another one.

    Whoever has not proved that the address is theirs is not greeted by name: the name of an account that a stranger
    made in somebody else's name would be the stranger's text in our mail.
    """
    proved = user.is_verified and not address
    return Recipient(address or user.email, user.language, user.timezone, user.full_name if proved else "")


def as_holder(holder: Holder) -> Recipient:
    """Return the account that has an address as recipient."""
    return Recipient(holder.email, holder.language, holder.timezone)


def as_invited(address: str, organization: Organization) -> Recipient:
    """Return somebody without an account as recipient: language and time zone are those of who invites."""
    settings = core_settings(organization)
    return Recipient(address, settings.language, settings.timezone)


def mail_templates(package: str) -> Environment:
    """Return the templates in the folder `mails` of a package; values are escaped in those that are HTML."""
    return Environment(
        loader=PackageLoader(package, "mails"),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Letters:
    """Writes mails."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Prepare; templates are read when they are first used."""
        self._clock = clock
        self._base = base_url(settings)
        self._templates = mail_templates(__package__)

    def write(self, name: str, recipient: Recipient, key: str, **values: str | int | datetime) -> Mail:
        """Return a mail.

        Args:
            name: of the templates.
            recipient: whom it is for.
            key: the same at every attempt to send it: the event's id, and the recipient's where it has several.
            values: what the templates show; instants in the recipient's time zone.
        """
        language = language_of(recipient.language)
        shown: dict[str, Any] = {each: _shown(value, recipient, language) for each, value in values.items()}
        shown |= {"name": one_line(recipient.name), "base": self._base}
        head, _, text = self._render(language, f"{name}.txt", shown).partition("\n")
        subject = head.removeprefix("Subject: ")
        html = self._render(language, f"{name}.html", {**shown, "subject": subject})
        return Mail(recipient.address, subject, text.strip() + "\n", html, f"{key} {name}", self._clock.now())

    def _render(self, language: str, name: str, values: dict[str, Any]) -> str:
        return self._templates.select_template([f"{language}/{name}", f"{PLAIN}/{name}"]).render(values)


def language_of(tag: str) -> str:
    """Return the language to write in; regions share one."""
    language = tag.partition("-")[0].lower()
    return language if language in FORMATS else PLAIN


def _shown(value: str | int | datetime, recipient: Recipient, language: str) -> str | int:
    if isinstance(value, datetime):
        zone = recipient.timezone if recipient.timezone in timezones() else "UTC"
        return f"{value.astimezone(ZoneInfo(zone)):{FORMATS[language]}} ({zone})"
    return one_line(value) if isinstance(value, str) else value
