"""`helpdesk backup`."""

import time
from pathlib import Path

import click

from helpdesk_core.backup.findings import counted
from helpdesk_core.backup.installed import Installed
from helpdesk_core.backup.making import make_backup
from helpdesk_core.backup.manifest import Manifest
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.clock import SystemClock
from helpdesk_core.plugins.discovery import discover


@click.command()
@click.argument("target")
@click.option("--with-secret-key", "with_key", is_flag=True, help="Put the secret key into the backup, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
@pass_installation
def backup(installation: Installation, target: str, *, with_key: bool, as_json: bool) -> None:
    """Write a backup to TARGET, a new folder, while servers and workers go on.

    It holds the database as it is at one moment, the stored files, and a manifest with digests of everything. Without
    the secret key, which is left out unless you ask for it, stored secrets and second factors cannot be read.
    """
    began = time.monotonic()
    manifest = make_backup(
        Installed(installation.settings),
        Path(target),
        now=SystemClock().now(),
        plugins={each.id: each.version for each in discover(installation.settings.wanted_plugins)},
        with_key=with_key,
        say=lambda line: click.echo(line, err=as_json),
    )
    if manifest.keys.current is None:
        click.echo("There is no secret key here. Does this command see the settings of the server?", err=True)
    if as_json:
        click.echo(manifest.dump(), nl=False)
        return
    click.echo(told(manifest))
    if manifest.keys.current and not with_key:
        click.echo("The secret key is not in it: keep it elsewhere, or what it encrypted is lost.")
    click.echo(f"Wrote {target} in {time.monotonic() - began:.1f} s.")


def told(manifest: Manifest) -> str:
    """Return in a line what a backup holds."""
    tables, rows = counted(len(manifest.tables), "table"), counted(manifest.rows, "row")
    files = counted(manifest.files.count, "file")
    size = f"{(manifest.database.size + manifest.files.size) / 1e6:,.1f} MB"
    return f"{tables} with {rows}, {files}, {size}."
