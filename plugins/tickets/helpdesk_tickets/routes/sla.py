"""`/sla-policies/`"""

from helpdesk_core.api import Context, Key, Page, Router
from helpdesk_tickets.permissions import MANAGE_SLA, VIEW_SLA
from helpdesk_tickets.queries.sla import sla_policies
from helpdesk_tickets.schemas.sla import SlaPolicyCreate, SlaPolicyFilters, SlaPolicyRead, SlaPolicyUpdate
from helpdesk_tickets.service import sla as service

router = Router("sla-policies", tag="SLA policies")


@router.get("/", permission=VIEW_SLA)
def list_sla_policies(ctx: Context, query: SlaPolicyFilters) -> Page[SlaPolicyRead]:
    """How soon tickets are to be answered and resolved, the most urgent ones first."""
    return ctx.page(sla_policies, query)


@router.post("/", permission=MANAGE_SLA, status=201)
def create_sla_policy(ctx: Context, body: SlaPolicyCreate) -> SlaPolicyRead:
    """Add the policy of a priority; it counts for tickets created or re-prioritised from now on."""
    return ctx.one(sla_policies, service.create_policy(ctx.session, body).id)


@router.get("/{policy}/", permission=VIEW_SLA)
def retrieve_sla_policy(ctx: Context, policy: Key) -> SlaPolicyRead:
    """One policy."""
    return ctx.one(sla_policies, policy)


@router.put("/{policy}/", permission=MANAGE_SLA)
def update_sla_policy(ctx: Context, policy: Key, body: SlaPolicyUpdate) -> SlaPolicyRead:
    """Change a policy; tickets keep what was promised before."""
    return ctx.one(sla_policies, service.update_policy(ctx.session, policy, body).id)


@router.delete("/{policy}/", permission=MANAGE_SLA)
def delete_sla_policy(ctx: Context, policy: Key) -> None:
    """Remove a policy; tickets keep what was promised before."""
    service.delete_policy(ctx.session, policy)
