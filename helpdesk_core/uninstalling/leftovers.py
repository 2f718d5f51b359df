"""What is left in a database under the name of a plugin, when no migration knows how to remove it."""

from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

from helpdesk_core.uninstalling.export import virtual_tables

# What a column or an identity owns goes with its table; what belongs to an extension is nobody's.
_ON_SERVER = text("""
SELECT kind, named FROM (
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'SEQUENCE' END,
        tableoid, oid, relname, oid::regclass::text
    FROM pg_class WHERE relkind IN ('v', 'm', 'S') AND relnamespace = current_schema()::regnamespace
    UNION ALL SELECT 'TYPE', tableoid, oid, typname, oid::regtype::text
    FROM pg_type WHERE typtype IN ('e', 'd', 'r') AND typnamespace = current_schema()::regnamespace
    UNION ALL SELECT 'ROUTINE', tableoid, oid, proname, oid::regprocedure::text
    FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
) AS made (kind, catalog, oid, name, named)
WHERE starts_with(name, :prefix) AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = made.catalog AND d.objid = made.oid AND d.deptype = 'e'
)
""")
_ON_SQLITE = text("SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger')")


def drop_leftovers(connection: Connection, prefix: str) -> None:
    """Drop every table whose name begins with `prefix`, and every view, sequence, type, routine or trigger."""
    on_server = connection.dialect.name == "postgresql"
    for name in virtual_tables(connection):  # these take the tables that they are made of along
        if name.startswith(prefix):
            connection.execute(text(f'DROP TABLE "{name}"'))
    cascade = " CASCADE" if on_server else ""  # where SQLite looks at no reference
    for name in [name for name in inspect(connection).get_table_names() if name.startswith(prefix)]:
        connection.execute(text(f'DROP TABLE "{name}"{cascade}'))
    for kind, named in list(_other_than_tables(connection, prefix)):
        connection.execute(text(f"DROP {kind} IF EXISTS {named}{cascade}"))


def _other_than_tables(connection: Connection, prefix: str) -> Iterator[tuple[str, str]]:
    """Iterate over what there is besides tables: the kind, and the name as SQL writes it."""
    if connection.dialect.name == "postgresql":
        yield from ((kind, named) for kind, named in connection.execute(_ON_SERVER, {"prefix": prefix}))
        return
    for kind, name in connection.execute(_ON_SQLITE):
        if name.startswith(prefix):
            yield kind, f'"{name}"'
