"""`helpdesk migrate`."""

import click

from helpdesk_core.cli.failures import Misused, Refused
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.keys import signing_key
from helpdesk_core.lineages import CORE, Lineage, MigrationFailed, lineages
from helpdesk_core.migrations import align_rows, render_sql, upgrade


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if something would change.")
@click.option("--sql", is_flag=True, help="Print all the SQL instead of running what is due.")
@click.option("--plugin", "only", metavar="ID", help="Only the migrations of one plugin, or of `core`.")
@pass_installation
def migrate(installation: Installation, *, check: bool, sql: bool, only: str | None) -> None:
    """Bring the database to the newest schema.

    The core and each plugin change in a transaction of their own, and not at all if anything in it fails. A plugin that
    fails is named, and keeps no other waiting but those that require it.
    """
    wanted = _wanted(installation, only)
    if sql:
        for lineage in wanted:
            render_sql(installation.settings.database, lineage)
        return
    if check:
        _check(installation, wanted)
        return
    signing_key(installation.settings)
    changed, failed = _upgrade_each(installation.settings.database, wanted)
    walled = align_rows(installation.settings.database, on=installation.settings.row_security)
    for lineage in changed:
        click.echo(f"{lineage.id}: now at {lineage.head()}")
    if walled:
        click.echo(
            f"row-level security: {'on' if installation.settings.row_security else 'off'}, {walled} tables changed"
        )
    if failed:
        raise Refused("\n".join(failed.values()))
    if not changed and not walled:
        click.echo("Nothing to do: the database is up to date.")


def _upgrade_each(url: str, wanted: list[Lineage]) -> tuple[list[Lineage], dict[str, str]]:
    """Bring each lineage to its newest revision; a plugin that fails keeps only those waiting that require it."""
    changed, failed = list[Lineage](), dict[str, str]()
    for lineage in wanted:
        missing = [name for name in lineage.requires if name in failed]
        if missing:
            failed[lineage.id] = f"{lineage.id}: waits for {', '.join(missing)}"
            continue
        try:
            changed += [lineage] * len(upgrade(url, [lineage]))
        except MigrationFailed as error:
            if lineage.id == CORE:
                raise
            failed[lineage.id] = str(error)
    return changed, failed


def _wanted(installation: Installation, only: str | None) -> list[Lineage]:
    found = lineages(installation.host)
    if only is None:
        return found
    chosen = [lineage for lineage in found if lineage.id == only]
    if not chosen:
        raise Misused(f"{only} has no migrations here; there are {', '.join(each.id for each in found)}.")
    return chosen


def _check(installation: Installation, wanted: list[Lineage]) -> None:
    behind = set(installation.behind()) & {lineage.id for lineage in wanted}
    if behind:
        due = ", ".join(lineage.id for lineage in wanted if lineage.id in behind)
        raise Refused(f"Migrations are due: {due}. Run `helpdesk migrate`.")
    installation.check_rows()
    click.echo("The database is up to date.")
