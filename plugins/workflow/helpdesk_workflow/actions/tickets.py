"""Actions that change the ticket, by the verbs of the tickets plugin and the rights of the author."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import select

from helpdesk_core.api import Body, DbInt, Dialect, Instant, Invalid, Line, Schema, UserRef, api_time
from helpdesk_tickets.api import (
    PRIORITIES,
    CommentCreate,
    Priority,
    Status,
    Ticket,
    TicketCreate,
    TicketUpdate,
    add_comment,
    add_tags,
    assign_ticket,
    change_priority,
    change_status,
    check_assignee,
    create_ticket,
    remove_tag,
    tags_of,
    update_ticket,
)
from helpdesk_workflow.actions.context import ActionContext
from helpdesk_workflow.actions.effects import Effect
from helpdesk_workflow.actions.people import next_in_turn, staff_with_least
from helpdesk_workflow.actions.registry import Action
from helpdesk_workflow.actions.resolving import category_id
from helpdesk_workflow.conditions import SOMETHING, UNKNOWN

MOST_HOURS = 24 * 366 * 5
TagName = Annotated[str, Field(min_length=1, max_length=50)]
CategoryName = DbInt | Line


class AssignAgent(Schema):
    """Who gets the ticket: one person, nobody, or whoever a strategy finds."""

    agent_id: UserRef | None = None
    """Somebody of the staff; null for nobody."""
    strategy: Literal["least_loaded", "round_robin"] | None = None
    """`least_loaded`: who has the fewest open tickets; `round_robin`: whose turn it is."""
    among: Annotated[list[DbInt], Field(min_length=1, max_length=100)] | None = None
    """Whom a strategy chooses from; all agents when left out."""

    @model_validator(mode="after")
    def one_way(self) -> "AssignAgent":
        """Refuse none or both."""
        if ("agent_id" in self.model_fields_set) == (self.strategy is not None):
            raise PydanticCustomError("agent", "Enter either agent_id or strategy.")
        if self.among is not None and self.strategy is None:
            raise PydanticCustomError("agent", "among goes with a strategy.")
        return self


class SetStatus(Schema):
    """The state that the ticket gets."""

    status: Status
    resolution: Body | None = None
    """What was done; kept with a final state only."""


class SetPriority(Schema):
    """The priority that the ticket gets."""

    priority: Priority


class SetCategory(Schema):
    """The category that the ticket gets, by id, name or slug; null for none."""

    category: CategoryName | None


class Tags(Schema):
    """Names of tags."""

    tags: Annotated[list[TagName], Field(min_length=1, max_length=20)]


class AddComment(Schema):
    """A comment, with `{placeholders}`."""

    content: Annotated[str, Field(min_length=1, max_length=10_000)]
    is_internal: bool = False
    """Whether only staff may read it."""


class CreateTicket(Schema):
    """Another ticket; texts have `{placeholders}`."""

    subject: Line
    description: Annotated[str, Field(max_length=10_000)] = ""
    priority: Priority = "medium"
    category: CategoryName | None = None
    customer: Literal["customer"] | DbInt | None = None
    """`customer` for the customer of the ticket at hand, or the key of a user; the author when left out."""
    assigned_agent: UserRef | None = None
    tags: Annotated[list[TagName], Field(max_length=20)] = Field(default_factory=list)
    due_in_hours: Annotated[float, Field(gt=0, le=MOST_HOURS)] | None = None


class SetDueDate(Schema):
    """When the ticket is due: so many hours from now, at an instant, or never."""

    hours: Annotated[float, Field(gt=0, le=MOST_HOURS)] | None = None
    due_date: Instant | None = None

    @model_validator(mode="after")
    def one_way(self) -> "SetDueDate":
        """Refuse none or both."""
        if ("hours" in self.model_fields_set) == ("due_date" in self.model_fields_set):
            raise PydanticCustomError("due", "Enter either hours or due_date.")
        return self


def _assign(context: ActionContext, given: AssignAgent) -> dict[str, Any]:
    chosen = given.agent_id
    if given.strategy == "least_loaded":
        chosen = staff_with_least(context.session, given.among)
    elif given.strategy == "round_robin":
        chosen = next_in_turn(context.session, context.automation_id, given.among)
    assign_ticket(context.session, context.actor, context.ticket_id, chosen)
    return {"agent_id": chosen}


def _check_assignee(context: ActionContext, given: AssignAgent) -> None:
    for key in given.among or ():
        _staff(context, "among", key)
    if given.agent_id is not None:
        _staff(context, "agent_id", given.agent_id)


def _staff(context: ActionContext, name: str, key: int) -> None:
    try:
        check_assignee(context.session, key)
    except Invalid as refusal:
        raise Invalid.field(name, refusal.errors[0].message) from None


def _set_status(context: ActionContext, given: SetStatus) -> None:
    change_status(context.session, context.actor, context.ticket_id, given.status, resolution=given.resolution)


def _set_priority(context: ActionContext, given: SetPriority) -> None:
    change_priority(context.session, context.actor, context.ticket_id, given.priority)


def _update(context: ActionContext, **fields: Any) -> None:
    changes = TicketUpdate(**fields)
    update_ticket(context.session, context.actor, context.ticket_id, changes, Dialect.COMPREHENSIVE)


def _set_category(context: ActionContext, given: SetCategory) -> None:
    _update(context, category=category_id(context.session, given.category))


def _check_category(context: ActionContext, given: SetCategory | CreateTicket) -> None:
    category_id(context.session, given.category)


def _add_tags(context: ActionContext, given: Tags) -> None:
    add_tags(context.session, context.actor, context.ticket_id, given.tags)


def _remove_tags(context: ActionContext, given: Tags) -> None:
    unwanted = {name.casefold().strip() for name in given.tags}
    for tag in tags_of(context.session, context.ticket_id):
        if tag.name.casefold() in unwanted:
            remove_tag(context.session, context.actor, context.ticket_id, tag.id)


def _check_tags(_: ActionContext, given: Tags) -> None:
    if any(not name.strip() or name.strip().isdigit() for name in given.tags):
        raise Invalid.field("tags", "A tag is a word that is not blank and no number.")


def _comment(context: ActionContext, given: AddComment) -> dict[str, Any]:
    content = context.filled(given.content)
    data = CommentCreate(content=content, is_internal=given.is_internal)
    key = add_comment(context.session, context.actor, context.ticket_id, data)
    return {"content": content[:500], "is_internal": given.is_internal, "made": {"comment": key}}


def _check_comment(_: ActionContext, given: AddComment) -> None:
    if not given.content.strip():
        raise Invalid.field("content", "This field may not be blank.")


def _create(context: ActionContext, given: CreateTicket) -> dict[str, Any]:
    session, customer = context.session, given.customer
    if customer == "customer":
        customer = session.scalar(select(Ticket.customer_id).where(Ticket.id == context.ticket_id))
    due = context.now + timedelta(hours=given.due_in_hours) if given.due_in_hours else None
    data = TicketCreate(
        subject=context.filled(given.subject)[:255],
        description=context.filled(given.description),
        priority=given.priority,
        category=category_id(session, given.category),
        customer=customer,
        assigned_agent=given.assigned_agent,
        due_date=due.replace(microsecond=0) if due else None,
        tags=list(given.tags),
    )
    key = create_ticket(session, context.actor, data)
    return {"subject": data.subject, "priority": data.priority, "made": {"ticket": key}}


def _check_new(context: ActionContext, given: CreateTicket) -> None:
    _check_category(context, given)
    if given.assigned_agent is not None:
        _staff(context, "assigned_agent", given.assigned_agent)


def _due(context: ActionContext, given: SetDueDate) -> None:
    due = given.due_date
    if given.hours is not None:
        due = (context.now + timedelta(hours=given.hours)).replace(microsecond=0)
    _update(context, due_date=due)


def raised(priority: str, levels: int = 1) -> str:
    """Return the priority that is so many levels higher, at most the highest."""
    return PRIORITIES[min(PRIORITIES.index(priority) + levels, len(PRIORITIES) - 1)]


def _opening() -> Iterator[Effect]:
    """Somebody of the staff takes a new ticket up."""
    yield from _status_effects("open", ("new", False))


def _status_effects(status: str, writes: tuple[str, Any]) -> Iterator[Effect]:
    yield Effect("ticket.updated", changes={"status": status}, writes=writes, leaves={"status": status})
    facts = {"after": status}
    yield Effect("ticket.status_changed", facts, {"status": status}, writes, {"status": status})


def _of_assigning(given: AssignAgent) -> Iterator[Effect]:
    known = given.strategy is None
    agent: Any = given.agent_id if known else SOMETHING
    writes = ("assigned_agent", agent) if known else None
    leaves = {"assigned_agent": agent}
    changes = {"assigned_agent": agent, "status": "open"}
    yield Effect("ticket.updated", changes=changes, writes=writes, leaves=leaves)
    yield Effect("ticket.assigned", {"assigned_agent_id": agent}, {"assigned_agent": agent}, writes, leaves)
    if given.agent_id is not None or not known:
        yield Effect("ticket.status_changed", {"after": "open"}, {"status": "open"}, ("new", False))


def _of_status(given: SetStatus) -> Iterator[Effect]:
    yield from _status_effects(given.status, ("status", given.status))
    if given.status == "new":
        yield Effect("ticket.updated", changes={"status": "new"}, writes=("new", True))


def _of_field(name: str, value: Any, known: Any = UNKNOWN) -> Iterator[Effect]:
    """One field is set to a value; `known` is that value as conditions see it."""
    yield Effect("ticket.updated", changes={name: known}, writes=(name, value), leaves={name: known})


def _of_tags(tags: list[str], *, there: bool) -> Iterator[Effect]:
    for name in tags:
        yield Effect("ticket.updated", changes={"tags": UNKNOWN}, writes=(f"tag:{name.strip().casefold()}", there))


def _of_comment(given: AddComment) -> Iterator[Effect]:
    yield Effect("comment.created", {"is_internal": given.is_internal})
    yield from _opening()


def _of_creating(given: CreateTicket) -> Iterator[Effect]:
    facts: dict[str, Any] = {
        "priority": given.priority,
        "assigned_agent": given.assigned_agent,
        "assigned_agent_id": given.assigned_agent,
        "status": "new" if given.assigned_agent is None else "open",
        "tags": tuple(given.tags),
        "category": None if given.category is None else UNKNOWN,
    }
    if "{" not in given.subject:
        facts["subject"] = given.subject
    yield Effect("ticket.created", facts)


def _of_due(given: SetDueDate) -> Iterator[Effect]:
    if given.hours is not None:
        leaves = {"due_date": SOMETHING}
        yield Effect("ticket.updated", changes={"due_date": SOMETHING}, leaves=leaves)
    else:
        yield from _of_field("due_date", _text(given.due_date), given.due_date)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else api_time(moment)


TICKET_ACTIONS = (
    Action(
        "assign_agent",
        "Give the ticket to somebody",
        AssignAgent,
        _assign,
        check=_check_assignee,
        effects=_of_assigning,
    ),
    Action("set_status", "Move the ticket to another state", SetStatus, _set_status, effects=_of_status),
    Action(
        "set_priority",
        "Give the ticket another priority",
        SetPriority,
        _set_priority,
        effects=lambda given: _of_field("priority", given.priority, given.priority),
    ),
    Action(
        "set_category",
        "Move the ticket to another category",
        SetCategory,
        _set_category,
        check=_check_category,
        effects=lambda given: _of_field("category", given.category, None if given.category is None else UNKNOWN),
    ),
    Action(
        "add_tags",
        "Put tags on the ticket",
        Tags,
        _add_tags,
        check=_check_tags,
        effects=lambda given: _of_tags(given.tags, there=True),
    ),
    Action(
        "remove_tags",
        "Take tags off the ticket",
        Tags,
        _remove_tags,
        check=_check_tags,
        effects=lambda given: _of_tags(given.tags, there=False),
    ),
    Action("add_comment", "Comment on the ticket", AddComment, _comment, check=_check_comment, effects=_of_comment),
    Action(
        "create_ticket",
        "Open another ticket",
        CreateTicket,
        _create,
        needs_ticket=False,
        changes_ticket=False,
        check=_check_new,
        effects=_of_creating,
    ),
    Action("set_due_date", "Say when the ticket is due", SetDueDate, _due, effects=_of_due),
)
"""What this plugin contributes itself, of what changes tickets."""
