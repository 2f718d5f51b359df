"""What is left of the plugin once it is uninstalled: nothing."""

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from helpdesk_core.database import metadata
from helpdesk_core.events import OutboxEvent
from helpdesk_core.jobs.queue import ScheduleSlot, StoredJob
from helpdesk_core.lineages import VERSION_TABLES, MigrationFailed
from helpdesk_core.notifications.models import Notification
from helpdesk_core.plugins import PluginNames
from helpdesk_core.testing.conformance.case import Case, Finding, Findings, NotApplicable
from helpdesk_core.testing.conformance.rows import NoRows, fill
from helpdesk_core.uninstalling import Removal, names_of, needed_by, remove

_NAMED = (StoredJob.name, ScheduleSlot.name, OutboxEvent.type, Notification.kind)
"""Columns in which names of plugins stand."""


def uninstalling_leaves_nothing(case: Case) -> Findings:
    """Uninstalled, it leaves no table, and no row that names it in the tables of others."""
    case.plugin  # noqa: B018 - not applicable if it is not active
    needing = needed_by(case.host, case.id)
    if needing:
        raise NotApplicable(f"{', '.join(needing)} cannot do without it")
    installation = case.installation
    names = names_of(case.host, case.id)
    _fill(case)
    installation.run_schedules()
    try:
        remove(Removal(names, installation.parts.services, case.host))
    except MigrationFailed as error:
        mend = "undo in `downgrade` what `upgrade` does, and let `on_uninstall` read only what is there"
        yield Finding(f"it cannot be uninstalled: {error}", f"{case.plugin.package}/migrations", mend)
        return
    with installation.session() as session:
        for left in [*_tables(session, case.id), *_rows(session, names)]:
            yield Finding("is left once it is uninstalled", left, "call it by the id of the plugin")


def _fill(case: Case) -> None:
    """Put rows into every table of the plugin, as far as any can be made."""
    tables = [metadata.tables[name] for name in sorted(metadata.tables) if name.startswith(f"{case.id}_")]
    owner = case.installation.client("owner")
    with case.installation.session() as session:
        try:
            fill(session.connection(), tables, owner.organization_id)
        except NoRows:
            return
        case.installation.commit(session)


def _tables(session: Session, plugin: str) -> list[str]:
    names = inspect(session.connection()).get_table_names()
    return [name for name in names if name.startswith(f"{plugin}_") or name == f"{VERSION_TABLES}{plugin}"]


def _rows(session: Session, names: PluginNames) -> list[str]:
    found = []
    for column in _NAMED:
        found += [f"{column}: {name}" for name in session.scalars(select(column).distinct()) if names.owns(name)]
    return found
