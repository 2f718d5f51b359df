"""`helpdesk migrate`."""

import click

from helpdesk_core.cli.failures import Misused, Refused
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.keys import signing_key
from helpdesk_core.lineages import CONTRACT, CORE, PHASES, Lineage, MigrationFailed, lineages
from helpdesk_core.migrations import Patience, align_rows, lint, render_sql, upgrade
from helpdesk_core.positions import Standing


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if the installed code needs a change.")
@click.option("--sql", is_flag=True, help="Print all the SQL instead of running what is due.")
@click.option("--lint", "as_lint", is_flag=True, help="Tell what in the SQL would hold up a running PostgreSQL.")
@click.option("--plugin", "only", metavar="ID", help="Only the migrations of one plugin, or of `core`.")
@click.option(
    "--phase",
    type=click.Choice(PHASES),
    default=CONTRACT,
    show_default=True,
    help="`expand` stops where a revision takes something away that the version before may use.",
)
@click.option(
    "--lock-wait",
    type=click.FloatRange(0, 86400),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to try for locks on PostgreSQL, in tries of half a second.",
)
@pass_installation
def migrate(
    installation: Installation,
    *,
    check: bool,
    sql: bool,
    as_lint: bool,
    only: str | None,
    phase: str,
    lock_wait: float,
) -> None:
    """Bring the database to the newest schema.

    A plugin that is new is set up in one transaction; later revisions have one each, so that none holds a lock for
    long. A plugin that fails is named, and keeps no other waiting but those that require it.
    """
    wanted = _wanted(installation, only)
    if sql:
        for lineage in wanted:
            render_sql(installation.settings.database, lineage)
    elif as_lint:
        _lint(wanted)
    elif check:
        _check(installation, wanted)
    else:
        _migrate(installation, wanted, phase, lock_wait)


def _migrate(installation: Installation, wanted: list[Lineage], phase: str, lock_wait: float) -> None:
    signing_key(installation.settings)
    patience = Patience(lock_wait, tell=lambda told: click.echo(told, err=True))
    url, row_security = installation.settings.database, installation.settings.row_security
    changed, failed = _upgrade_each(url, wanted, phase, patience)
    walled = align_rows(url, on=row_security, patience=patience)
    positions = {position.lineage.id: position for position in installation.positions()}
    for lineage in changed:
        click.echo(f"{lineage.id}: now at {positions[lineage.id].present}")
    if walled:
        state = "on" if row_security else "off"
        click.echo(f"row-level security: {state}, {walled} tables changed")
    if failed:
        raise Refused("\n".join(failed.values()))
    if not changed and not walled:
        click.echo("Nothing to do: the database is up to date.")
    _tell_notes(installation, wanted)


def _upgrade_each(
    url: str, wanted: list[Lineage], phase: str, patience: Patience
) -> tuple[list[Lineage], dict[str, str]]:
    """Bring each lineage to its newest revision; a plugin that fails keeps only those waiting that require it."""
    changed, failed = list[Lineage](), dict[str, str]()
    for lineage in wanted:
        missing = [name for name in lineage.requires if name in failed]
        if missing:
            failed[lineage.id] = f"{lineage.id}: waits for {', '.join(missing)}"
            continue
        try:
            changed += [lineage] * len(upgrade(url, [lineage], phase=phase, patience=patience))
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
    names = {lineage.id for lineage in wanted}
    found = [position for position in installation.positions() if position.lineage.id in names and position.reason]
    due = [position.lineage.id for position in found if position.standing is Standing.DUE]
    told = [f"{each.lineage.id}: {each.reason}." for each in found if each.standing is not Standing.DUE]
    if due:
        told.insert(0, f"Migrations are due: {', '.join(due)}. Run `helpdesk migrate`.")
    if told:
        raise Refused("\n".join(told))
    installation.check_rows()
    click.echo("The database is up to date.")
    _tell_notes(installation, wanted)


def _tell_notes(installation: Installation, wanted: list[Lineage]) -> None:
    """Tell what an operator should know although everything works."""
    names = {lineage.id for lineage in wanted}
    for position in installation.positions():
        if position.note and position.lineage.id in names:
            click.echo(f"{position.note}.")


def _lint(wanted: list[Lineage]) -> None:
    found = [danger for lineage in wanted for danger in lint(lineage)]
    for danger in found:
        click.echo(f"{danger}\n")
    told = f"{len(found)} found in {sum(len(lineage.steps()) for lineage in wanted)} revisions."
    if found:
        raise Refused(told)
    click.echo(told)
