"""`helpdesk tickets ...`: what operators do, by hand or by their scheduler."""

from datetime import timedelta
from typing import Any

import click

from helpdesk_tickets.service.purging import DELETED_AFTER, ORPHANS_AFTER, purge


@click.group("tickets")
def tickets() -> None:
    """Look after tickets."""


@tickets.command("purge")
@click.option("--orphans-hours", type=click.IntRange(min=1), default=int(ORPHANS_AFTER.total_seconds() // 3600))
@click.option("--deleted-days", type=click.IntRange(min=1), default=DELETED_AFTER.days)
@click.pass_obj
def purge_command(installation: Any, orphans_hours: int, deleted_days: int) -> None:
    """Forget uploads without a ticket, and tickets that were deleted long ago."""
    with installation.session() as session:
        done = purge(
            session,
            installation.services.files,
            orphans_after=timedelta(hours=orphans_hours),
            deleted_after=timedelta(days=deleted_days),
        )
    click.echo(f"Forgot {done.uploads} uploads without a ticket and {done.tickets} deleted tickets.")
