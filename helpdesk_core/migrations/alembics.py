"""What Alembic is told: where revisions lie, and what is noted of each one that was applied."""

from typing import Any

from alembic.config import Config
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, func, insert
from sqlalchemy.schema import CreateTable

from helpdesk_core.database import metadata
from helpdesk_core.lineages import Lineage, environment_folder
from helpdesk_core.positions import APPLIED


def configuration(connection: Connection | None, lineage: Lineage, *, online: bool = False) -> Config:
    """Return Alembic's configuration for one lineage; there is no ini file.

    Args:
        connection: to run revisions on; nothing to print their SQL.
        lineage: which revisions.
        online: whether statements are committed one by one.
    """
    phases = {step.id: step.phase for step in lineage.steps()}

    def note(ctx: MigrationContext, step: MigrationInfo, **_: Any) -> None:
        if step.is_stamp:
            return
        if step.is_upgrade:
            _note(ctx, lineage, step, phases)
        else:
            ctx.execute(delete(APPLIED).where(_is(lineage), APPLIED.c.revision.in_(step.source_revision_ids)))

    config = Config()
    config.set_main_option("script_location", str(environment_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(lineage.folder).replace("%", "%%"))
    config.attributes.update(
        connection=connection,
        metadata=metadata,
        version_table=lineage.version_table,
        prefix=f"{lineage.id}_",
        online=online,
        note=note,
    )
    return config


def scripts(lineage: Lineage) -> ScriptDirectory:
    """Return the revisions of a lineage, for tests that step through them."""
    return ScriptDirectory.from_config(configuration(None, lineage))


def forget(connection: Connection, lineage: Lineage) -> None:
    """Remove what was noted of a lineage, and with that of the last one the table."""
    make_notes(connection)
    connection.execute(delete(APPLIED).where(_is(lineage)))
    if connection.execute(APPLIED.select().limit(1)).first() is None:
        APPLIED.drop(connection)


def make_notes(connection: Connection) -> None:
    """Make the table of what was applied, unless it is there."""
    connection.execute(CreateTable(APPLIED, if_not_exists=True))


def _note(ctx: MigrationContext, lineage: Lineage, step: MigrationInfo, phases: dict[str, str]) -> None:
    if ctx.as_sql and not step.source_revision_ids:
        ctx.impl._exec(CreateTable(APPLIED, if_not_exists=True))  # noqa: SLF001 - its one door for both ways
    revision = str(step.up_revision_id)
    values: dict[str, Any] = {"lineage": lineage.id, "revision": revision, "phase": phases[revision]}
    values |= {"previous": next(iter(step.source_revision_ids), None), "applied_at": func.current_timestamp()}
    ctx.execute(insert(APPLIED).values(values))


def _is(lineage: Lineage) -> Any:
    return APPLIED.c.lineage == lineage.id
