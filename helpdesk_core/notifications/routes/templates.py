"""`/notification-templates/`"""

from typing import Annotated

from helpdesk_core.notifications.kinds import LONGEST_NAME
from helpdesk_core.notifications.letters import Notices
from helpdesk_core.notifications.permissions import MANAGE_TEMPLATES
from helpdesk_core.notifications.routes.answers import tagged
from helpdesk_core.notifications.schemas import Preview, PreviewRequest, TemplateCreate, TemplateRead, TemplateUpdate
from helpdesk_core.notifications.service import templates as service
from helpdesk_core.notifications.service.previews import preview
from helpdesk_core.schemas import Dialect, Page
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import PathPattern, Router

router = Router("notification-templates", tag="Notification templates", document=Dialect.COMPREHENSIVE)

TemplateName = Annotated[str, PathPattern(rf"[A-Za-z0-9_-]{{1,{LONGEST_NAME}}}")]


@router.get("/", permission=MANAGE_TEMPLATES)
def list_notification_templates(ctx: Context) -> Page[TemplateRead]:
    """The words for everything that people are told, all on one page: what is built in, then what was added."""
    found = service.shown_templates(ctx.session)
    return Page(count=len(found), next=None, previous=None, results=found)


@router.post("/", permission=MANAGE_TEMPLATES, status=201)
def create_notification_template(ctx: Context, body: TemplateCreate) -> TemplateRead:
    """Add a template, for automations to tell people by."""
    service.create_template(ctx.session, body)
    return tagged(service.shown_template(ctx.session, body.name))


@router.get("/{name}/", permission=MANAGE_TEMPLATES)
def retrieve_notification_template(ctx: Context, name: TemplateName) -> TemplateRead:
    """One template."""
    return tagged(service.shown_template(ctx.session, name))


@router.put("/{name}/", permission=MANAGE_TEMPLATES)
def update_notification_template(ctx: Context, name: TemplateName, body: TemplateUpdate) -> TemplateRead:
    """Say something else from now on; what is changed is said to everybody in the same language."""
    service.update_template(ctx.session, name, body)
    return tagged(service.shown_template(ctx.session, name))


@router.delete("/{name}/", permission=MANAGE_TEMPLATES)
def delete_notification_template(ctx: Context, name: TemplateName) -> None:
    """Put the built-in words back, or remove a template that was added."""
    service.reset_template(ctx.session, name)


@router.post("/{name}/preview/", permission=MANAGE_TEMPLATES)
def preview_notification_template(ctx: Context, name: TemplateName, body: PreviewRequest) -> Preview:
    """How one would be told by it; variables without a value stay as they are. Nobody is told anything."""
    return preview(ctx.session, ctx.actor, ctx.services.get(Notices), name, body)
