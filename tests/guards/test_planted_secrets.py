"""Secrets are shown once at most, and then appear nowhere: no log, no answer, no error page, no row, no event.

The test lives the life of an account, keeps every secret that it sends or is given, and then looks for them everywhere.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import inspect, text

from helpdesk_core.logs import JsonLines
from helpdesk_core.plugins import PluginHost
from helpdesk_core.row_security import see_everyone
from helpdesk_core.testing import Client, Databases, Installation, Response, TestClock, running

PASSWORDS = {
    "the first password": "planted-first-password-81",
    "a wrong password": "planted-wrong-password-82",
    "the second password": "planted-second-password-83",
    "the third password": "planted-third-password-84",
    "an invited password": "planted-invited-password-85",
}
NEW = {"username": "planted", "email": "planted@acme.com", "password": PASSWORDS["the first password"]}


class Life:
    """What an account goes through, with every secret of it."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.http = installation.client("anonymous")
        self.secrets: dict[str, str] = dict(PASSWORDS)
        self.answers: list[Response] = []

    def send(self, method: str, path: str, *, shows: tuple[str, ...] = (), **options: Any) -> Response:
        """Send a request; what it `shows` on purpose is left out of what is searched."""
        reply = self.http.raw(method, f"/api/v1{path}", **options)
        assert reply.status_code < 500, f"{method} {path}: {reply.text}"
        if not shows:
            self.answers.append(reply)
        return reply

    def keep(self, what: str, secret: str) -> str:
        assert len(secret) >= 6
        self.secrets[what] = secret
        return secret

    def link(self, page: str) -> str:
        """Return the token of the last mail that leads to a page."""
        self.installation.run_jobs()
        texts = [mail.text for mail in self.installation.mails if f"/account/{page}/#" in mail.text]
        return self.keep(f"the link to {page}", texts[-1].partition(f"/account/{page}/#")[2].split()[0])

    def live(self, owner: Client, clock: TestClock) -> None:
        self.register_and_log_in()
        self.use_a_second_factor(clock)
        self.use_keys_and_sessions()
        self.use_links(owner)
        self.make_mistakes()

    def register_and_log_in(self) -> None:
        self.send("POST", "/users/register/", json=NEW)
        wrong = {"username": "planted", "password": PASSWORDS["a wrong password"]}
        assert self.send("POST", "/users/login/", json=wrong).status_code == 401
        self.log_in(PASSWORDS["the first password"])
        changed = {"old_password": NEW["password"], "new_password": PASSWORDS["the second password"]}
        assert self.send("POST", "/users/change-password/", json=changed, headers=self.bearer).status_code == 200

    def log_in(self, password: str, **more: str) -> None:
        body = {"username": "planted", "password": password, **more}
        tokens = self.send("POST", "/users/login/", json=body, shows=("tokens",)).json()
        number = sum(1 for what in self.secrets if what.startswith("access"))
        self.keep(f"access token {number}", tokens["access"])
        self.keep(f"refresh token {number}", tokens["refresh"])
        self.bearer = {"Authorization": f"Bearer {tokens['access']}"}

    def use_a_second_factor(self, clock: TestClock) -> None:
        keyed = {**self.bearer, "Idempotency-Key": "planted-once"}
        made = self.send("POST", "/users/2fa/setup/", json={"device_name": "Phone"}, headers=keyed, shows=("seed",))
        seed = self.keep("the seed", made.json()["secret_key"])
        for place, code in enumerate(made.json()["backup_codes"]):
            self.keep(f"backup code {place}", code)
        device = pyotp.TOTP(seed)
        code = device.at(clock.now())
        assert self.send("POST", "/users/2fa/verify/", json={"code": code}, headers=self.bearer).status_code == 200
        clock.advance(minutes=1)
        password = PASSWORDS["the second password"]
        asked = self.send("POST", "/users/login/", json={"username": "planted", "password": password}, shows=("it",))
        self.keep("a challenge", asked.json()["error"]["details"]["challenge_token"])
        self.log_in(password, otp=device.at(clock.now()))
        spent = {"code": made.json()["backup_codes"][0]}
        assert self.send("POST", "/users/2fa/disable/", json=spent, headers=self.bearer).status_code == 200

    def use_keys_and_sessions(self) -> None:
        keyed = {**self.bearer, "Idempotency-Key": "planted-key"}
        made = self.send("POST", "/users/api-keys/", json={"name": "Robot"}, headers=keyed, shows=("key",)).json()
        key = self.keep("an API key", made["key"])
        self.send("GET", "/users/profile/", headers={"X-API-Key": key})
        turned = self.send("POST", f"/users/api-keys/{made['id']}/rotate/", headers=self.bearer, shows=("key",))
        self.keep("a rotated key", turned.json()["key"])
        self.send("GET", "/users/api-keys/", headers=self.bearer)
        body = {"username": "planted", "password": PASSWORDS["the second password"]}
        opened = self.send("POST", "/users/session/", json=body, shows=("cookie",))
        cookie = self.keep("a session", opened.headers["Set-Cookie"].partition("=")[2].partition(";")[0])
        token = self.keep("a CSRF token", opened.json()["csrf_token"])
        browser = {"Cookie": f"sessionid={cookie}", "X-CSRFToken": token}
        self.send("PUT", "/users/profile/", json={"first_name": "Ada"}, headers=browser)
        self.send("GET", "/users/sessions/", headers=browser)
        self.send("DELETE", "/users/session/", headers=browser)

    def use_links(self, owner: Client) -> None:
        self.link("verify-email")
        self.send("POST", "/users/verify-email/", json={"token": self.secrets["the link to verify-email"]})
        self.send("POST", "/users/password-reset/", json={"email": NEW["email"]})
        body = {"token": self.link("reset-password"), "new_password": PASSWORDS["the third password"]}
        assert self.send("POST", "/users/password-reset/confirm/", json=body).status_code == 200
        invited = {"email": "invited@acme.com", "role": "agent"}
        self.answers.append(owner.post(f"/organizations/{owner.organization_id}/invitations/", json=invited))
        accepted = {
            "token": self.link("accept-invitation"),
            "username": "invited",
            "password": PASSWORDS["an invited password"],
        }
        assert self.send("POST", "/users/accept-invitation/", json=accepted).status_code == 201
        self.installation.run_jobs()

    def make_mistakes(self) -> None:
        """Send secrets to where they do not belong: malformed, misplaced, to a path that does not exist."""
        secret = PASSWORDS["the third password"]
        self.send("POST", "/users/login/", content=b'{"password": "' + secret.encode() + b'"')
        self.send("POST", "/users/login/", json={"username": ["x"], "password": {"is": secret}})
        self.send("POST", "/users/register/", json={**NEW, "password": secret, "role": "admin"})
        self.send("POST", "/users/login/", json={"username": "x", "password": secret, "colour": secret[:0]})
        for header in ("access token 0", "an API key", "a session"):
            self.send("GET", "/users/profile/", headers={"Authorization": f"Bearer {self.secrets[header]}x"})
        self.send("GET", "/nothing/", headers={"X-API-Key": self.secrets["a rotated key"]})


