"""`helpdesk restore`."""

from pathlib import Path
from typing import Any

import click

from helpdesk_core.backup.comparing import compare
from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.backup.findings import State
from helpdesk_core.backup.installed import Installed
from helpdesk_core.backup.manifest import Manifest, read_manifest
from helpdesk_core.backup.restoring import (
    Restored,
    check_folder,
    check_kind,
    check_programs,
    missing_keys,
    occupied,
    restore_backup,
)
from helpdesk_core.cli.backup import told
from helpdesk_core.cli.failures import Refused
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.cli.verify import print_findings, read_and_check
from helpdesk_core.clock import SystemClock, api_time

LOST = (
    "What it encrypted (second factors, passwords and tokens of other systems) could not be read, nobody would stay "
    "signed in, and entries of the audit log could not be verified."
)


@click.command()
@click.argument("source")
@click.option("--replace", is_flag=True, help="Set aside what is here already.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--accept-other-key", is_flag=True, help="Restore although the secret key is another one.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found afterwards as JSON.")
@pass_installation
def restore(
    installation: Installation, source: str, *, replace: bool, yes: bool, accept_other_key: bool, as_json: bool
) -> None:
    """Restore the backup SOURCE into the installation of the present settings, and compare it with its manifest.

    The database must be empty and no file stored, unless --replace is given: then they are set aside, not deleted.
    Stop servers and workers first.
    """
    installed = Installed(installation.settings)
    folder = Path(source)
    manifest = read_manifest(folder)
    check_kind(manifest, installed)
    check_programs(installed)
    check_folder(installed)
    _check_keys(manifest, installed, accept=accept_other_key)
    _check_backup(folder, as_json=as_json)
    _make_room(installed, replace=replace, yes=yes, as_json=as_json)

    def say(line: str) -> None:
        click.echo(line, err=as_json)

    say(f"From {api_time(manifest.created_at)}: {told(manifest)}")
    restored = restore_backup(folder, manifest, installed, now=SystemClock().now(), say=say)
    if not as_json:
        _print(restored)  # before anything else can fail
    behind = sorted(installation.behind())
    well = print_findings(compare(folder, manifest, installed), as_json=as_json, **_outcome(restored, behind))
    if behind and not as_json:
        click.echo(f"Migrations are due ({', '.join(behind)}): run `helpdesk migrate`.")
    if not well:
        raise Refused("What was restored is not what is in the backup.")


def _check_keys(manifest: Manifest, installed: Installed, *, accept: bool) -> None:
    missing = missing_keys(manifest, installed)
    if not missing or accept:
        return
    here = installed.keys()
    which = (
        "the secret key of the backup" if manifest.keys.current in missing else "a previous secret key of the backup"
    )
    what = "is not the one that is here" if here.current else "is not here"
    raise Refused(
        f"{which[0].upper()}{which[1:]} (fingerprint {missing[0]}) {what}. {LOST} Give it in HELPDESK_SECRET_KEY or "
        "HELPDESK_PREVIOUS_SECRET_KEYS, or restore with --accept-other-key."
    )


def _check_backup(folder: Path, *, as_json: bool) -> None:
    """Check every byte before anything is touched."""
    click.echo("Checking the backup ...", err=as_json)
    _, findings = read_and_check(folder)
    wrong = [f"{each.check}: {each.told}" for each in findings if each.state is State.WRONG]
    if wrong:
        raise BackupFailed("The backup is not as it was written, and nothing was touched. " + " ".join(wrong))


def _make_room(installed: Installed, *, replace: bool, yes: bool, as_json: bool) -> None:
    there = occupied(installed)
    if not there:
        return
    if not replace:
        raise Refused(f"There is something here already: {', '.join(there)}. --replace sets it aside.")
    if not yes:
        click.confirm(f"Set aside {' and '.join(there)}?", abort=True, err=as_json)


def _outcome(restored: Restored, behind: list[str]) -> dict[str, Any]:
    return {"set_aside": list(restored.aside), "key_placed": restored.key_placed, "migrations_due": behind}


def _print(restored: Restored) -> None:
    for path in restored.aside:
        click.echo(f"What was here before is kept: {path}")
    if restored.key_placed:
        click.echo("The secret key of the backup was put into place.")
