"""The database of the tests: built by the real migrations once, with the cast in it, and copied for each test."""

import os
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect, create_engine, make_url, text
from sqlalchemy.orm import Session

from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.service import create_organization, create_user
from helpdesk_core.database import Database, commit
from helpdesk_core.events import Bus, attribute_session
from helpdesk_core.keys import Seals
from helpdesk_core.migrations import align_rows, lineages, upgrade
from helpdesk_core.plugins import PluginHost
from helpdesk_core.settings import Settings
from helpdesk_core.tenancy import set_unscoped
from helpdesk_core.testing.clients import PASSWORD, Account
from helpdesk_core.testing.doubles import TestClock

CAST = {
    "owner": ("acme-corp", "admin"),
    "agent": ("acme-corp", "agent"),
    "technician": ("acme-corp", "technician"),
    "member": ("acme-corp", "customer"),
    "second_member": ("acme-corp", "customer"),
    "outsider": ("globex", "admin"),
}


def with_row_security() -> bool:
    """Tell whether databases of tests have row-level security."""
    wanted = os.environ.get("HELPDESK_TEST_ROW_SECURITY", "0") == "1"
    return wanted and bool(os.environ.get("HELPDESK_TEST_POSTGRES_URL"))


class Databases:
    """Makes a migrated database with the cast once, and a copy of it for each test.

    With HELPDESK_TEST_ROW_SECURITY=1 they have row-level security, and belong to a role that it holds for.

    Attributes:
        row_security: whether they do.
    """

    _dialect: Dialect

    def __init__(self, folder: Path, host: PluginHost, worker: str, *, row_security: bool | None = None) -> None:
        """Prepare; nothing is made before it is asked for.

        Args:
            folder: where files of SQLite are kept.
            host: whose tables the databases have.
            worker: makes names on a server unlike those of other processes.
            row_security: whether they have it; as the environment says when it is left out.
        """
        self._folder = folder
        self._host = host
        self._server = os.environ.get("HELPDESK_TEST_POSTGRES_URL", "")
        self._prefix = f"helpdesk_{worker}"
        self.row_security = with_row_security() if row_security is None else row_security
        self._made: set[str] = set()
        self._compiled: dict[Any, Any] = {}

    @cached_property
    def accounts(self) -> dict[str, Account]:
        """The cast, by name; the database that they are in is built when this is first asked for."""
        return self._build()

    def copy(self, name: str = "test") -> str:
        """Return the URL of a fresh copy called `name`; the one before is overwritten."""
        _ = self.accounts  # so that there is one to copy
        if self._server:
            self._recreate(name, f"{self._prefix}_template")
            return self._url(name)
        target = self._folder / f"{name}.db"
        self._remove(target)
        shutil.copyfile(self._folder / "template.db", target)
        return f"sqlite:///{target}"

    def spare_compiling(self, database: Database) -> None:
        """Have a copy use the statements that others have compiled: a third of what a test takes otherwise."""
        database.compile_with(self._dialect, self._compiled)

    def empty(self, name: str) -> str:
        """Return the URL of an empty database called `name`, without any table; the one before is overwritten."""
        if self._server:
            self._recreate(name, None)
        else:
            self._remove(self._folder / f"{name}.db")
        return self._url(name)

    def drop(self) -> None:
        """Remove what was made on a database server."""
        for name in self._made:
            self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        if self.row_security and self._made:
            self._administer(_unless("dependent_objects_still_exist", f'DROP ROLE IF EXISTS "{self._prefix}"'))

    def _build(self) -> dict[str, Account]:
        if self._server:
            self._recreate("template", None)
        url = self._url("template")
        upgrade(url, lineages(self._host))
        align_rows(url, on=self.row_security)
        database = Database(url, threads=1, synchronous="NORMAL", row_security=self.row_security)
        try:
            with database.session(writes=True) as session:
                accounts = _create_cast(session, Settings(password_cost="low"))  # noqa: S106 - a cost, no password
                commit(session)
            self._dialect = database.engine.dialect
            if database.kind == "sqlite":
                with database.engine.connect() as connection:
                    connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            database.dispose()
        return accounts

    @staticmethod
    def _remove(file: Path) -> None:
        for leftover in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
            leftover.unlink(missing_ok=True)

    def _url(self, name: str) -> str:
        if not self._server:
            return f"sqlite:///{self._folder / f'{name}.db'}"
        url = make_url(self._server).set(database=f"{self._prefix}_{name}")
        if self.row_security:
            url = url.set(username=self._prefix, password=self._prefix)
        return url.render_as_string(hide_password=False)

    def _recreate(self, name: str, template: str | None) -> None:
        database = f"{self._prefix}_{name}"
        self._administer(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        if self.row_security and not self._made:
            login = f"CREATE ROLE \"{self._prefix}\" LOGIN PASSWORD '{self._prefix}'"
            self._administer(_unless("duplicate_object", login))
        owner = f' OWNER "{self._prefix}"' if self.row_security else ""
        self._administer(f'CREATE DATABASE "{database}"{owner}' + (f' TEMPLATE "{template}"' if template else ""))
        self._made.add(database)

    def _administer(self, statement: str) -> None:
        engine = create_engine(self._server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


def _unless(condition: str, statement: str) -> str:
    """Return what does nothing when there is such a condition: something of a run that was killed is still there."""
    return f"DO $$ BEGIN {statement}; EXCEPTION WHEN {condition} THEN NULL; END $$"


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
