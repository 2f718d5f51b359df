"""The whole of a database, for comparing: its schema, and every row."""

from typing import Any

from sqlalchemy import Engine, MetaData, Table, create_engine, inspect, select, text

from helpdesk_core.row_security import see_everyone

OF_LOGGING_IN = {"core_login", "core_login_attempt", "core_refresh_token", "core_usage", "helpdesk_limit_counter"}
OF_TRUST = {"core_audit_entry", "core_audit_head"}
"""Sealed: what was done stays on record."""

_OTHERS = {
    "sqlite": "SELECT type || ' ' || name FROM sqlite_master WHERE type IN ('trigger', 'view') ORDER BY 1",
    "postgresql": """
        SELECT 'relation ' || relkind::text || ' ' || relname FROM pg_class
        WHERE relkind IN ('S', 'v', 'm') AND relnamespace = current_schema()::regnamespace
        UNION ALL SELECT 'type ' || typname FROM pg_type
        WHERE typtype IN ('e', 'd', 'r') AND typnamespace = current_schema()::regnamespace
        UNION ALL SELECT 'routine ' || oid::regprocedure FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace
        UNION ALL SELECT 'trigger ' || tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'policy ' || polrelid::regclass || ' ' || polname FROM pg_policy
        ORDER BY 1
    """,
}
"""Whatever else there can be, by kind and name."""


def schema(url: str) -> dict[str, Any]:
    """Return every table with its columns, keys, indexes and constraints, and the names of what else there is."""
    engine = create_engine(url)
    try:
        found = {name: _table(engine, name) for name in inspect(engine).get_table_names()}
        with engine.connect() as connection:
            found["others"] = connection.scalars(text(_OTHERS[engine.dialect.name])).all()
        return found
    finally:
        engine.dispose()


def _table(engine: Engine, name: str) -> dict[str, Any]:
    look = inspect(engine)
    return {
        "columns": sorted(
            (each["name"], str(each["type"]), each["nullable"], str(each["default"])) for each in look.get_columns(name)
        ),
        "primary key": look.get_pk_constraint(name)["constrained_columns"],
        "foreign keys": sorted(
            (str(each["constrained_columns"]), each["referred_table"], str(each["options"]))
            for each in look.get_foreign_keys(name)
        ),
        "unique": sorted(str(each["column_names"]) for each in look.get_unique_constraints(name)),
        "indexes": sorted(
            (each["name"], str(each["column_names"]), each["unique"], str(_condition(each)))
            for each in look.get_indexes(name)
        ),
    }


def _condition(index: Any) -> Any:
    options = index.get("dialect_options", {})
    return options.get("sqlite_where", options.get("postgresql_where"))


def rows(url: str, *, leave_out: set[str] = OF_LOGGING_IN | OF_TRUST) -> dict[str, list[str]]:
    """Return every row of every table as text, sorted."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            see_everyone(connection)
            names = [name for name in inspect(engine).get_table_names() if name not in leave_out]
            tables = [Table(name, MetaData(), autoload_with=connection, resolve_fks=False) for name in names]
            return {
                table.name: sorted(str(sorted(row.items())) for row in connection.execute(_all(table)).mappings())
                for table in tables
            }
    finally:
        engine.dispose()


def _all(table: Table) -> Any:
    return select(*(column for column in table.columns if column.name != "last_active_at"))
