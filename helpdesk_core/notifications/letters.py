"""Mails that repeat what is in the inbox: a frame in the reader's language around words that were written before."""

import re
from datetime import datetime

from helpdesk_core.accounts.letters import Recipient, language_of, mail_templates
from helpdesk_core.clock import Clock
from helpdesk_core.mail import Mail, base_url, one_line
from helpdesk_core.notifications.texts import Written
from helpdesk_core.settings import Settings

_PARAGRAPHS = re.compile(r"\n\s*\n")


class Notices:
    """Writes the mails of notifications."""

    def __init__(self, settings: Settings, _clock: Clock) -> None:
        """Prepare; templates are read when they are first used."""
        self._base = base_url(settings)
        self._templates = mail_templates(__package__)

    def mail(self, written: Written, recipient: Recipient, *, key: str, moment: datetime) -> Mail:
        """Return the mail that tells `recipient`.

        Args:
            written: what they are told; plain text, escaped where HTML is made of it.
            recipient: whom it is for; without a name, nobody is greeted by one.
            key: the same at every attempt to send it.
            moment: when they were told.
        """
        text = self._render("txt", written, recipient)
        return Mail(recipient.address, written.subject, text, self.html(written, recipient), key, moment)

    def html(self, written: Written, recipient: Recipient) -> str:
        """Return the form of a mail for readers that show HTML."""
        return self._render("html", written, recipient)

    def _render(self, form: str, written: Written, recipient: Recipient) -> str:
        template = self._templates.get_template(f"{language_of(recipient.language)}/notification.{form}")
        return template.render(
            name=one_line(recipient.name),
            subject=written.subject,
            text=written.text,
            paragraphs=[part.strip().split("\n") for part in _PARAGRAPHS.split(written.text) if part.strip()],
            base=self._base,
        )
