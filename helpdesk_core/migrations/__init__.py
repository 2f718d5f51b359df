"""Migrations: one Alembic run and one version table for the core and for each plugin.

`helpdesk migrate` runs them; `helpdesk serve` only asks `helpdesk_core.positions` whether any is due.
"""

from helpdesk_core.lineages import CORE, Lineage, MigrationFailed, lineages
from helpdesk_core.migrations.alembics import configuration, scripts
from helpdesk_core.migrations.lint import Danger, lint
from helpdesk_core.migrations.patience import Patience
from helpdesk_core.migrations.rendering import render_sql
from helpdesk_core.migrations.running import (
    align_rows,
    can_undo,
    change,
    downgrade,
    downgrade_within,
    drop_version,
    move,
    upgrade,
)
from helpdesk_core.migrations.search_tables import tables_of_indexes
from helpdesk_core.positions import pending

__all__ = [
    "CORE",
    "Danger",
    "Lineage",
    "MigrationFailed",
    "Patience",
    "align_rows",
    "can_undo",
    "change",
    "configuration",
    "downgrade",
    "downgrade_within",
    "drop_version",
    "lineages",
    "lint",
    "move",
    "pending",
    "render_sql",
    "scripts",
    "tables_of_indexes",
    "upgrade",
]
