"""`helpdesk plugin`."""

from typing import Any

import click
import orjson

from helpdesk_core.cli.authors import AUTHORS, LazyGroup
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.cli.silence import nothing_logged
from helpdesk_core.plugins.discovery import discover
from helpdesk_core.plugins.host import EssentialPluginFailed


@click.group(cls=LazyGroup, lazy=AUTHORS)
def plugin() -> None:
    """Show plugins and what is wrong with them; write and check one's own."""


@plugin.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object for each plugin.")
@pass_installation
def list_(installation: Installation, *, as_json: bool) -> None:
    """List the built-in and the installed plugins, in dependency order, with the reason of any failure."""
    failure = None
    with nothing_logged():  # what is wrong is told below
        try:
            rows = [_row(each) for each in installation.every_plugin.plugins]
        except EssentialPluginFailed as error:
            failure = error
            rows = [_candidate(each) for each in discover(installation.settings.wanted_plugins)]
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    else:
        _print(rows)
    if failure is not None:
        raise failure
    installation.check_plugins()


def _row(found: Any) -> dict[str, Any]:
    """Return what is known of a plugin, active or not."""
    manifest = found.manifest
    return {
        "id": found.id,
        "name": manifest.name if manifest else None,
        "state": found.state.value,
        "tier": manifest.tier if manifest else None,
        "requires": list(manifest.requires) if manifest else [],
        "package": found.package,
        "phase": found.phase,
        "reason": found.reason,
    }


def _candidate(found: Any) -> dict[str, Any]:
    """Return what is known of a plugin that was found, when none could be loaded."""
    manifest = found.manifest
    return {
        "id": found.id,
        "name": manifest.name if manifest else None,
        "state": "invalid" if found.problem else "unknown",
        "tier": manifest.tier if manifest else None,
        "requires": list(manifest.requires) if manifest else [],
        "package": found.package,
        "phase": "manifest" if found.problem else None,
        "reason": found.problem,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    titles = {"id": "ID", "state": "STATE", "tier": "TIER", "name": "NAME"}
    table = [titles, *rows]
    widths = {column: max(len(row[column] or "-") for row in table) for column in titles}
    for row in table:
        cells = ((row[column] or "-").ljust(width) for column, width in widths.items())
        click.echo("  ".join(cells).rstrip())
        if row.get("reason"):
            phase = f"{row['phase']}: " if row["phase"] else ""
            click.echo(f"    {phase}{row['reason']}")
