"""What happens when anything does."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Event, HandlerContext, Prepared, on
from helpdesk_workflow.calling import handle_event
from helpdesk_workflow.engine import Machine
from helpdesk_workflow.models import Automation

_ANY = Prepared(
    select(Automation.id)
    .where(
        Automation.organization_id == bindparam("organization_id"),
        Automation.event_type == bindparam("event_type"),
        Automation.is_active,
        Automation.deleted_at.is_(None),
    )
    .limit(1)
)


def has_automations(session: Session, event_type: str) -> bool:
    """Tell whether the session's organisation has an active automation that such an event sets off."""
    return bool(_ANY.rows(session, {"event_type": event_type}))


@on(Event, when=has_automations)
def run_automations(ctx: HandlerContext, _: Event) -> None:
    """Run the automations that an event sets off."""
    handle_event(Machine(ctx.session, ctx.now, ctx.get), ctx.happened)


ALL = (run_automations,)
