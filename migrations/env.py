"""The Alembic environment of the core and of every plugin; `helpdesk_core.migrations` passes what differs."""

from alembic import context

attributes = context.config.attributes
options = {
    "target_metadata": attributes["metadata"],
    "version_table": attributes["version_table"],
    "render_as_batch": True,
    "transaction_per_migration": True,
    "compare_type": True,
    "include_name": lambda name, kind, _: kind != "table" or name.startswith(attributes["prefix"]),
    "include_object": lambda _object, name, kind, _reflected, _other: (
        kind != "table" or name.startswith(attributes["prefix"])
    ),
}

connection = attributes.get("connection")
if connection is None:
    context.configure(dialect_name=attributes["dialect"], literal_binds=True, **options)
else:
    context.configure(connection=connection, **options)
with context.begin_transaction():
    context.run_migrations()
