"""Row-level security of PostgreSQL: a second wall between organisations, below everything that Python does.

Each transaction tells the database whose rows it may see, by a setting that ends with it and hence passes poolers of
transactions. Policies compare `organization_id` with it; where nothing was told, nothing is seen. The first wall,
`tenancy`, stays: it is the one that raises.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from helpdesk_core.tenancy import EVERYONE, TenantScoped, scope_of

SETTING = "helpdesk.organization"
POLICY = "helpdesk_organization"

# Sub-selects are worked out once for each statement. CASE, unlike OR, counts as true of half the rows, so that plans
# stay as they are without the policy: OR made the planner expect a twentieth, and a search take twice as long.
_TOLD = f"current_setting('{SETTING}', true)"
_RULE = (
    f"CASE (SELECT {_TOLD}) WHEN '{EVERYONE}' THEN true"
    f" ELSE organization_id = (SELECT nullif(nullif({_TOLD}, '{EVERYONE}'), '')::int) END"
)
_MARK = f"helpdesk {sha256(_RULE.encode()).hexdigest()[:12]}"
"""The comment of a policy, which tells whether it is the one of today."""

# A condition that the server does not know to be leakproof, as `@@` is not, must wait for the policy, and no index
# can answer it. Full-text indexes are therefore left out: their hits are joined with tables that are not.
_TABLES = text("""
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, obj_description(p.oid, 'pg_policy'), p.oid IS NOT NULL,
    EXISTS (SELECT FROM pg_attribute w WHERE w.attrelid = c.oid AND w.atttypid = 'tsvector'::regtype)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = :policy
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
ORDER BY c.relname
""")
_BYPASSES = text("SELECT rolname FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)")


@dataclass(frozen=True, slots=True)
class _Table:
    """A table whose rows belong to organisations, as it stands in the database."""

    name: str
    walled: bool
    mark: str | None
    has_policy: bool
    holds_words: bool

    def differs(self, *, on: bool) -> bool:
        return self.has_policy if not on else not self.walled or self.mark != _MARK


def guard_rows(engine: Engine, *makers: "sessionmaker[Session]") -> None:
    """Have the transactions of every session that `makers` will open tell the database whose rows they may see."""
    engine.dialect.skip_autocommit_rollback = False  # the driver's word for it does not hold here, see `_begin`
    event.listen(engine, "checkout", _begin_as_usual)
    for sessions in makers:
        sessions.configure(info={**sessions.kw["info"], "scope_changed": _tell})
        event.listen(sessions, "after_begin", _begin)
        event.listen(sessions, "after_soft_rollback", _tell_again)


def see_everyone(connection: Connection) -> None:
    """Let the transaction of a connection without a session see every organisation; nothing to do on SQLite."""
    if connection.dialect.name == "postgresql":
        _set(connection, EVERYONE)


def _begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """Begin the transaction and tell its scope in one go; the driver's own BEGIN would take a round trip more."""
    if transaction.nested:
        return
    scope = session.info["told_scope"] = scope_of(session)
    if not scope:
        return
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status or connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        _set(connection, scope)
        return
    level = f" ISOLATION LEVEL {driver.isolation_level.name.replace('_', ' ')}" if driver.isolation_level else ""
    driver.autocommit = True  # keeps it from beginning by itself, until the connection is checked out again
    connection.exec_driver_sql(f"BEGIN{level}; SET LOCAL {SETTING} = '{scope}'")


def _begin_as_usual(driver: Any, _record: Any, _proxy: Any) -> None:
    if driver.autocommit and not driver.info.transaction_status:  # a broken one is found out by its first statement
        driver.autocommit = False


def _tell(session: Session) -> None:
    """Tell a scope that changes in the middle of a transaction; those that begin later tell it by themselves."""
    if not session.in_transaction():
        return
    scope = scope_of(session)
    if session.info.get("told_scope") != scope:
        session.info["told_in_savepoint"] = session.in_nested_transaction()  # also where what follows fails
    connection = session.connection()  # begins now if it has not, which tells the scope as well
    if session.info["told_scope"] != scope:
        _set(connection, scope)
        session.info["told_scope"] = scope


def _tell_again(session: Session, previous: SessionTransaction) -> None:
    """Tell again what the end of a savepoint has taken back, or what could not be told in one that had failed."""
    if previous.nested and session.info.pop("told_in_savepoint", False):
        scope = session.info["told_scope"] = scope_of(session)
        _set(session.connection(), scope)


def _set(connection: Connection, scope: str) -> None:
    connection.exec_driver_sql(f"SET LOCAL {SETTING} = '{scope}'")


def scoped_tables() -> frozenset[str]:
    """Return the names of the tables of every `TenantScoped` model."""
    return frozenset(str(model.__table__.name) for model in _models(TenantScoped) if hasattr(model, "__table__"))


def _models(model: type[Any]) -> Iterator[type[Any]]:
    for each in model.__subclasses__():
        yield each
        yield from _models(each)


def differing(connection: Connection, *, on: bool, scoped: Collection[str]) -> dict[str, bool]:
    """Return the tables whose policy is missing, of another version or not wanted, with whether they need one.

    Args:
        connection: to the database; SQLite has nothing that could differ.
        on: whether policies are wanted.
        scoped: tables that need one whatever columns they have besides. One that has it keeps it: its plugin may be
            left out.
    """
    if connection.dialect.name != "postgresql":
        return {}
    found = (_Table(*row) for row in connection.execute(_TABLES, {"policy": POLICY}))
    wanted = {table: on and (table.has_policy or not table.holds_words or table.name in scoped) for table in found}
    return {table.name: needed for table, needed in wanted.items() if table.differs(on=needed)}


def align(connection: Connection, *, on: bool, scoped: Collection[str]) -> list[str]:
    """Bring the policy of every table in line; return the tables that changed. The arguments are those of `differing`.

    It locks each of them until the transaction ends.
    """
    changed = differing(connection, on=on, scoped=scoped)
    for name, needed in changed.items():
        table = connection.dialect.identifier_preparer.quote(name)
        connection.exec_driver_sql(f"DROP POLICY IF EXISTS {POLICY} ON {table}")
        if needed:
            connection.exec_driver_sql(f"CREATE POLICY {POLICY} ON {table} USING ({_RULE}) WITH CHECK ({_RULE})")
            connection.exec_driver_sql(f"COMMENT ON POLICY {POLICY} ON {table} IS '{_MARK}'")
        change = "ENABLE ROW LEVEL SECURITY, FORCE" if needed else "DISABLE ROW LEVEL SECURITY, NO FORCE"
        connection.exec_driver_sql(f"ALTER TABLE {table} {change} ROW LEVEL SECURITY")
    return list(changed)


def bypassing_role(connection: Connection) -> str | None:
    """Return the name of the connected role if no policy holds for it: a superuser, or one with BYPASSRLS."""
    name: str | None = connection.execute(_BYPASSES).scalar()
    return name
