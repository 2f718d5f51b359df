"""A running helpdesk, for one test."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from helpdesk_core.accounts.domains import Resolver
from helpdesk_core.accounts.models import Organization
from helpdesk_core.app import create_app
from helpdesk_core.assembly import Parts, assemble
from helpdesk_core.database import commit
from helpdesk_core.events import OutboxEvent, attribute_session
from helpdesk_core.files import MemoryStore
from helpdesk_core.http.outbound import Outbound
from helpdesk_core.mail import Mail, Mailer, MemoryMailer
from helpdesk_core.plugins import Phase, PluginHealth, PluginHost
from helpdesk_core.plugins.health import Hung
from helpdesk_core.queries import Prepared
from helpdesk_core.row_security import SETTING, see_everyone
from helpdesk_core.settings import Settings
from helpdesk_core.tenancy import set_organization, set_unscoped
from helpdesk_core.testing.clients import Account, Client
from helpdesk_core.testing.databases import Databases, with_row_security
from helpdesk_core.testing.doubles import TestClock, TestResolver
from helpdesk_core.testing.selection import with_required

ADMINISTRATORS = {"acme-corp": "owner", "globex": "outsider"}
SETTLING_SECONDS = 30.0
_SETTLED = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > :last")


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
        """Return the name servers; put TXT records into its `records`, and addresses into its `hosts`."""
        return cast("TestResolver", self.parts.services.get(Resolver))

    def client(self, name: str) -> Client:
        """Return one of the cast as a client."""
        if name not in self._clients:
            self._clients[name] = Client(self.http, self.clock, self.accounts.get(name), settle=self.settle)
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

    def enable(self, plugin: str, organization: str = "acme-corp") -> None:
        """Switch a plugin on for an organisation, after the plugins that it requires."""
        self._switch(plugin, organization, "enable", "requires")

    def disable(self, plugin: str, organization: str = "acme-corp") -> None:
        """Switch a plugin off for an organisation, after the plugins that need it."""
        self._switch(plugin, organization, "disable", "needed_by")

    def suspend(self, plugin: str) -> None:
        """Have a plugin pause, as one does that keeps failing; it answers 503 for a minute."""
        self.parts.services.get(PluginHealth).failed(plugin, Phase.REQUEST, Hung())

    def _switch(self, plugin: str, organization: str, act: str, first: str) -> None:
        administrator = self.client(ADMINISTRATORS[organization])
        path = f"/organizations/{administrator.organization_id}/plugins/{plugin}/{act}/"
        reply = administrator.post(path)
        if reply.status_code == 409:
            for other in reply.json()["error"]["details"].get(first, ()):
                self._switch(other, organization, act, first)
            reply = administrator.post(path)
        if reply.status_code != 200:
            raise AssertionError(f"{plugin} cannot be switched ({act}) for {organization}: {reply.text}")

    def subscribe(self, tier: str, organization: str = "acme-corp") -> None:
        """Put an organisation into a subscription tier: `free`, `basic`, `professional` or `enterprise`."""
        with self.session() as session:
            wanted = select(Organization).where(Organization.slug == organization)
            session.scalars(wanted).one().subscription_tier = tier
            commit(session)

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Return everything that was published, as `(type, payload)`, oldest first."""
        with self.session() as session:
            rows = session.scalars(select(OutboxEvent).order_by(OutboxEvent.id)).all()
        event_types = self.parts.host.event_types
        return [(row.type, event_types[row.type].model_validate_json(row.payload).model_dump()) for row in rows]

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Collect the SQL of every statement that runs meanwhile, read models included; of a batch once."""
        seen: list[str] = []
        with self.heard(seen.append):
            yield seen

    @contextmanager
    def heard(self, listener: Callable[[str], object]) -> Iterator[None]:
        """Tell `listener` the SQL of every statement before it runs, in the thread that runs it; of a batch once."""
        engine = self.parts.services.database.engine

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if SETTING not in statement:  # telling the scope is no statement of anybody's
                listener(statement)

        plain = Prepared.on

        def noted(prepared: Prepared, session: Session) -> Any:
            listener(prepared.sql(session.get_bind().dialect))
            return plain(prepared, session)

        event.listen(engine, "before_cursor_execute", note)
        setattr(Prepared, "on", noted)  # noqa: B010 - mypy knows no assignment to a method
        try:
            yield
        finally:
            setattr(Prepared, "on", plain)  # noqa: B010
            event.remove(engine, "before_cursor_execute", note)

    def settle(self) -> None:
        """Wait until what has been committed can be followed.

        PostgreSQL's oldest running transaction may be one of another database, of tests that run beside this one.
        """
        if self.parts.services.database.kind == "sqlite":
            return
        with self.parts.services.database.engine.connect() as connection:
            see_everyone(connection)
            last = connection.scalar(text("SELECT coalesce(max(tx), 0) FROM core_event"))
            began = time.monotonic()
            while not connection.scalar(_SETTLED, {"last": last}):
                connection.rollback()
                if time.monotonic() - began > SETTLING_SECONDS:
                    raise TimeoutError("a transaction on the database server does not end")
                time.sleep(0.005)

    def run_jobs(self) -> None:
        """Deliver every event, and run every job, that is due."""
        self.parts.runner.run_due()

    def run_schedules(self) -> None:
        """Run what its schedule says to have been due since it last ran, and everything that follows from it."""
        self.parts.runner.tick()
        self.parts.runner.run_due()


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
        "row_security": with_row_security(),
        "allowed_hosts": ("testserver", "localhost", "127.0.0.1"),
    }
    return Settings(**{**values, **changes})


test_settings.__test__ = False  # type: ignore[attr-defined]


def environment(installation: Installation, plugins: Sequence[str] | None) -> dict[str, str]:
    """Return the environment in which a command works on `installation`.

    Args:
        installation: whose settings are given.
        plugins: ids of those that the command sees, besides what they require; nothing means every installed one.
    """
    settings = installation.parts.settings
    given = {
        "HOME": str(settings.home),
        "DATABASE_URL": settings.database,
        "SECRET_KEY": settings.secret_key.get_secret_value() if settings.secret_key else "",
        "PASSWORD_COST": settings.password_cost,
        "DEFAULT_ORGANIZATION": settings.default_organization or "",
        "ROW_SECURITY": str(settings.row_security),
    }
    if plugins is not None:
        given["PLUGINS"] = ",".join(with_required(plugins)) or "none"
    return {f"HELPDESK_{name}": value for name, value in given.items()}


@contextmanager
def running(
    databases: Databases, host: PluginHost, home: Path, name: str = "test", **changes: Any
) -> Iterator[Installation]:
    """Run a helpdesk on a copy of the database called `name`, for as long as the block lasts.

    `changes` are settings; limits, for instance, are only counted unless `limits="enforce"` is among them.
    """
    clock, files = TestClock(), MemoryStore()
    mails: list[Mail] = []
    settings = test_settings(databases.copy(name), home, **changes)
    names = TestResolver()
    outbound = Outbound(settings, names.addresses)
    instead: dict[type, Any] = {Resolver: names, Outbound: outbound, Mailer: MemoryMailer(mails)}
    parts = assemble(settings, clock=clock, host=host, files=files, instead=instead)
    databases.spare_compiling(parts.services.database)
    app = create_app(settings, parts=parts, background=False)
    with TestClient(app, raise_server_exceptions=False) as http:
        yield Installation(parts, app, clock, files, http, databases.accounts, mails)
