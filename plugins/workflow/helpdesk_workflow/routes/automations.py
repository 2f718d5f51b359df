"""`/advanced-workflow/automations/`"""

from helpdesk_core.api import Context, Dialect, Key, Page, Router
from helpdesk_workflow.library import triggers_of
from helpdesk_workflow.permissions import MANAGE, VIEW
from helpdesk_workflow.queries import automations, versions
from helpdesk_workflow.schemas.automations import (
    AutomationCreate,
    AutomationDetails,
    AutomationFilters,
    AutomationRead,
    AutomationUpdate,
    CloneRequest,
    RestoreRequest,
    VersionFilters,
    VersionRead,
)
from helpdesk_workflow.service import automations as service
from helpdesk_workflow.service.automations import Desk

router = Router("advanced-workflow", tag="Automations", document=Dialect.COMPREHENSIVE)


def _desk(ctx: Context) -> Desk:
    return Desk(ctx.session, ctx.actor, ctx.services.get)


@router.get("/automations/", permission=VIEW, include=AutomationDetails)
def list_automations(ctx: Context, query: AutomationFilters) -> Page[AutomationRead]:
    """Automations, newest first."""
    if query.trigger is None:
        return ctx.page(automations, query)
    spelled = [triggers_of(ctx.services.get).spelled(name) for name in query.trigger]
    return ctx.page(automations, query, trigger=tuple(each.type if each else "" for each in spelled))


@router.post("/automations/", permission=MANAGE, status=201, include=AutomationDetails)
def create_automation(ctx: Context, body: AutomationCreate) -> AutomationRead:
    """Say what is to be done when; it is done with the rights that the caller has then."""
    return ctx.one(automations, service.create_automation(_desk(ctx), body))


@router.get("/automations/{automation}/", permission=VIEW, include=AutomationDetails)
def retrieve_automation(ctx: Context, automation: Key) -> AutomationRead:
    """One automation."""
    return ctx.one(automations, automation)


@router.put("/automations/{automation}/", permission=MANAGE, include=AutomationDetails)
def update_automation(ctx: Context, automation: Key, body: AutomationUpdate) -> AutomationRead:
    """Change an automation; it acts with the caller's rights from then on."""
    service.update_automation(_desk(ctx), automation, body)
    return ctx.one(automations, automation)


@router.delete("/automations/{automation}/", permission=MANAGE)
def delete_automation(ctx: Context, automation: Key) -> None:
    """Remove an automation; the log of what it did stays."""
    service.delete_automation(ctx.session, automation)


@router.post("/automations/{automation}/activate/", permission=MANAGE, include=AutomationDetails)
def activate_automation(ctx: Context, automation: Key) -> AutomationRead:
    """Switch an automation on, after the same checks as when it is saved."""
    service.set_active(_desk(ctx), automation, active=True)
    return ctx.one(automations, automation)


@router.post("/automations/{automation}/deactivate/", permission=MANAGE, include=AutomationDetails)
def deactivate_automation(ctx: Context, automation: Key) -> AutomationRead:
    """Switch an automation off."""
    service.set_active(_desk(ctx), automation, active=False)
    return ctx.one(automations, automation)


@router.post("/automations/{automation}/clone/", permission=MANAGE, status=201, include=AutomationDetails)
def clone_automation(ctx: Context, automation: Key, body: CloneRequest) -> AutomationRead:
    """Make a copy, which is not active yet."""
    return ctx.one(automations, service.clone_automation(_desk(ctx), automation, body.name))


@router.get("/automations/{automation}/versions/", permission=VIEW)
def list_versions(ctx: Context, automation: Key, query: VersionFilters) -> Page[VersionRead]:
    """Everything that an automation ever was, newest first."""
    service.automation_to_use(ctx.session, automation)
    return ctx.page(versions, query, automation=automation)


@router.post("/automations/{automation}/restore/", permission=MANAGE, include=AutomationDetails)
def restore_automation(ctx: Context, automation: Key, body: RestoreRequest) -> AutomationRead:
    """Let an automation say again what it said in a version; whether it is active stays."""
    service.restore_version(_desk(ctx), automation, body.version)
    return ctx.one(automations, automation)
