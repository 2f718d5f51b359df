"""`helpdesk jobs`: what waits, what is dead, and bringing it back."""

from typing import Any

import click
import orjson

from helpdesk_core.cli.failures import Refused
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.clock import api_time
from helpdesk_core.jobs import StoredJob, listing

STATES = ("waiting", "dead", "parked")


@click.group()
def jobs() -> None:
    """Show what waits to be done, and try again what has failed for good."""


@jobs.command(name="list")
@click.option("--state", type=click.Choice(STATES), help="Only jobs in this state.")
@click.option("--name", help="Only those of this handler or job.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object for each job.")
@pass_installation
def list_(installation: Installation, *, state: str | None, name: str | None, limit: int, as_json: bool) -> None:
    """List what is not done yet, the oldest first.

    `dead` jobs have failed at every try, `parked` ones belong to a plugin that is not active.
    """
    with installation.session() as session:
        rows = [_row(*each) for each in listing.jobs(session, state=state, name=name, limit=limit)]
        totals = listing.totals(session)
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
        return
    for row in rows:
        _print(row)
    counts = ", ".join(f"{totals[each]} {each}" for each in STATES)
    click.echo(f"{counts}, {totals['events']} events to pass on")


@jobs.command()
@click.argument("keys", nargs=-1, type=int, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All that are dead or parked.")
@click.option("--name", help="Only those of this handler or job.")
@pass_installation
def retry(installation: Installation, *, keys: tuple[int, ...], everything: bool, name: str | None) -> None:
    """Let dead or parked jobs run again, with all their tries: those with the given ids, or --all."""
    if bool(keys) == everything:
        raise Refused("Give the ids of jobs, or --all.")
    with installation.session() as session:
        now = installation.services.clock.now()
        count = listing.bring_back(session, now, keys=None if everything else keys, name=name)
    if keys and count < len({*keys}):
        raise Refused(f"{count} of {len({*keys})} run again; the others are not dead or parked.")
    click.echo(f"{count} run again.")


def _row(job: StoredJob, event_type: str) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "state": "running" if job.held_by else job.state,
        "organization_id": job.organization_id,
        "event_id": job.event_id,
        "event": event_type or None,
        "failures": job.failures,
        "due_at": api_time(job.due_at) if job.due_at else None,
        "created_at": api_time(job.created_at),
        "held_by": job.held_by,
        "last_error": job.last_error,
    }


def _print(row: dict[str, Any]) -> None:
    when = f" due {row['due_at']}" if row["due_at"] else ""
    event = f" {row['event']} {row['event_id']}" if row["event"] else ""
    organization = f" organization {row['organization_id']}" if row["organization_id"] else ""
    click.echo(f"{row['id']}  {row['state']}  {row['name']}{event}{organization}, failed {row['failures']} times{when}")
    if row["last_error"]:
        click.echo(f"    {row['last_error']}")
