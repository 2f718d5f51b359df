"""`helpdesk verify`."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import click
import orjson
from sqlalchemy.exc import SQLAlchemyError

from helpdesk_core.backup.checking import check_backup
from helpdesk_core.backup.comparing import compare
from helpdesk_core.backup.failures import BackupFailed
from helpdesk_core.backup.findings import Finding, State, all_well, counted, found
from helpdesk_core.backup.inspecting import inspect_installation
from helpdesk_core.backup.installed import Installed
from helpdesk_core.backup.manifest import Manifest, read_manifest
from helpdesk_core.cli.audit import walk
from helpdesk_core.cli.failures import Misused
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.keys import Seals, derived_keys, has_key
from helpdesk_core.tenancy import set_unscoped


@click.command()
@click.argument("backup", required=False)
@click.option("--installation", "against", is_flag=True, help="Compare the present installation with the backup.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@pass_installation
def verify(installation: Installation, backup: str | None, *, against: bool, as_json: bool) -> None:
    """Check the installation, or BACKUP; exit with 1 if anything is wrong.

    Without BACKUP: the database, the stored files that its rows name, and the seals of the audit log. With BACKUP:
    every byte of it against its manifest, and with --installation also each table and each file that is here.
    """
    if backup is None and against:
        raise Misused("--installation compares with a backup: name one.")
    if backup is None:
        findings = inspect(installation)
    else:
        findings = _check(Installed(installation.settings), Path(backup), against=against)
    if not print_findings(findings, as_json=as_json):
        click.get_current_context().exit(1)


def print_findings(findings: Iterable[Finding], *, as_json: bool = False, **more: Any) -> bool:
    """Print findings, each as soon as there is one; return whether nothing is wrong."""
    made = []
    for each in findings:
        made.append(each)
        if not as_json:
            click.echo(f"{each.state:6} {each.check:13} {each.told}")
    if as_json:
        checks = [{"check": each.check, "state": each.state.lower(), "told": each.told} for each in made]
        told = {"ok": all_well(made), "checks": checks, **more}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    return all_well(made)


def inspect(installation: Installation) -> Iterator[Finding]:
    """Check the installation by itself."""
    running = [plugin.id for plugin in installation.every_plugin.active]
    yield from inspect_installation(Installed(installation.settings), running)
    yield _audit(installation)


def read_and_check(backup: Path) -> tuple[Manifest | None, Iterator[Finding]]:
    """Return the manifest of a backup, if it can be read, and what checking it finds."""
    try:
        manifest = read_manifest(backup)
    except BackupFailed as error:
        return None, iter([Finding("manifest", State.WRONG, str(error))])
    return manifest, check_backup(backup, manifest)


def _check(installed: Installed, backup: Path, *, against: bool) -> Iterator[Finding]:
    manifest, findings = read_and_check(backup)
    if manifest is not None and against:
        return chain(findings, compare(backup, manifest, installed))
    return findings


def _audit(installation: Installation) -> Finding:
    """Walk the audit log, as `helpdesk audit verify` does."""
    if not has_key(installation.settings):
        return Finding("audit log", State.WRONG, "the secret key that sealed it is not here")
    seals = Seals(derived_keys(installation.settings, "audit log"))
    try:
        Installed(installation.settings).require_database()
        with installation.database.session(writes=False) as session:
            set_unscoped(session)
            walked = walk(session, seals)
    except BackupFailed as error:
        return Finding("audit log", State.WRONG, str(error))
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        return Finding("audit log", State.WRONG, f"it cannot be read: {reason}")
    return found("audit log", walked.problems, f"{counted(len(walked.ends), 'organisation')}, every seal fits")
