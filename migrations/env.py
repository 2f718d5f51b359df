"""The Alembic environment of the core and of every plugin; `helpdesk_core.migrations` passes what differs."""

from alembic import context

from helpdesk_core.migrations import tables_of_indexes

attributes = context.config.attributes
prefix = attributes["prefix"]
connection = attributes.get("connection")
dialect = attributes["dialect"] if connection is None else connection.dialect.name
of_indexes = tables_of_indexes(attributes["metadata"].info.get("search_indexes", ()), dialect)


def is_ours(name: str, kind: str) -> bool:
    """Tell whether a table belongs to the lineage; full-text indexes do, but no model describes them."""
    return kind != "table" or (name.startswith(prefix) and name not in of_indexes)


options = {
    "target_metadata": attributes["metadata"],
    "version_table": attributes["version_table"],
    "render_as_batch": True,
    "transaction_per_migration": True,
    "compare_type": True,
    "include_name": lambda name, kind, _: is_ours(name, kind),
    "on_version_apply": attributes["note"],
    "online": attributes["online"],
    "include_object": lambda _object, name, kind, _reflected, _other: is_ours(name, kind),
}

if connection is None:
    if attributes["online"] and dialect == "postgresql":
        options["transactional_ddl"] = False  # no BEGIN around what cannot have one
    context.configure(dialect_name=dialect, literal_binds=True, **options)
else:
    context.configure(connection=connection, **options)
with context.begin_transaction():
    context.run_migrations()
