"""`helpdesk plugin`."""

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import click
import orjson
from sqlalchemy.exc import SQLAlchemyError

from helpdesk_core.cli.authors import AUTHORS, LazyGroup
from helpdesk_core.cli.failures import Refused
from helpdesk_core.cli.installation import Installation, database_file, pass_installation
from helpdesk_core.cli.plugin_switches import disable, enable, resume
from helpdesk_core.cli.plugin_uninstall import uninstall
from helpdesk_core.cli.silence import nothing_logged
from helpdesk_core.clock import SystemClock, api_time
from helpdesk_core.plugins import EssentialPluginFailed, State
from helpdesk_core.plugins.discovery import discover
from helpdesk_core.plugins.health import Fault, faults, suspensions, unmigrated_plugins
from helpdesk_core.plugins.outages import Outages
from helpdesk_core.tenancy import set_unscoped


@click.group(cls=LazyGroup, lazy=AUTHORS)
def plugin() -> None:
    """Show plugins and what is wrong with them, switch and remove them; write and check one's own."""


plugin.add_command(enable)
plugin.add_command(disable)
plugin.add_command(resume)
plugin.add_command(uninstall)


@plugin.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object for each plugin.")
@pass_installation
def list_(installation: Installation, *, as_json: bool) -> None:
    """List the built-in and the installed plugins, in dependency order, with the reason of any failure."""
    failure = None
    with nothing_logged():  # what is wrong is told below
        try:
            known = _known(installation)
            rows = [_row(each, known) for each in installation.every_plugin.plugins]
        except EssentialPluginFailed as error:
            failure = error
            rows = [_candidate(each) for each in discover(installation.settings.wanted_plugins)]
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    else:
        _print(rows)
    if failure is not None:
        raise failure
    troubled = [row["id"] for row in rows if row["state"] not in {State.ACTIVE, State.DISCOVERED}]
    if troubled and installation.is_strict():
        raise Refused(f"Not active: {', '.join(troubled)}.")


@dataclass
class _Known:
    """What the database knows of plugins."""

    outages: Outages = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)


def _known(installation: Installation) -> _Known:
    """Read what the processes of the installation have noted; nothing where there is no database yet."""
    host, known = installation.every_plugin, _Known()
    file = database_file(installation.settings)
    if file is not None and not file.exists():
        known.outages = unmigrated_plugins(host, installation.behind())
        return known
    with suppress(SQLAlchemyError), installation.database.session(writes=False) as session:
        set_unscoped(session)
        known.outages = unmigrated_plugins(host, installation.behind())
        known.faults = faults(session)
        known.outages = suspensions(session, SystemClock().now()) | known.outages
    return known


def _row(found: Any, known: _Known) -> dict[str, Any]:
    """Return what is known of a plugin, active or not."""
    manifest = found.manifest
    outage = known.outages.get(found.id) if found.state == "active" else None
    return {
        "id": found.id,
        "name": manifest.name if manifest else None,
        "version": found.version,
        "state": (outage or found).state.value,
        "tier": manifest.tier if manifest else None,
        "requires": list(manifest.requires) if manifest else [],
        "package": found.package,
        "phase": (outage or found).phase,
        "reason": (outage or found).reason,
        "until": api_time(outage.until) if outage and outage.until else None,
        "start_milliseconds": round(found.seconds * 1000, 1),
        "faults": [asdict(each) for each in known.faults.get(found.id, ())],
    }


def _candidate(found: Any) -> dict[str, Any]:
    """Return what is known of a plugin that was found, when none could be loaded."""
    manifest = found.manifest
    return {
        "id": found.id,
        "name": manifest.name if manifest else None,
        "version": found.version,
        "state": found.state.value,
        "tier": manifest.tier if manifest else None,
        "requires": list(manifest.requires) if manifest else [],
        "package": found.package,
        "phase": "manifest" if found.problem and found.state != "discovered" else None,
        "reason": found.problem,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    titles = {"id": "ID", "state": "STATE", "tier": "TIER", "version": "VERSION", "name": "NAME"}
    table = [titles, *rows]
    widths = {column: max(len(row[column] or "-") for row in table) for column in titles}
    for row in table:
        cells = ((row[column] or "-").ljust(width) for column, width in widths.items())
        click.echo("  ".join(cells).rstrip())
        if row.get("reason"):
            phase = f"{row['phase']}: " if row["phase"] else ""
            until = f"; tried again at {row['until']}" if row.get("until") else ""
            click.echo(f"    {phase}{row['reason']}{until}")
        for fault in row.get("faults", ()):
            click.echo(f"    {fault['phase']}: failed {fault['times']} times, last with {fault['reason']}")
