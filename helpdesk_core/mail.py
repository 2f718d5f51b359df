"""Mail: what is sent, and the ways to send it.

Nothing here knows why a mail is sent. Event handlers write it, and hand it over once their transaction is committed:
`ctx.then(lambda: ctx.get(Mailer).send(mail))`. No transaction is open while a mail server is talked to, and a mail
that could not be sent is sent again with its event.
"""

import contextlib
import hashlib
import ipaddress
import smtplib
import ssl
import sys
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import TextIO
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from helpdesk_core.settings import BadSetting, Settings

HERE = "http://localhost:8000"
"""Where `helpdesk serve` listens unless it is told otherwise."""
SENDER_FOR_DEVELOPMENT = "Helpdesk <helpdesk@localhost>"
URL_EXAMPLE = "HELPDESK_SMTP_URL=smtp://user:password@mail.example.com:587"
FROM_EXAMPLE = "HELPDESK_MAIL_FROM=Helpdesk <help@example.com>"
PORTS = {"smtp": 587, "smtps": 465}


class MailNotSent(Exception):
    """The mail server did not take a mail; the message says why, without the mail and without credentials."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person.

    Attributes:
        to: address.
        subject: one line.
        text: the plain form.
        html: the same for readers that show HTML.
        key: the same at every attempt to send this mail, and of no other mail of the installation.
        written_at: the present instant, UTC.
    """

    to: str
    subject: str
    text: str
    html: str
    key: str
    written_at: datetime


class Mailer:
    """Sends mails; settings choose which kind, tests have one of their own."""

    def send(self, mail: Mail) -> None:
        """Hand `mail` over.

        Raises:
            MailNotSent: it may be tried again later.
        """
        raise NotImplementedError


class ConsoleMailer(Mailer):
    """Prints mails, links included, so that everything can be tried on one's own machine."""

    def __init__(self, sender: str = SENDER_FOR_DEVELOPMENT, stream: TextIO | None = None) -> None:
        """Print to `stream`, standard error when it is left out."""
        self._sender = sender
        self._stream = stream

    def send(self, mail: Mail) -> None:
        """Print the plain form."""
        head = (f"From: {self._sender}", f"To: {mail.to}", f"Subject: {one_line(mail.subject)}")
        lines = ["", "-" * 72, *head, "", *map(one_line, mail.text.splitlines()), "-" * 72, ""]
        stream = self._stream or sys.stderr
        stream.write("\n".join(lines))
        stream.flush()


class MemoryMailer(Mailer):
    """Keeps mails in a list."""

    def __init__(self, sent: list[Mail]) -> None:
        """Append to `sent`."""
        self.sent = sent

    def send(self, mail: Mail) -> None:
        """Append the mail."""
        self.sent.append(mail)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Which server to hand mails to, and how.

    Attributes:
        host: name or address.
        port: TCP port.
        tls: `start` (STARTTLS, which must work), `wrapped` (from the first byte) or `none`.
        user: to log in with; empty for no login.
        password: of that user.
        timeout_seconds: for connecting, and again for each step of the conversation.
    """

    host: str
    port: int
    tls: str
    user: str
    password: str
    timeout_seconds: float

    @classmethod
    def parse(cls, url: str, timeout_seconds: float) -> "SmtpServer":
        """Read `smtp://user:password@host:587`, `smtps://...:465` or `smtp://localhost:25?tls=none`.

        Raises:
            BadSetting: names what is wrong, without the URL, which may hold a password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS.get(parts.scheme, 0)
        except ValueError:
            raise _wrong("the port or the host cannot be read; write / : @ # ? of a password as %2F %3A ...") from None
        if parts.scheme not in PORTS or not parts.hostname:
            raise _wrong("it must begin with smtp:// or smtps:// and name a host")
        if parts.path not in {"", "/"} or parts.fragment:
            raise _wrong("nothing may follow the port; write / : @ # ? of a password as %2F %3A %40 %23 %3F")
        if bool(parts.username) != bool(parts.password):
            raise _wrong("user and password belong together")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, _tls(parts), user, password, timeout_seconds)


