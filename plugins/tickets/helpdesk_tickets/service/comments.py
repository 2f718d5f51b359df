"""Comments: who may write and change them, and what they do to their ticket."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import STAFF, Actor, PermissionDenied, changes, insertion, publish
from helpdesk_tickets.events import CommentCreated, CommentDeleted, CommentUpdated
from helpdesk_tickets.models import Comment, Ticket
from helpdesk_tickets.permissions import COMMENT, COMMENT_INTERNALLY, EDIT_COMMENTS
from helpdesk_tickets.schemas.comments import CommentCreate, CommentUpdate
from helpdesk_tickets.service.editing import Edit, editing
from helpdesk_tickets.service.indexing import index_comment, index_ticket
from helpdesk_tickets.service.transitions import open_if_new, react_to_customer

_add_comment = insertion(Comment, returning="id")


def add_comment(session: Session, actor: Actor, ticket_id: int, data: CommentCreate) -> int:
    """Comment on a ticket that the actor can see, and return the key of the comment.

    Staff takes a new ticket up by commenting; a customer who writes again reopens a resolved one.

    Raises:
        PermissionDenied: the comment is internal and the actor no staff.
    """
    actor.require(COMMENT)
    if data.is_internal:
        actor.require(COMMENT_INTERNALLY, "Only staff can write internal comments.")
    with editing(session, actor, ticket_id) as edit:
        facts: dict[str, Any] = {"ticket_id": ticket_id, "author_id": actor.user_id, "is_internal": data.is_internal}
        written = {**facts, "content": data.content, "created_at": edit.now, "updated_at": edit.now}
        key = int(_add_comment.rows(session, written)[0][0])
        _count(edit.ticket, 1, is_internal=data.is_internal)
        _react(edit, is_internal=data.is_internal)
        index_comment(session, ticket_id, data.content, is_internal=data.is_internal)
    publish(session, CommentCreated(comment_id=key, **facts), concerns=edit.concerned)
    return key


def update_comment(session: Session, actor: Actor, comment_id: int, data: CommentUpdate) -> None:
    """Change a comment of the actor's own; administrators change any.

    Raises:
        PermissionDenied: it is somebody else's, or would become internal and the actor is no staff.
    """
    comment = _comment_to_change(session, actor, comment_id)
    changed = {name: value for name, value in changes(data).items() if getattr(comment, name) != value}
    if not changed:
        return
    if "is_internal" in changed:
        actor.require(COMMENT_INTERNALLY, "Only staff can make comments internal.")
    was_internal = comment.is_internal
    with editing(session, actor, comment.ticket_id) as edit:
        _count(edit.ticket, -1, is_internal=was_internal)
        for name, value in changed.items():
            setattr(comment, name, value)
        comment.updated_at = edit.now
        _count(edit.ticket, 1, is_internal=comment.is_internal)
        session.flush()
        index_ticket(session, edit.ticket)
    publish(session, CommentUpdated(**_facts(comment), was_internal=was_internal), concerns=edit.concerned)


def delete_comment(session: Session, actor: Actor, comment_id: int) -> None:
    """Remove a comment of the actor's own; administrators remove any.

    Raises:
        PermissionDenied: it is somebody else's.
    """
    comment = _comment_to_change(session, actor, comment_id)
    facts = _facts(comment)
    with editing(session, actor, comment.ticket_id) as edit:
        _count(edit.ticket, -1, is_internal=comment.is_internal)
        session.delete(comment)
        session.flush()
        index_ticket(session, edit.ticket)
    publish(session, CommentDeleted(**facts), concerns=edit.concerned)


def _comment_to_change(session: Session, actor: Actor, comment_id: int) -> Comment:
    comment = session.scalars(select(Comment).where(Comment.id == comment_id)).one()
    if comment.author_id != actor.user_id and not actor.can(EDIT_COMMENTS):
        raise PermissionDenied("Only its author and administrators can change a comment.")
    return comment


def _count(ticket: Ticket, difference: int, *, is_internal: bool) -> None:
    ticket.comment_count += difference
    if not is_internal:
        ticket.public_comment_count += difference


def _react(edit: Edit, *, is_internal: bool) -> None:
    if edit.actor.role not in STAFF:
        react_to_customer(edit)
        return
    open_if_new(edit)
    answers = not is_internal and edit.actor.user_id != edit.ticket.customer_id
    if answers and edit.ticket.first_response_at is None:
        edit.ticket.first_response_at = edit.now


def _facts(comment: Comment) -> dict[str, Any]:
    return {
        "ticket_id": comment.ticket_id,
        "comment_id": comment.id,
        "author_id": comment.author_id,
        "is_internal": comment.is_internal,
    }
