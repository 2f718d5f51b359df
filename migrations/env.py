"""The Alembic environment of the core and of every plugin; `helpdesk_core.migrations` passes what differs."""

from alembic import context

attributes = context.config.attributes
prefix = attributes["prefix"]
search_indexes = tuple(attributes["metadata"].info.get("search_indexes", ()))


def is_ours(name: str, kind: str) -> bool:
    """Tell whether a table belongs to the lineage; full-text indexes do, but no model describes them."""
    return kind != "table" or (name.startswith(prefix) and not name.startswith(search_indexes))


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

connection = attributes.get("connection")
if connection is None:
    if attributes["online"] and attributes["dialect"] == "postgresql":
        options["transactional_ddl"] = False  # no BEGIN around what cannot have one
    context.configure(dialect_name=attributes["dialect"], literal_binds=True, **options)
else:
    context.configure(connection=connection, **options)
with context.begin_transaction():
    context.run_migrations()
