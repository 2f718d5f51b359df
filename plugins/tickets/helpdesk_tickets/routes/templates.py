"""`/templates/`"""

from helpdesk_core.api import Context, Dialect, Key, Page, Router
from helpdesk_tickets.permissions import USE_TEMPLATES, WRITE_TEMPLATES
from helpdesk_tickets.queries.comments import comments
from helpdesk_tickets.queries.templates import categories_in_use, templates
from helpdesk_tickets.routes.paths import TicketKey, found
from helpdesk_tickets.schemas.comments import ClassicCommentRead, CommentExtras, CommentRead
from helpdesk_tickets.schemas.templates import (
    ProcessedTemplate,
    TemplateApplication,
    TemplateCategory,
    TemplateCreate,
    TemplateDetails,
    TemplateFilters,
    TemplatePreview,
    TemplateRead,
    TemplateUpdate,
    TemplateUse,
)
from helpdesk_tickets.service import templates as service

router = Router("templates", tag="Response templates", document=Dialect.CLASSIC)
of_tickets = Router("tickets", tag="Response templates")


@router.get("/", permission=USE_TEMPLATES, include=TemplateDetails)
def list_templates(ctx: Context, query: TemplateFilters) -> Page[TemplateRead]:
    """One's own templates and the public ones, by title; `ordering=-usage_count` puts the most used first."""
    return ctx.page(templates, query)


@router.post("/", permission=WRITE_TEMPLATES, status=201, include=TemplateDetails)
def create_template(ctx: Context, body: TemplateCreate) -> TemplateRead:
    """Keep a text with `{variables}`; doubled braces stand for single ones."""
    return ctx.one(templates, service.create_template(ctx.session, ctx.actor, body).id)


@router.get("/categories/", permission=USE_TEMPLATES)
def list_template_categories(ctx: Context) -> Page[TemplateCategory]:
    """The categories that templates are filed under, all on one page."""
    used = [
        TemplateCategory(name=name, template_count=count) for name, count in categories_in_use(ctx.session, ctx.actor)
    ]
    return Page(count=len(used), next=None, previous=None, results=used)


@router.post("/preview/", permission=USE_TEMPLATES)
def preview_template(ctx: Context, body: TemplatePreview) -> ProcessedTemplate:  # noqa: ARG001
    """Fill in a text that is not saved; variables without a value stay as they are."""
    return service.preview_template(body)


@router.get("/{template}/", permission=USE_TEMPLATES, include=TemplateDetails)
def retrieve_template(ctx: Context, template: Key) -> TemplateRead:
    """One template."""
    return ctx.one(templates, template)


@router.put("/{template}/", permission=WRITE_TEMPLATES, include=TemplateDetails)
def update_template(ctx: Context, template: Key, body: TemplateUpdate) -> TemplateRead:
    """Change a template of one's own; administrators change any public one."""
    return ctx.one(templates, service.update_template(ctx.session, ctx.actor, template, body).id)


@router.delete("/{template}/", permission=WRITE_TEMPLATES)
def delete_template(ctx: Context, template: Key) -> None:
    """Remove a template of one's own; administrators remove any public one."""
    service.delete_template(ctx.session, ctx.actor, template)


@router.post("/{template}/use_template/", permission=USE_TEMPLATES, aliases=("/{template}/use-template/",))
def use_template(ctx: Context, template: Key, body: TemplateUse) -> ProcessedTemplate:
    """Fill a template in; 422 names the variables that the context lacks."""
    return service.use_template(ctx.session, ctx.actor, template, body.context)


@of_tickets.post("/{ticket}/apply-template/", permission=USE_TEMPLATES, status=201, include=CommentExtras)
def apply_template(ctx: Context, ticket: TicketKey, body: TemplateApplication) -> CommentRead | ClassicCommentRead:
    """Comment on a ticket with a template.

    The ticket gives `customer_name`, `customer_email`, `ticket_number`, `subject`, `priority`, `category`,
    `agent_name` (the caller's) and `organization_name`; the context gives the rest, or other values.
    """
    key = found(ctx, ticket)
    return ctx.one(comments, service.apply_template(ctx.session, ctx.actor, key, body))
