"""What happens on a schedule."""

from datetime import timedelta

from helpdesk_core.api import FileStore, JobContext, job, organization_settings
from helpdesk_tickets.schemas.settings import TicketSettings
from helpdesk_tickets.service.deadlines import announce_due_soon, announce_overdue, something_is_due
from helpdesk_tickets.service.purging import purge


@job(schedule="*/5 * * * *", per="organization")
def announce_due_tickets(ctx: JobContext) -> None:
    """Announce tickets whose due date comes near or has passed; most runs find none, and write nothing."""
    with ctx.reading() as session:
        settings = organization_settings(session, "tickets", TicketSettings)
        lead = timedelta(minutes=settings.due_soon_minutes)
        if not something_is_due(session, lead):
            return
    announce_overdue(ctx.session)
    announce_due_soon(ctx.session, lead)


@job(schedule="40 2 * * *", per="installation", slow=True, timeout=timedelta(minutes=30))
def purge_tickets(ctx: JobContext) -> None:
    """Forget uploads without a ticket, and tickets that were deleted long ago, as `helpdesk tickets purge` does."""
    purge(ctx.session, ctx.get(FileStore))  # type: ignore[type-abstract]  # a setting says which


ALL = (announce_due_tickets, purge_tickets)
