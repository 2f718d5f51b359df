"""What can be done with tickets. Whoever calls these has made sure that the actor may see the ticket."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Dialect, Invalid, changes, insertion, next_number, now, publish
from helpdesk_tickets.events import TicketCreated, TicketDeleted, TicketRestored
from helpdesk_tickets.models import FINAL_STATUSES, Ticket, TicketNumber
from helpdesk_tickets.permissions import ASSIGN, DELETE, RESTORE, UPDATE
from helpdesk_tickets.schemas.tickets import MOST_TAGS, TicketCreate, TicketUpdate
from helpdesk_tickets.search import searched_text, tickets_search
from helpdesk_tickets.service.attachments import announce_files, attach
from helpdesk_tickets.service.counting import NOTHING, contributions, count
from helpdesk_tickets.service.editing import Edit, editing
from helpdesk_tickets.service.history import add_changes
from helpdesk_tickets.service.indexing import forget_ticket, index_ticket
from helpdesk_tickets.service.people import people_in
from helpdesk_tickets.service.references import check_assignee, check_category, customer_of
from helpdesk_tickets.service.sla import target_for
from helpdesk_tickets.service.tagging import choose_tags, count_uses, link_tags, replace_tags, tags_of
from helpdesk_tickets.service.transitions import move_to, open_if_new, resolve_with
from helpdesk_tickets.vocabulary import COMPREHENSIVE, NUMBER_PREFIX

_add_ticket = insertion(Ticket, returning="id")


def create_ticket(session: Session, actor: Actor, data: TicketCreate) -> int:
    """Open a ticket and return its key.

    Raises:
        PermissionDenied: the actor assigns it, or opens it for somebody else, and may not.
        Invalid: the body refers to something that is not there.
    """
    if data.assigned_agent is not None:
        actor.require(ASSIGN)
        check_assignee(session, data.assigned_agent)
    check_category(session, data.category)
    customer = actor.user_id if data.customer is None else data.customer
    moment = now(session).replace(microsecond=0)  # as it is stored
    ticket: dict[str, Any] = {
        "uuid": str(uuid4()),
        "subject": data.subject,
        "description": data.description,
        "status": "new" if data.assigned_agent is None else "open",
        "priority": data.priority,
        "customer_id": customer_of(session, actor, customer, actor.user_id),
        "created_by_id": actor.user_id,
        "assigned_agent_id": data.assigned_agent,
        "category_id": data.category,
        "due_date": data.due_date,
        "target_at": data.due_date or target_for(session, data.priority, moment),
        "resolved_at": None,
        "deleted_at": None,
        "created_at": moment,
        "updated_at": moment,
    }
    tags = choose_tags(session, data.tags)
    count_uses(session, tags, 1)
    count(session, NOTHING, contributions(SimpleNamespace(**ticket)))
    key = _insert(session, ticket)
    link_tags(session, key, moment, tags)
    first = {"status": (None, ticket["status"]), "assigned_agent": (None, data.assigned_agent)}
    add_changes(session, key, actor.user_id, moment, {name: step for name, step in first.items() if step[1]})
    files = attach(session, actor, Ticket(id=key), data.attachments) if data.attachments else ([], [])
    publish(
        session,
        TicketCreated(
            ticket_id=key,
            customer_id=ticket["customer_id"],
            created_by_id=actor.user_id,
            assigned_agent_id=data.assigned_agent,
            category_id=data.category,
            status=ticket["status"],
            priority=data.priority,
        ),
        concerns=people_in((ticket["customer_id"], actor.user_id, data.assigned_agent)),
    )
    announce_files(session, key, *files)
    return key


def _insert(session: Session, ticket: dict[str, Any]) -> int:
    """Number the ticket, as late as possible, add it and make it findable."""
    sequence = next_number(session, TicketNumber)
    number = f"{NUMBER_PREFIX}-{sequence:03}"
    key = int(_add_ticket.rows(session, {**ticket, "sequence": sequence, "number": number})[0][0])
    texts = {"text": searched_text(ticket["subject"], ticket["description"]), "number": number}
    tickets_search.put(session, key, texts, is_new=True)
    return key


def update_ticket(session: Session, actor: Actor, ticket_id: int, data: TicketUpdate, dialect: Dialect) -> None:
    """Change what was sent of a ticket.

    Args:
        session: of the organisation.
        actor: who changes it.
        ticket_id: key of a ticket that the actor can see.
        data: what was sent; everything else stays.
        dialect: in whose words the status is meant.

    Raises:
        PermissionDenied: the actor may not change one of the fields.
        Invalid: the body refers to something that is not there.
        TicketClosed: the ticket is closed, and the status sent is not `open`.
    """
    actor.require(UPDATE)
    sent = changes(data)
    with editing(session, actor, ticket_id) as edit:
        if "status" in sent:
            move_to(edit, sent["status"], dialect)
        for name, give in _SETTERS.items():
            if name in sent:
                give(edit, sent[name])


def assign_ticket(session: Session, actor: Actor, ticket_id: int, user_id: int | None) -> None:
    """Give a ticket to somebody, or to nobody; a new one is open from then on.

    Raises:
        PermissionDenied: the actor may not assign.
        Invalid: the user is no active staff of the organisation.
    """
    actor.require(ASSIGN)
    with editing(session, actor, ticket_id) as edit:
        _set_assignee(edit, user_id)


def change_status(
    session: Session,
    actor: Actor,
    ticket_id: int,
    status: str,
    *,
    resolution: str | None = None,
    dialect: Dialect = COMPREHENSIVE,
) -> None:
    """Move a ticket to another state, by the same rules as `update_ticket`."""
    actor.require(UPDATE)
    with editing(session, actor, ticket_id) as edit:
        move_to(edit, status, dialect)
        if resolution is not None:
            resolve_with(edit, resolution)


def reopen_ticket(session: Session, actor: Actor, ticket_id: int) -> None:
    """Move a resolved or closed ticket to `open`; any other stays as it is."""
    actor.require(UPDATE)
    with editing(session, actor, ticket_id) as edit:
        if edit.ticket.status in FINAL_STATUSES:
            move_to(edit, "open", COMPREHENSIVE)


def change_priority(session: Session, actor: Actor, ticket_id: int, priority: str) -> None:
    """Give a ticket another priority, and the promise that goes with it."""
    actor.require(UPDATE)
    with editing(session, actor, ticket_id) as edit:
        _set_priority(edit, priority)


def add_tags(session: Session, actor: Actor, ticket_id: int, given: Sequence[int | str]) -> None:
    """Put tags on a ticket besides those that it has."""
    actor.require(UPDATE)
    with editing(session, actor, ticket_id) as edit:
        present = [tag.id for tag in tags_of(session, ticket_id)]
        _set_tags(edit, [*present, *given])


def remove_tag(session: Session, actor: Actor, ticket_id: int, tag_id: int) -> bool:
    """Take a tag off a ticket; tell whether it had it."""
    actor.require(UPDATE)
    present = [tag.id for tag in tags_of(session, ticket_id)]
    if tag_id not in present:
        return False
    with editing(session, actor, ticket_id) as edit:
        _set_tags(edit, [key for key in present if key != tag_id])
    return True


def delete_ticket(session: Session, actor: Actor, ticket_id: int) -> None:
    """Take a ticket out of lists, statistics and search; its parts stay, and administrators can restore it."""
    actor.require(DELETE)
    with editing(session, actor, ticket_id) as edit:
        edit.ticket.deleted_at = edit.now
        count_uses(session, tags_of(session, ticket_id), -1)
        forget_ticket(session, ticket_id)
    publish(session, TicketDeleted(ticket_id=ticket_id), concerns=edit.concerned)


def restore_ticket(session: Session, actor: Actor, ticket_id: int) -> None:
    """Bring a deleted ticket back as it was."""
    actor.require(RESTORE)
    with editing(session, actor, ticket_id) as edit:
        edit.ticket.deleted_at = None
        count_uses(session, tags_of(session, ticket_id), 1)
        index_ticket(session, edit.ticket)
    publish(session, TicketRestored(ticket_id=ticket_id), concerns=edit.concerned)


def _set_assignee(edit: Edit, user_id: int | None) -> None:
    if user_id == edit.ticket.assigned_agent_id:
        return
    edit.actor.require(ASSIGN)
    check_assignee(edit.session, user_id)
    edit.set("assigned_agent", user_id)
    if user_id is not None:
        open_if_new(edit)


def _set_customer(edit: Edit, given: int | str) -> None:
    edit.set("customer", customer_of(edit.session, edit.actor, given, edit.ticket.customer_id))


def _set_category(edit: Edit, category_id: int | None) -> None:
    if category_id == edit.ticket.category_id:
        return
    edit.actor.require(ASSIGN)
    check_category(edit.session, category_id)
    edit.set("category", category_id)


def _set_priority(edit: Edit, priority: str) -> None:
    if edit.set("priority", priority) and edit.ticket.due_date is None:
        edit.ticket.target_at = target_for(edit.session, priority, edit.ticket.created_at)


def _set_due_date(edit: Edit, due_date: Any) -> None:
    ticket = edit.ticket
    if due_date == ticket.due_date:
        return
    edit.actor.require(ASSIGN)
    edit.set("due_date", due_date)
    ticket.reminded_at = ticket.overdue_at = None  # which spoke of the due date of before
    ticket.target_at = due_date or target_for(edit.session, ticket.priority, ticket.created_at)


def _set_tags(edit: Edit, given: Sequence[int | str]) -> None:
    ticket = edit.ticket
    before, after = tags_of(edit.session, ticket.id), choose_tags(edit.session, given)
    if before == after:
        return
    if len(after) > MOST_TAGS:
        raise Invalid.field("tags", f"A ticket has at most {MOST_TAGS} tags.")
    replace_tags(edit.session, ticket.id, ticket.created_at, before, after)
    edit.record("tags", [tag.name for tag in before], [tag.name for tag in after])


def _set_attachments(edit: Edit, ids: Sequence[int]) -> None:
    before, after = attach(edit.session, edit.actor, edit.ticket, ids)
    if before != after:
        edit.record("attachments", before, after)
        announce_files(edit.session, edit.ticket.id, before, after)


_SETTERS: dict[str, Callable[[Edit, Any], object]] = {
    "subject": lambda edit, value: edit.set("subject", value),
    "description": lambda edit, value: edit.set("description", value),
    "priority": _set_priority,
    "category": _set_category,
    "customer": _set_customer,
    "assigned_agent": _set_assignee,
    "due_date": _set_due_date,
    "resolution": resolve_with,
    "tags": _set_tags,
    "attachments": _set_attachments,
}
