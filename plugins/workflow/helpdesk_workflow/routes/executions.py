"""What automations did, would do and would have done."""

from helpdesk_core.api import Context, Dialect, Invalid, Key, NotFound, Page, Router
from helpdesk_tickets.api import find_ticket
from helpdesk_workflow.engine import Machine
from helpdesk_workflow.permissions import MANAGE, VIEW
from helpdesk_workflow.queries import executions
from helpdesk_workflow.schemas.automations import ExecutionFilters, ExecutionRead, OwnExecutionFilters
from helpdesk_workflow.schemas.trying import Backtest, BacktestRequest, DryRun, DryRunRequest, ExecuteRequest
from helpdesk_workflow.service import trying
from helpdesk_workflow.service.automations import automation_to_use

router = Router("advanced-workflow", tag="Automations", document=Dialect.COMPREHENSIVE)

NONE = -1
"""A key that no ticket has: a filter by a ticket that is not there finds nothing."""


@router.get("/executions/", permission=VIEW)
def list_executions(ctx: Context, query: ExecutionFilters) -> Page[ExecutionRead]:
    """What automations did, newest first; `?ticket=` tells why something happened to a ticket."""
    return ctx.page(executions, query, ticket=_filtered_ticket(ctx, query.ticket))


@router.get("/automations/{automation}/executions/", permission=VIEW)
def list_executions_of_automation(ctx: Context, automation: Key, query: OwnExecutionFilters) -> Page[ExecutionRead]:
    """What one automation did, and when and why it did not, newest first."""
    automation_to_use(ctx.session, automation)
    return ctx.page(executions, query, automation=automation, ticket=_filtered_ticket(ctx, query.ticket))


@router.post("/automations/{automation}/test/", permission=MANAGE, slow=True)
def try_automation(ctx: Context, automation: Key, body: DryRunRequest) -> DryRun:
    """Tell what an automation would do with a ticket, or would have done at an event. Nothing is changed or sent."""
    row = automation_to_use(ctx.session, automation)
    return trying.dry_run(_machine(ctx), row, body, _ticket(ctx, body.ticket_id))


@router.post("/automations/{automation}/execute/", permission=MANAGE)
def execute_automation(ctx: Context, automation: Key, body: ExecuteRequest) -> ExecutionRead:
    """Run an automation now, whatever its conditions say."""
    row = automation_to_use(ctx.session, automation)
    ticket = _ticket(ctx, body.ticket_id)
    return ctx.one(executions, trying.execute(_machine(ctx), row, ticket, ctx.actor.user_id))


@router.post("/automations/{automation}/backtest/", permission=MANAGE, slow=True)
def backtest_automation(ctx: Context, automation: Key, body: BacktestRequest) -> Backtest:
    """Tell how many events of the past would have set an automation off, and which."""
    return trying.backtest(_machine(ctx), automation_to_use(ctx.session, automation), body)


def _machine(ctx: Context) -> Machine:
    return Machine(ctx.session, ctx.now, ctx.services.get)


def _ticket(ctx: Context, given: int | str | None) -> int | None:
    """Return the key of a ticket in a body."""
    if given is None:
        return None
    try:
        return find_ticket(ctx.session, ctx.viewer, given)
    except NotFound:
        raise Invalid.field("ticket_id", "There is no such ticket.") from None


def _filtered_ticket(ctx: Context, given: str | None) -> int | None:
    """Return the key of a ticket in a query; also of one that is deleted, whose log stays."""
    if given is None:
        return None
    if given.isascii() and given.isdigit():
        return int(given[:18])
    for deleted in (False, True):
        try:
            return find_ticket(ctx.session, ctx.viewer, given, deleted=deleted)
        except NotFound:
            continue
    return NONE
