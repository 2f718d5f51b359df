"""Removing a plugin: its tables, and whatever names it in the tables of others, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.orm import Session

from helpdesk_core.events import OutboxEvent, attribute_session
from helpdesk_core.jobs.queue import ScheduleSlot, StoredJob
from helpdesk_core.lineages import Lineage
from helpdesk_core.migrations import can_undo, change, downgrade_within, drop_version
from helpdesk_core.plugins import LifeCycleContext, Plugin, PluginHost, PluginNames
from helpdesk_core.plugins.models import PluginFault, PluginSuspension
from helpdesk_core.tenancy import set_unscoped
from helpdesk_core.uninstalling.leftovers import drop_leftovers
from helpdesk_core.web.context import Services


@dataclass
class Removal:
    """What is removed, and what is still to be done once it is: files, for instance, which know no transaction."""

    names: PluginNames
    services: Services
    host: PluginHost
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    @property
    def plugin(self) -> Plugin | None:
        """Return the plugin, if its package is still there."""
        return next((each for each in self.host.plugins if each.id == self.names.id), None)


def needed_by(host: PluginHost, plugin: str) -> list[str]:
    """Return the ids of installed plugins that require this one, whether or not they run."""
    return [each.id for each in host.plugins if each.manifest and plugin in each.manifest.requires]


def remove(removal: Removal) -> None:
    """Remove everything; all of it, or nothing if anything fails.

    Raises:
        MigrationFailed: a step failed; the message names it.
    """
    plugin, lineage = removal.plugin, _lineage(removal)
    with change(removal.services.settings.database, lineage) as connection:
        session = _session(removal.services, connection)
        context = LifeCycleContext(session, None, removal.services.clock.now(), removal.services.extra)
        if plugin is not None and "on_uninstall" in plugin.life_cycle:
            plugin.life_cycle["on_uninstall"](ctx=context)
        _forget(removal, context)
        session.flush()
        if plugin is not None and lineage.folder.is_dir() and can_undo(connection, lineage):
            downgrade_within(connection, lineage)
        drop_leftovers(connection, f"{lineage.id}_")
        drop_version(connection, lineage)
        removal.afterwards.extend(session.info.pop("after_commit", ()))
    for act in removal.afterwards:
        act()


def release(removal: Removal) -> None:
    """Remove what only concerns a plugin while it runs, and keep its data: for one that is to come back."""
    with change(removal.services.settings.database, _lineage(removal)) as connection:
        session = _session(removal.services, connection)
        _forget_running(session, removal.names)
        session.flush()


def _lineage(removal: Removal) -> Lineage:
    """Return the migrations of the plugin; there are none in its folder if the package is gone."""
    package = removal.plugin.folder if removal.plugin else Path(removal.names.id)
    return Lineage(removal.names.id, package / "migrations")


def _session(services: Services, connection: Connection) -> Session:
    session = services.database.joined(connection)
    set_unscoped(session)
    attribute_session(session, services.bus, None)
    return session


def _forget(removal: Removal, context: LifeCycleContext) -> None:
    session, names = context.session, removal.names
    _forget_running(session, names)
    _delete_named(session, StoredJob, StoredJob.name, names)
    types = [type for type in session.scalars(select(OutboxEvent.type).distinct()) if names.owns(type)]
    _delete_deliveries(session, types)
    session.execute(delete(OutboxEvent).where(OutboxEvent.type.in_(types)))
    for plugin in removal.host.active:
        has_tables = plugin.id not in removal.host.outages
        if plugin.id != names.id and has_tables and "forget_plugin" in plugin.life_cycle:
            plugin.life_cycle["forget_plugin"](ctx=context, names=names)


def _delete_deliveries(session: Session, types: list[str]) -> None:
    """Remove what others were still to be told of the plugin's events."""
    events = select(OutboxEvent.id).where(OutboxEvent.type.in_(types))
    session.execute(delete(StoredJob).where(StoredJob.event_id.in_(events), StoredJob.arguments.is_(None)))


def _forget_running(session: Session, names: PluginNames) -> None:
    _delete_named(session, ScheduleSlot, ScheduleSlot.name, names)
    for model in (PluginFault, PluginSuspension):
        session.execute(delete(model).where(model.plugin == names.id))


def _delete_named(session: Session, model: Any, column: Any, names: PluginNames) -> None:
    mine = [name for name in session.scalars(select(column).distinct()) if names.owns(name)]
    session.execute(delete(model).where(column.in_(mine)))