class SmtpMailer(Mailer):
    """Hands mails to a server by SMTP, over TLS with a checked certificate, on a connection for each."""

    def __init__(
        self, server: SmtpServer, sender: Address, host: str, *, trusted: ssl.SSLContext | None = None
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            server: where to.
            sender: of every mail.
            host: what we call ourselves: the host of the public URL.
            trusted: how certificates are checked; by the machine's authorities when it is left out.
        """
        self._server = server
        self._sender = sender
        self._host = host
        self._trusted = trusted or ssl.create_default_context()

    def send(self, mail: Mail) -> None:
        """Send the mail; it counts as sent once the server has taken it, whatever happens then."""
        if mail.to.split() != [mail.to]:
            raise MailNotSent("the address is not one word")  # smtplib would look for an address in it
        try:
            message = as_message(mail, self._sender)
            server = self._connect()
            try:
                self._introduce(server)
                server.send_message(message, self._sender.addr_spec, [mail.to])
                with contextlib.suppress(OSError, smtplib.SMTPException):
                    server.quit()
            finally:
                server.close()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise MailNotSent(_reason(error)) from None

    def _connect(self) -> smtplib.SMTP:
        to, timeout, ours = self._server, self._server.timeout_seconds, _greeting(self._host)
        if to.tls == "wrapped":
            return smtplib.SMTP_SSL(to.host, to.port, ours, timeout=timeout, context=self._trusted)
        return smtplib.SMTP(to.host, to.port, ours, timeout=timeout)

    def _introduce(self, server: smtplib.SMTP) -> None:
        if self._server.tls == "start":
            server.starttls(context=self._trusted)  # a server that does not offer it gets nothing from us
        if self._server.user:
            server.login(self._server.user, self._server.password)


def mailer_for(settings: Settings) -> Mailer:
    """Return the mailer that the settings ask for.

    Raises:
        BadSetting: a server is set, and what goes with it is missing or wrong.
    """
    url = settings.smtp_url.get_secret_value()
    sender = _sender(settings.mail_from) if settings.mail_from else None
    if not url:
        return ConsoleMailer(str(sender) if sender else SENDER_FOR_DEVELOPMENT)
    server = SmtpServer.parse(url, settings.smtp_timeout_seconds)
    if sender is None:
        raise BadSetting(f"HELPDESK_MAIL_FROM: mails need a sender. Example: {FROM_EXAMPLE}")
    if not settings.public_url:
        raise BadSetting(
            "HELPDESK_PUBLIC_URL: mails hold links, which are built with it and with nothing that a request says. "
            "Example: HELPDESK_PUBLIC_URL=https://help.example.com"
        )
    return SmtpMailer(server, sender, urlsplit(settings.public_url).hostname or "localhost")


def base_url(settings: Settings) -> str:
    """Return what links in mails begin with: never what a request calls the host, which its sender chooses."""
    return settings.public_url or HERE


def as_message(mail: Mail, sender: Address) -> EmailMessage:
    """Return `mail` as it goes over the wire: no value can add a header or a recipient."""
    message = EmailMessage(SMTP)
    message["From"] = sender
    message["To"] = _address(mail.to)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(mail.written_at)
    message["Message-ID"] = f"<{hashlib.sha256(mail.key.encode()).hexdigest()[:40]}@{_id_domain(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def one_line(text: str) -> str:
    """Return `text` without line breaks and other control characters, which become spaces."""
    return "".join(" " if unicodedata.category(each) in {"Cc", "Zl", "Zp"} else each for each in text).strip()


def _address(address: str, name: str = "") -> Address:
    """Return a header's address; the constructor that takes two halves is the one that refuses no odd local part."""
    local, _, domain = one_line(address).rpartition("@")
    return Address(name, local, domain)


def _id_domain(sender: Address) -> str:
    return sender.domain.encode("idna").decode()


def _sender(value: str) -> Address:
    name, address = parseaddr(value)
    local, _, domain = address.rpartition("@")
    if not local or not domain or value != one_line(value) or not (local + domain).isascii() or " " in address:
        raise BadSetting(f"HELPDESK_MAIL_FROM: this is not an address, with a name or without. Example: {FROM_EXAMPLE}")
    return _address(address, name)


def _wrong(problem: str) -> BadSetting:
    return BadSetting(f"HELPDESK_SMTP_URL: {problem}. Example: {URL_EXAMPLE}")


def _tls(parts: SplitResult) -> str:
    if not parts.query:
        return {"smtp": "start", "smtps": "wrapped"}[parts.scheme]
    if parts.scheme != "smtp" or parse_qsl(parts.query) != [("tls", "none")]:
        raise _wrong("the one thing that may follow `?` is tls=none, after smtp://")
    if not _is_loopback(parts.hostname or ""):
        raise _wrong("without TLS, mails and passwords could be read on their way: only for a relay on this machine")
    return "none"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _greeting(host: str) -> str:
    """Return how HELO names us; an address has a form of its own there (RFC 5321, 4.1.3)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"


def _reason(error: Exception) -> str:
    """Return what went wrong without what the server says: it may quote what it was sent."""
    code = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
    return " ".join(str(part) for part in ("the mail server:", type(error).__name__, code) if part)
