"""Mails leave as they were written, for whom they were written, and where nobody can read them; or not at all."""

import contextlib
import io
import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import SMTP

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from helpdesk_core.mail import (
    ConsoleMailer,
    Mail,
    MailNotSent,
    MemoryMailer,
    SmtpMailer,
    SmtpServer,
    as_message,
    base_url,
    mailer_for,
)
from helpdesk_core.settings import BadSetting, Settings

WHEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
MAIL = Mail("ada@example.com", "Grüße", "Hello\n.\nfrom Zürich\n", "<p>Hello from Zürich</p>", "5 x", WHEN)
SENDER = Address("Helpdesk", "help", "example.com")
COMPLETE = {"public_url": "https://help.example.com", "mail_from": "Helpdesk <help@example.com>"}


class Server:
    """A mail server on loopback that takes one mail, and answers as it is told to.

    Attributes:
        answers: instead of the usual answer to a command, by its verb; nothing at all for `None`.
        said: the lines that it was sent before the mail.
        mail: what it took.
    """

    def __init__(self, *, tls=None, wrapped=False, answers=None):
        self.answers = answers or {}
        self.said, self.mail = [], None
        self._tls, self._wrapped = tls, wrapped
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._stopped = threading.Event()

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self._serve)
        thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            self._socket.close()
            thread.join()

    def _serve(self):
        connection, _ = self._socket.accept()
        connection.settimeout(30)
        if self._wrapped:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        # That the client hangs up is what some of the tests are about.
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            self._answer(connection, "CONNECT", "220 ready")
            self._listen(connection, lines)

    def _listen(self, connection, lines):
        while line := lines.readline():
            verb, blank, rest = line.decode().strip().partition(" ")
            verb = verb.upper()
            self.said.append(f"{verb}{blank}{rest}")
            extensions = "250-test\r\n250-STARTTLS\r\n250 AUTH PLAIN" if self._tls else "250 test"
            usual = {"EHLO": extensions, "DATA": "354 go on", "QUIT": "221 bye", "AUTH": "235 ok", "STARTTLS": "220 go"}
            if not self._answer(connection, verb, usual.get(verb, "250 ok")):
                continue
            if verb == "STARTTLS":
                with self._tls.wrap_socket(connection, server_side=True) as private, private.makefile("rb") as more:
                    return self._listen(private, more)
            if verb == "DATA":
                self.mail = b"".join(line.removeprefix(b".") for line in iter(lines.readline, b".\r\n"))
                self._answer(connection, "MAIL TAKEN", "250 taken")
            if verb == "QUIT":
                return None
        return None

    def _answer(self, connection, verb, usual):
        """Answer, and return whether that was the usual answer."""
        answer = self.answers.get(verb, usual)
        if answer is None:
            self._stopped.wait(30)
            return False
        connection.sendall(answer.encode() + b"\r\n")
        return answer == usual


def mailer(server, *, tls="none", user="", trusted=None, timeout=20.0):
    where = SmtpServer("localhost" if trusted else "127.0.0.1", server.port, tls, user, "secret word", timeout)
    return SmtpMailer(where, SENDER, "help.example.com", trusted=trusted)


def sent(mail, **options):
    """What a server takes of a mail."""
    with Server(**options).running() as server:
        mailer(server).send(mail)
    return server, message_from_bytes(server.mail, policy=SMTP)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate):
    return ssl.create_default_context(cafile=certificate)