@pytest.fixture
def installation(helpdesk_host: PluginHost, helpdesk_databases: Databases, tmp_path: Path) -> Iterator[Installation]:
    """One that logs requests, as a server does."""
    with running(helpdesk_databases, helpdesk_host, tmp_path, log_requests=True) as installation:
        yield installation


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Everything that is logged from the most talkative level on, as it would be written."""
    lines: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonLines().format(record))

    root, handler = logging.getLogger(), Keeping()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(before)


def everything_stored(installation: Installation) -> Iterator[tuple[str, str]]:
    """Iterate over `(place, text)` of every value of every table, and of the files beside the database."""
    engine = installation.parts.services.database.engine
    with engine.connect() as connection:
        see_everyone(connection)
        for table in inspect(engine).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
                for column, value in row.items():
                    shown = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    yield f"{table}.{column}", shown
    for path in Path(installation.parts.settings.home).rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes().decode("latin-1")


def found_in(secrets: dict[str, str], place: str, content: str) -> Iterator[str]:
    yield from (f"{what} is in {place}: {content[:200]}" for what, secret in secrets.items() if secret in content)


@pytest.fixture
def life(installation: Installation, owner: Client, clock: TestClock, logged: list[str]) -> Life:
    life = Life(installation)
    life.live(owner, clock)
    return life


def test_secrets_are_not_logged(life: Life, logged: list[str]) -> None:
    assert any('"logger":"helpdesk.web"' in line for line in logged)
    leaks = [leak for line in logged for leak in found_in(life.secrets, "the log", line)]
    assert not leaks, "\n".join(leaks)


def test_secrets_are_in_no_answer_but_the_one_that_shows_them(life: Life) -> None:
    leaks = [
        leak
        for reply in life.answers
        for leak in found_in(life.secrets, str(reply.status_code), f"{reply.headers} {reply.text}")
    ]
    assert not leaks, "\n".join(leaks)


def test_secrets_are_not_stored_in_the_clear(life: Life) -> None:
    stored = list(everything_stored(life.installation))
    assert any(place == "core_user.password_hash" for place, _ in stored)
    leaks = [leak for place, content in stored for leak in found_in(life.secrets, place, content)]
    assert not leaks, "\n".join(leaks)


def test_mails_have_links_and_no_other_secret(life: Life) -> None:
    others = {what: secret for what, secret in life.secrets.items() if not what.startswith("the link")}
    mails = life.installation.mails
    assert len(mails) >= 5
    leaks = [leak for mail in mails for leak in found_in(others, mail.subject, f"{mail.text} {mail.html}")]
    assert not leaks, "\n".join(leaks)


def test_a_crash_tells_nothing(
    life: Life, installation: Installation, logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = PASSWORDS["the third password"]

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("the password service is on fire")

    monkeypatch.setattr("helpdesk_core.accounts.queries.account_by_name", crash)
    reply = installation.client("anonymous").post("/users/login/", json={"username": "planted", "password": secret})
    assert reply.status_code == 500
    assert secret not in reply.text
    assert "fire" not in reply.text
    assert any("on fire" in line for line in logged)
    assert not [line for line in logged if secret in line]
