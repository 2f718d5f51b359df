"""`helpdesk plugin uninstall`."""

import click
from sqlalchemy import Connection, text

from helpdesk_core.cli.failures import Misused, Refused
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.database import metadata
from helpdesk_core.plugins import PluginHost, State
from helpdesk_core.plugins.discovery import BUILT_IN, distribution_of
from helpdesk_core.plugins.manifest import CORE_IDS, is_plugin_id
from helpdesk_core.row_security import see_everyone
from helpdesk_core.uninstalling import Inventory, Removal, export, inventory, names_of, needed_by, release, remove


@click.command()
@click.argument("plugin_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--keep-data", is_flag=True, help="Keep its tables and what organisations stored, for when it is back.")
@pass_installation
def uninstall(installation: Installation, plugin_id: str, *, yes: bool, keep_data: bool) -> None:
    """Remove all that a plugin has stored, after writing it to a file.

    Works as well for one whose package is gone already. Stop the servers first, or expect them to answer 503 for it.
    """
    host = installation.every_plugin
    _check_id(plugin_id)
    needing = needed_by(host, plugin_id)
    if needing:
        raise Refused(f"{', '.join(needing)} cannot do without {plugin_id}: uninstall first what needs it.")
    installation.check_database()
    found = _inventory(installation, plugin_id)
    distribution = distribution_of(plugin_id)
    if distribution is None and not found.tables:
        raise Misused(f"There is no plugin {plugin_id}, and nothing left of one.")
    _warn_of_what_cannot_help(host, plugin_id)
    removal = Removal(names_of(host, plugin_id), installation.services, host)
    if keep_data:
        release(removal)
        click.echo(f"The data of {plugin_id} is kept; jobs that wait for it wait until it is back.")
    else:
        _remove(installation, removal, found, yes=yes)
    if distribution:
        click.echo(f"Now remove its package, or `helpdesk migrate` installs it anew: pip uninstall {distribution}")


def _check_id(plugin_id: str) -> None:
    """Refuse what is no plugin's: tables are told by what their names begin with, so `core` would take all of them."""
    if plugin_id in CORE_IDS or plugin_id in BUILT_IN:
        raise Misused(f"{plugin_id} belongs to the core.")
    if not is_plugin_id(plugin_id):
        raise Misused(f"{plugin_id} cannot be the id of a plugin.")


def _warn_of_what_cannot_help(host: PluginHost, plugin_id: str) -> None:
    """Tell what uninstalling leaves to plugins that do not run, and is therefore not done."""
    away = [each for each in host.plugins if each.state is not State.ACTIVE or each.id in host.outages]
    for plugin in away:
        if plugin.id == plugin_id and plugin.state is not State.ACTIVE:
            click.echo(f"{plugin_id} does not run: what it keeps outside the database, such as files, stays.", err=True)
    others = ", ".join(plugin.id for plugin in away if plugin.id != plugin_id)
    if others:
        click.echo(f"Not running, and may keep names of {plugin_id}: {others}.", err=True)


def _remove(installation: Installation, removal: Removal, found: Inventory, *, yes: bool) -> None:
    plugin_id, rows = removal.names.id, sum(found.rows.values())
    click.echo(f"{plugin_id} has {rows} rows in {len(found.rows)} tables.")
    if not yes:
        click.confirm("Write them to a file and remove everything?", abort=True)
    if found.rows:
        with installation.database.engine.connect() as connection:
            _begin_snapshot(connection)
            see_everyone(connection)
            folder, now = installation.settings.home / "exports", installation.services.clock.now()
            path = export(connection, plugin_id, found, folder=folder, now=now)
        click.echo(f"Wrote {path}")
    remove(removal)
    click.echo(f"Removed {plugin_id}.")


def _inventory(installation: Installation, plugin_id: str) -> Inventory:
    with installation.database.engine.connect() as connection:
        see_everyone(connection)
        return inventory(connection, plugin_id, frozenset(metadata.info.get("search_indexes", ())))


def _begin_snapshot(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