class TestTheMessage:
    def test_has_both_forms_and_says_that_a_program_wrote_it(self):
        _, message = sent(MAIL)
        assert message.get_content_type() == "multipart/alternative"
        assert message.get_body(("plain",)).get_content().replace("\r\n", "\n") == MAIL.text
        assert message.get_body(("html",)).get_content().strip() == MAIL.html
        assert message["Subject"] == "Grüße"
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Date"].datetime == WHEN
        assert (str(message["From"]), message["To"]) == ("Helpdesk <help@example.com>", "ada@example.com")

    def test_is_recognised_when_it_comes_twice(self):
        first, again, other = (
            as_message(Mail("a@b.ch", "s", "t", "h", key, WHEN), SENDER)["Message-ID"] for key in ("1 x", "1 x", "2 x")
        )
        assert first == again != other
        assert first.endswith("@example.com>")

    @pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\x00"])
    def test_takes_no_header_from_a_value(self, line_break):
        subject = f"Hello{line_break}Bcc: eve@example.com{line_break}{line_break}<b>body</b>"
        server, message = sent(Mail("ada@example.com", subject, "text", "<p></p>", "1", WHEN))
        assert message["Bcc"] is None
        assert message["Subject"].split()[:2] == ["Hello", "Bcc:"]
        assert [line for line in server.said if line.startswith("RCPT")] == ["RCPT TO:<ada@example.com>"]
        assert message.get_body(("plain",)).get_content().strip() == "text"

    @pytest.mark.parametrize("address", ["ada@example.com\r\nRCPT TO:<eve@example.com>", "ada\r\nDATA@example.com"])
    def test_takes_no_command_from_an_address(self, address):
        nowhere = SmtpMailer(SmtpServer("127.0.0.1", 9, "none", "", "", 20.0), SENDER, "localhost")
        with pytest.raises(MailNotSent, match="not one word"):
            nowhere.send(Mail(address, "s", "t", "h", "1", WHEN))

    @pytest.mark.parametrize(
        "address", ["a..b@example.com", ".a@example.com", "a/b=c@example.com", "o'neil@example.com"]
    )
    def test_goes_to_odd_addresses_too(self, address):
        server, _ = sent(Mail(address, "s", "t", "h", "1", WHEN))
        assert f"RCPT TO:<{address}>" in server.said


class TestTalkingToTheServer:
    def test_over_starttls_with_a_login(self, tls, trusting):
        with Server(tls=tls).running() as server:
            mailer(server, tls="start", user="ada", trusted=trusting).send(MAIL)
        verbs = [line.split()[0] for line in server.said]
        assert verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
        assert server.mail

    def test_over_tls_from_the_first_byte(self, tls, trusting):
        with Server(tls=tls, wrapped=True).running() as server:
            mailer(server, tls="wrapped", trusted=trusting).send(MAIL)
        assert server.mail

    @pytest.mark.parametrize("kind", ["start", "wrapped"])
    def test_stops_at_a_certificate_that_nobody_vouches_for(self, tls, kind):
        context = ssl.create_default_context()
        with Server(tls=tls, wrapped=kind == "wrapped").running() as server, pytest.raises(MailNotSent) as failure:
            mailer(server, tls=kind, user="ada", trusted=context).send(MAIL)
        assert "SSLCertVerificationError" in str(failure.value)
        assert server.mail is None
        assert "AUTH" not in str(server.said)

    def test_stops_where_starttls_is_not_offered(self, trusting):
        with Server().running() as server, pytest.raises(MailNotSent):
            mailer(server, tls="start", user="ada", trusted=trusting).send(MAIL)
        assert [line.split()[0] for line in server.said] == ["EHLO"]

    @pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "MAIL TAKEN"])
    def test_gives_up_on_one_that_never_answers(self, verb):
        with (
            Server(answers={verb: None}).running() as server,
            pytest.raises(MailNotSent, match=r"TimeoutError|Disconnect"),
        ):
            mailer(server, timeout=0.2).send(MAIL)

    @pytest.mark.parametrize("answer", [None, "500 what?"])
    def test_counts_a_mail_as_sent_once_it_was_taken(self, answer):
        with Server(answers={"QUIT": answer}).running() as server:
            mailer(server, timeout=0.2 if answer is None else 20).send(MAIL)
        assert server.mail

    @pytest.mark.parametrize(
        ("verb", "answer"), [("RCPT", "550 no ada@example.com"), ("MAIL TAKEN", "554 spam: Hello")]
    )
    def test_says_why_it_failed_and_not_what_was_in_the_mail(self, verb, answer):
        with Server(answers={verb: answer}).running() as server, pytest.raises(MailNotSent) as failure:
            mailer(server).send(MAIL)
        assert answer[:3] in str(failure.value)
        assert "ada" not in str(failure.value)
        assert "Hello" not in str(failure.value)

    def test_says_that_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        with pytest.raises(MailNotSent, match="ConnectionRefusedError"):
            SmtpMailer(SmtpServer("127.0.0.1", port, "none", "", "", 20.0), SENDER, "localhost").send(MAIL)


