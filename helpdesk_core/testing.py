"""The test kit, a pytest plugin: an installation of its own for every test, with a standing cast.

Acme Corporation has an `owner` (administrator), an `agent`, a `technician`, a `member` and a `second_member` (both
customers). The `outsider` administers another organisation, Globex; `anonymous` has no account. Each is a client:

    def test_outsider_finds_no_ticket(outsider, ticket):
        assert outsider.get(f"/tickets/{ticket['id']}/").status_code == 404

Paths are relative to `/api/v1`. `member.classic` is the same person with a token of the CLASSIC document. The database
is built by the real migrations, once, and copied for each test; it is SQLite, or PostgreSQL when
`HELPDESK_TEST_DATABASE_URL` says so. Nothing happens in the background: events wait for `run_jobs`, the clock for
`clock.advance`.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, cast

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, event, make_url, select, text
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from helpdesk_core.accounts.domains import Resolver
from helpdesk_core.accounts.errors import NameServersUnavailable
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.service import create_organization, create_user
from helpdesk_core.app import Parts, assemble, create_app
from helpdesk_core.database import Database, commit
from helpdesk_core.events import Bus, OutboxEvent, attribute_session
from helpdesk_core.files import MemoryStore
from helpdesk_core.keys import Seals
from helpdesk_core.mail import Mail, Mailer, MemoryMailer
from helpdesk_core.migrations import lineages, upgrade
from helpdesk_core.plugins import PluginHost, load_plugins
from helpdesk_core.queries import Prepared
from helpdesk_core.settings import Settings
from helpdesk_core.tenancy import set_organization, set_unscoped

PASSWORD = "correct horse battery staple"  # noqa: S105 - of the cast, in databases that live for one test
API = "/api/v1"
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
CAST = {
    "owner": ("acme-corp", "admin"),
    "agent": ("acme-corp", "agent"),
    "technician": ("acme-corp", "technician"),
    "member": ("acme-corp", "customer"),
    "second_member": ("acme-corp", "customer"),
    "outsider": ("globex", "admin"),
}


class TestClock:
    """A clock that stands still until it is told to move."""

    __test__ = False

    def __init__(self) -> None:
        """Begin on a Monday morning."""
        self._now = START

    def now(self) -> datetime:
        """Return the present instant."""
        return self._now

    def advance(self, **duration: float) -> datetime:
        """Move on by `days=`, `hours=`, `minutes=` or `seconds=`, and return the new present."""
        self._now += timedelta(**duration)
        return self._now


class TestResolver(Resolver):
    """Name servers that know what a test tells them, and nothing else.

    Attributes:
        records: texts by name.
        works: whether anybody answers.
    """

    __test__ = False

    def __init__(self) -> None:
        """Know nothing."""
        self.records: dict[str, list[str]] = {}
        self.works = True

    def texts(self, name: str) -> list[str]:
        """Return what a test has put there."""
        if not self.works:
            raise NameServersUnavailable
        return self.records.get(name, [])


class Response(Protocol):
    """What tests look at."""

    @property
    def status_code(self) -> int:
        """Return the status."""

    @property
    def headers(self) -> Any:
        """Return the headers, found without case."""

    @property
    def content(self) -> bytes:
        """Return the body."""

    @property
    def text(self) -> str:
        """Return the body as text."""

    def json(self) -> Any:
        """Return the body, parsed."""


@dataclass(frozen=True)
class Account:
    """The account of one of the cast.

    Attributes:
        id: key of the user.
        email: address.
        username: name to sign in with.
        organization_id: key of their organisation.
        role: their role.
        password: in the clear.
    """

    id: int
    email: str
    username: str
    organization_id: int
    role: str
    password: str = PASSWORD


class Client:
    """A caller of the API.

    Attributes:
        user: whose account is used; nothing for an anonymous caller.
    """

    def __init__(
        self, http: TestClient, clock: TestClock, user: Account | None, sign_in: str = "/users/login/"
    ) -> None:
        """Prepare; a token is asked for at the first request, and again when it has run out."""
        self._http = http
        self._clock = clock
        self._sign_in = sign_in
        self._token: tuple[str, datetime] | None = None
        self.user = user

    @property
    def organization_id(self) -> int:
        """Return the key of the caller's organisation."""
        if self.user is None:
            raise LookupError("an anonymous caller has no organisation")
        return self.user.organization_id

    @property
    def classic(self) -> "Client":
        """Return the same person speaking CLASSIC."""
        return Client(self._http, self._clock, self.user, "/auth/token/")

    @property
    def token(self) -> str:
        """Return a valid access token."""
        if self.user is None:
            raise LookupError("an anonymous caller has no token")
        if self._token is None or self._clock.now() - self._token[1] > timedelta(minutes=10):
            credentials = {"username": self.user.username, "password": self.user.password}
            reply = self._http.post(f"{API}{self._sign_in}", json=credentials)
            if reply.status_code != 200:
                raise AssertionError(f"{self.user.username} cannot sign in: {reply.text}")
            self._token = (reply.json()["access"], self._clock.now())
        return self._token[0]

    def raw(self, method: str, path: str, **options: Any) -> Response:
        """Send a request to an absolute path."""
        headers = dict(options.pop("headers", None) or {})
        if self.user is not None and not any(name.lower() == "authorization" for name in headers):
            headers["Authorization"] = f"Bearer {self.token}"
        return self._http.request(method, path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Response:
        """GET."""
        return self.raw("GET", API + path, **options)

    def post(self, path: str, **options: Any) -> Response:
        """POST."""
        return self.raw("POST", API + path, **options)

    def put(self, path: str, **options: Any) -> Response:
        """PUT."""
        return self.raw("PUT", API + path, **options)

    def patch(self, path: str, **options: Any) -> Response:
        """PATCH."""
        return self.raw("PATCH", API + path, **options)

    def delete(self, path: str, **options: Any) -> Response:
        """DELETE."""
        return self.raw("DELETE", API + path, **options)


@dataclass
class Installation:
    """One running helpdesk with its database, clock, files and cast.

    Attributes:
        parts: what the web process is made of.
        app: the ASGI application.
        clock: moves by hand.
        files: uploads, in memory.
        http: talks to the application.
        accounts: of the cast, by name.
        mails: what was sent, oldest first; mails go out with `run_jobs`.
    """

    parts: Parts
    app: Starlette
    clock: TestClock
    files: MemoryStore
    http: TestClient
    accounts: dict[str, Account]
    mails: list[Mail] = field(default_factory=list)
    _clients: dict[str, Client] = field(default_factory=dict)

    @property
    def resolver(self) -> TestResolver:
        """Return the name servers; put TXT records into its `records`."""
        return cast("TestResolver", self.parts.services.get(Resolver))

    def client(self, name: str) -> Client:
        """Return one of the cast as a client."""
        if name not in self._clients:
            self._clients[name] = Client(self.http, self.clock, self.accounts.get(name))
        return self._clients[name]

    def session(self, organization_id: int | None = None) -> Session:
        """Return a writing session for looking behind the API; unscoped when no organisation is given."""
        session = self.parts.services.database.writer()
        attribute_session(session, self.parts.services.bus, None)
        if organization_id is None:
            set_unscoped(session)
        else:
            set_organization(session, organization_id)
        return session

    def commit(self, session: Session) -> None:
        """Commit what was done in a session of `session()`."""
        commit(session)

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Return everything that was published, as `(type, payload)`, oldest first."""
        with self.session() as session:
            rows = session.scalars(select(OutboxEvent).order_by(OutboxEvent.id)).all()
        event_types = self.parts.host.event_types
        return [(row.type, event_types[row.type].model_validate_json(row.payload).model_dump()) for row in rows]

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Collect the SQL of every statement that runs meanwhile, read models included."""
        seen: list[str] = []
        engine = self.parts.services.database.engine

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        plain = Prepared.rows

        def rows(prepared: Prepared, session: Session, parameters: Any) -> Any:
            seen.append(prepared.sql(session.get_bind().dialect))
            return plain(prepared, session, parameters)

        event.listen(engine, "before_cursor_execute", note)
        setattr(Prepared, "rows", rows)  # noqa: B010 - replaced for the length of the block
        try:
            yield seen
        finally:
            setattr(Prepared, "rows", plain)  # noqa: B010
            event.remove(engine, "before_cursor_execute", note)

    def run_jobs(self) -> None:
        """Deliver every event that is due."""
        while self.parts.delivery.deliver_due():
            pass


def test_settings(database_url: str, home: Path, **changes: Any) -> Settings:
    """Return settings for a test installation."""
    values: dict[str, Any] = {
        "home": home,
        "database_url": database_url,
        "secret_key": SecretStr("a key for tests only, forty characters long"),
        "password_cost": "low",
        "default_organization": "acme-corp",
        "log_requests": False,
        "sqlite_synchronous": "NORMAL",
        "limits": "count",
        "allowed_hosts": ("testserver", "localhost", "127.0.0.1"),
    }
    return Settings(**{**values, **changes})


test_settings.__test__ = False  # type: ignore[attr-defined]


class _Databases:
    """Makes a migrated database with the cast once, and a copy of it for each test."""

    def __init__(self, folder: Path, host: PluginHost, worker: str) -> None:
        self._folder = folder
        self._host = host
        self._server = os.environ.get("HELPDESK_TEST_DATABASE_URL", "")
        self._prefix = f"helpdesk_{worker}"
        self._made: set[str] = set()
        self.accounts = self._build()

    def copy(self, name: str = "test") -> str:
        """Return the URL of a fresh copy called `name`; the one before is overwritten."""
        if self._server:
            self._recreate(name, f"{self._prefix}_template")
            return self._url(name)
        target = self._folder / f"{name}.db"
        for leftover in (target, target.with_name(f"{name}.db-wal"), target.with_name(f"{name}.db-shm")):
            leftover.unlink(missing_ok=True)
        shutil.copyfile(self._folder / "template.db", target)
        return f"sqlite:///{target}"

    def drop(self) -> None:
        """Remove what was made on a database server."""
        for name in self._made:
            self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _build(self) -> dict[str, Account]:
        if self._server:
            self._recreate("template", None)
        url = self._url("template")
        upgrade(url, lineages(self._host))
        database = Database(url, threads=1, synchronous="NORMAL")
        try:
            with database.session(writes=True) as session:
                accounts = _create_cast(session, Settings(password_cost="low"))  # noqa: S106 - a cost, no password
                commit(session)
            if database.kind == "sqlite":
                with database.engine.connect() as connection:
                    connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            database.dispose()
        return accounts

    def _url(self, name: str) -> str:
        if not self._server:
            return f"sqlite:///{self._folder / f'{name}.db'}"
        return make_url(self._server).set(database=f"{self._prefix}_{name}").render_as_string(hide_password=False)

    def _recreate(self, name: str, template: str | None) -> None:
        database = f"{self._prefix}_{name}"
        self._administer(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        self._administer(f'CREATE DATABASE "{database}"' + (f' TEMPLATE "{template}"' if template else ""))
        self._made.add(database)

    def _administer(self, statement: str) -> None:
        engine = create_engine(self._server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


def _create_cast(session: Session, settings: Settings) -> dict[str, Account]:
    set_unscoped(session)
    attribute_session(session, Bus(TestClock(), seals=Seals([b"of the cast"])), None)
    acme = create_organization(session, name="Acme Corporation", slug="acme-corp", domain="acme.com", tier="enterprise")
    globex = create_organization(session, name="Globex", slug="globex", domain="globex.com", tier="enterprise")
    organizations = {"acme-corp": acme, "globex": globex}
    password_hash = Passwords(settings).hash(PASSWORD)
    accounts = {}
    for name, (slug, role) in CAST.items():
        user = create_user(
            session,
            organization=organizations[slug],
            username=name,
            email=f"{name}@{organizations[slug].domain}",
            password_hash=password_hash,
            role=role,
            first_name=name.replace("_", " ").title(),
            last_name="Example",
        )
        accounts[name] = Account(user.id, user.email, user.username, organizations[slug].id, role)
    return accounts


@pytest.fixture(scope="session")
def helpdesk_host() -> PluginHost:
    """Every installed plugin, loaded once."""
    return load_plugins()


@pytest.fixture(scope="session")
def helpdesk_databases(
    helpdesk_host: PluginHost, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[_Databases]:
    """Databases for tests, one at a time for each worker."""
    databases = _Databases(tmp_path_factory.mktemp("database"), helpdesk_host, worker_id)
    yield databases
    databases.drop()


@contextmanager
def running(
    databases: _Databases, host: PluginHost, home: Path, name: str = "test", **changes: Any
) -> Iterator[Installation]:
    """Run a helpdesk on a copy of the database called `name`, for as long as the block lasts.

    `changes` are settings; limits, for instance, are only counted unless `limits="enforce"` is among them.
    """
    clock, files = TestClock(), MemoryStore()
    mails: list[Mail] = []
    settings = test_settings(databases.copy(name), home, **changes)
    instead: dict[type, Any] = {Resolver: TestResolver(), Mailer: MemoryMailer(mails)}
    parts = assemble(settings, clock=clock, host=host, files=files, instead=instead)
    app = create_app(settings, parts=parts, delivers=False)
    with TestClient(app, raise_server_exceptions=False) as http:
        yield Installation(parts, app, clock, files, http, databases.accounts, mails)


@pytest.fixture
def installation(helpdesk_host: PluginHost, helpdesk_databases: _Databases, tmp_path: Path) -> Iterator[Installation]:
    """A running helpdesk of its own."""
    with running(helpdesk_databases, helpdesk_host, tmp_path) as installation:
        yield installation


@pytest.fixture
def clock(installation: Installation) -> TestClock:
    """The clock of the installation."""
    return installation.clock


@pytest.fixture
def run_jobs(installation: Installation) -> Callable[[], None]:
    """Deliver every event that is due."""
    return installation.run_jobs


@pytest.fixture
def owner(installation: Installation) -> Client:
    """The administrator of Acme."""
    return installation.client("owner")


@pytest.fixture
def agent(installation: Installation) -> Client:
    """An agent of Acme."""
    return installation.client("agent")


@pytest.fixture
def technician(installation: Installation) -> Client:
    """A technician of Acme."""
    return installation.client("technician")


@pytest.fixture
def member(installation: Installation) -> Client:
    """A customer of Acme."""
    return installation.client("member")


@pytest.fixture
def second_member(installation: Installation) -> Client:
    """Another customer of Acme."""
    return installation.client("second_member")


@pytest.fixture
def outsider(installation: Installation) -> Client:
    """The administrator of another organisation."""
    return installation.client("outsider")


@pytest.fixture
def anonymous(installation: Installation) -> Client:
    """Somebody without an account."""
    return installation.client("anonymous")
