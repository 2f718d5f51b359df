"""`helpdesk migrate`."""

import click

from helpdesk_core.cli.failures import Misused, Refused
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.keys import signing_key
from helpdesk_core.lineages import Lineage, lineages
from helpdesk_core.migrations import render_sql, upgrade


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if something would change.")
@click.option("--sql", is_flag=True, help="Print all the SQL instead of running what is due.")
@click.option("--plugin", "only", metavar="ID", help="Only the migrations of one plugin, or of `core`.")
@pass_installation
def migrate(installation: Installation, *, check: bool, sql: bool, only: str | None) -> None:
    """Bring the database to the newest schema.

    The core and each plugin change in a transaction of their own, and not at all if anything in it fails.
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
    changed = upgrade(installation.settings.database, wanted)
    for lineage in wanted:
        if lineage.id in changed:
            click.echo(f"{lineage.id}: now at {lineage.head()}")
    if not changed:
        click.echo("Nothing to do: the database is up to date.")


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
    click.echo("The database is up to date.")