class TestSettings:
    def test_without_a_server_print_mails(self, capsys):
        mailer_for(Settings()).send(MAIL)
        told = capsys.readouterr().err
        assert "To: ada@example.com\nSubject: Grüße\n\nHello\n" in told

    def test_print_nothing_that_moves_a_cursor(self):
        stream = io.StringIO()
        ConsoleMailer(stream=stream).send(Mail("a@b.ch", "s\x1b[2J", "one\x1b[2J\ntwo", "", "1", WHEN))
        assert "\x1b" not in stream.getvalue()
        assert "one [2J\ntwo" in stream.getvalue()

    @pytest.mark.parametrize(
        ("url", "server"),
        [
            ("smtp://mail.example.com", ("mail.example.com", 587, "start", "", "")),
            ("smtp://a%40b:p%2Fw%3A@mail.example.com:2525", ("mail.example.com", 2525, "start", "a@b", "p/w:")),
            ("smtps://u:p@mail.example.com/", ("mail.example.com", 465, "wrapped", "u", "p")),
            ("smtp://localhost:25?tls=none", ("localhost", 25, "none", "", "")),
            ("smtp://[::1]:25?tls=none", ("::1", 25, "none", "", "")),
        ],
    )
    def test_name_a_server(self, url, server):
        found = SmtpServer.parse(url, 10)
        assert (found.host, found.port, found.tls, found.user, found.password) == server

    @pytest.mark.parametrize(
        "url",
        [
            "mail.example.com",
            "http://mail.example.com",
            "smtp://",
            "smtp://hush@mail.example.com",
            "smtp://u:hush@mail.example.com:port",
            "smtp://u:hush@mail.example.com:99999",
            "smtp://u:hu/sh@mail.example.com",
            "smtp://u:hu#sh@mail.example.com",
            "smtp://mail.example.com/path",
            "smtp://u:hush@mail.example.com?tls=none",
            "smtp://10.0.0.1:25?tls=none",
            "smtp://localhost?tls=maybe",
            "smtps://localhost?tls=none",
        ],
    )
    def test_that_are_wrong_stop_the_start_with_an_example(self, url):
        with pytest.raises(BadSetting, match=r"^HELPDESK_SMTP_URL: .* Example: HELPDESK_SMTP_URL=smtp://") as refused:
            mailer_for(Settings(smtp_url=url, **COMPLETE))
        assert "hush" not in str(refused.value)
        assert "hu/sh" not in str(refused.value)

    @pytest.mark.parametrize("name", ["public_url", "mail_from"])
    def test_of_a_server_are_not_complete_without(self, name):
        with pytest.raises(BadSetting, match=f"^HELPDESK_{name.upper()}: .* Example: HELPDESK_{name.upper()}="):
            mailer_for(Settings(smtp_url="smtp://mail.example.com", **{**COMPLETE, name: ""}))

    @pytest.mark.parametrize("sender", ["nobody", "<>", "a b@", "A <a@b.ch>\nBcc: c@d.ch", "ü@example.com"])
    def test_name_a_sender_that_is_one(self, sender):
        with pytest.raises(BadSetting, match=r"^HELPDESK_MAIL_FROM: "):
            mailer_for(Settings(mail_from=sender))

    def test_that_are_complete_make_a_mailer(self):
        assert isinstance(mailer_for(Settings(smtp_url="smtp://mail.example.com", **COMPLETE)), SmtpMailer)

    def test_hide_the_password(self):
        assert "hush" not in repr(Settings(smtp_url="smtp://u:hush@mail.example.com"))

    def test_say_what_links_begin_with(self):
        assert base_url(Settings()) == "http://localhost:8000"
        assert base_url(Settings(public_url="https://help.example.com")) == "https://help.example.com"


def test_memory_keeps_what_is_sent():
    kept = []
    MemoryMailer(kept).send(MAIL)
    assert kept == [MAIL]
