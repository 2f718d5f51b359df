"""Response templates: texts with variables, filled in for one case at a time."""

from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from helpdesk_core.api import (
    Actor,
    FieldError,
    Invalid,
    NotFound,
    PermissionDenied,
    Unprocessable,
    User,
    changes,
    fill,
    filled_length,
    now,
    variables_in,
)
from helpdesk_tickets.models import ResponseTemplate, Ticket
from helpdesk_tickets.permissions import EDIT_TEMPLATES
from helpdesk_tickets.queries.templates import VISIBLE
from helpdesk_tickets.schemas.comments import CommentCreate
from helpdesk_tickets.schemas.templates import (
    ProcessedTemplate,
    TemplateApplication,
    TemplateCreate,
    TemplatePreview,
    TemplateUpdate,
)
from helpdesk_tickets.service.comments import add_comment

LONGEST_RESULT = 100_000


class VariablesMissing(Unprocessable):
    """The context lacks variables of the template."""

    code = "VALIDATION_ERROR"

    def __init__(self, names: list[str]) -> None:
        """Name them."""
        errors = [FieldError(f"context.{name}", f"The template needs a value for {name}.") for name in names]
        super().__init__(details={"missing": names}, errors=errors)


def create_template(session: Session, actor: Actor, data: TemplateCreate) -> ResponseTemplate:
    """Keep a template of the actor's.

    Raises:
        Invalid: the content has placeholders that are not declared.
    """
    moment = now(session)
    template = ResponseTemplate(
        owner_id=actor.user_id,
        title=data.title,
        content=data.content,
        category=data.category,
        is_public=data.is_public,
        variables=_declared(data.content, data.variables),
        created_at=moment,
        updated_at=moment,
    )
    session.add(template)
    session.flush()
    return template


def update_template(session: Session, actor: Actor, template_id: int, data: TemplateUpdate) -> ResponseTemplate:
    """Change a template; variables of a changed content are found again unless they are sent."""
    template = _template_to_change(session, actor, template_id)
    changed = changes(data)
    variables = changed.pop("variables", None)
    if variables is not None or "content" in changed:
        changed["variables"] = _declared(changed.get("content", template.content), variables)
    for name, value in changed.items():
        setattr(template, name, value)
    template.updated_at = now(session)
    session.flush()
    return template


def delete_template(session: Session, actor: Actor, template_id: int) -> None:
    """Remove a template."""
    session.delete(_template_to_change(session, actor, template_id))
    session.flush()


def use_template(session: Session, actor: Actor, template_id: int, context: Mapping[str, object]) -> ProcessedTemplate:
    """Fill a template in, and count its use.

    Raises:
        VariablesMissing: the context lacks variables that the content needs.
    """
    return _used(session, visible_template(session, actor, template_id), _texts(context))


def apply_template(session: Session, actor: Actor, ticket_id: int, data: TemplateApplication) -> int:
    """Comment on a ticket that the actor can see with a template, and return the key of the comment.

    Raises:
        Invalid: there is no such template.
        VariablesMissing: ticket and context together lack variables that the content needs.
    """
    try:
        template = visible_template(session, actor, data.template)
    except NotFound:
        raise Invalid.field("template", "There is no such template.") from None
    values = {**_known_of(session, actor, ticket_id), **_texts(data.context)}
    content = _used(session, template, values).processed_content
    return add_comment(session, actor, ticket_id, CommentCreate(content=content, is_internal=data.is_internal))


def preview_template(data: TemplatePreview) -> ProcessedTemplate:
    """Fill a text in that is not saved; variables without a value stay as they are."""
    return ProcessedTemplate(
        processed_content=_filled(data.content, _texts(data.context)),
        original_content=data.content,
        variables=variables_in(data.content),
    )


def visible_template(session: Session, actor: Actor, template_id: int) -> ResponseTemplate:
    """Return a template that the actor may use; `NotFound` when there is none."""
    allowed = VISIBLE.criterion(VISIBLE.variant(actor))
    wanted = select(ResponseTemplate).where(ResponseTemplate.id == template_id, allowed)
    template = session.scalars(wanted, {"actor_id": actor.user_id}).one_or_none()
    if template is None:
        raise NotFound
    return template


def _used(session: Session, template: ResponseTemplate, values: Mapping[str, str]) -> ProcessedTemplate:
    missing = [name for name in variables_in(template.content) if name not in values]
    if missing:
        raise VariablesMissing(missing)
    processed = _filled(template.content, values)
    session.execute(
        update(ResponseTemplate)
        .where(ResponseTemplate.id == template.id)
        .values(usage_count=ResponseTemplate.usage_count + 1)
        .execution_options(synchronize_session=False)
    )
    return ProcessedTemplate(
        processed_content=processed, original_content=template.content, variables=template.variables
    )


def _known_of(session: Session, actor: Actor, ticket_id: int) -> dict[str, str]:
    """Return the values that a ticket gives by itself."""
    wanted = select(Ticket).where(Ticket.id == ticket_id)
    related = (Ticket.customer, Ticket.category, Ticket.organization)
    ticket = session.scalars(wanted.options(*(joinedload(each) for each in related))).one()
    agent = session.get_one(User, actor.user_id)
    return {
        "customer_name": ticket.customer.full_name or ticket.customer.username,
        "customer_email": ticket.customer.email,
        "ticket_number": ticket.number,
        "subject": ticket.subject,
        "priority": ticket.priority,
        "category": ticket.category.name if ticket.category else "",
        "agent_name": agent.full_name or agent.username,
        "organization_name": ticket.organization.name,
    }


def _texts(context: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in context.items()}


def _template_to_change(session: Session, actor: Actor, template_id: int) -> ResponseTemplate:
    template = visible_template(session, actor, template_id)
    if template.owner_id != actor.user_id and not actor.can(EDIT_TEMPLATES):
        raise PermissionDenied("Only its owner and administrators can change a template.")
    return template


def _declared(content: str, variables: list[str] | None) -> list[str]:
    used = variables_in(content)
    if variables is None:
        return used
    undeclared = [name for name in used if name not in variables]
    if undeclared:
        raise Invalid.field("variables", f"The content uses {', '.join(undeclared)} without declaring it.")
    return variables


def _filled(content: str, values: Mapping[str, str]) -> str:
    if filled_length(content, values) > LONGEST_RESULT:
        raise Unprocessable(f"Filled in, the text would have more than {LONGEST_RESULT} characters.")
    return fill(content, values)
