"""Who is told of what. Nobody is told of what they did themselves, nor of what a ticket that is gone was about."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from helpdesk_core.api import HandlerContext, NotificationKind, Permission, User, notify, on
from helpdesk_tickets import notices
from helpdesk_tickets.events import (
    CommentCreated,
    DueEvent,
    TicketAssigned,
    TicketCreated,
    TicketDueSoon,
    TicketOverdue,
    TicketStatusChanged,
)
from helpdesk_tickets.models import FINAL_STATUSES, Comment
from helpdesk_tickets.notices import Subject, subject_of
from helpdesk_tickets.permissions import COMMENT_INTERNALLY, VIEW_ALL

STALE = timedelta(days=7)
"""What happened longer ago is told to nobody: it was imported, or a demonstration, or everybody knows by now."""
MOST_ADMINISTRATORS = 20


@on(TicketCreated, only=lambda event: event.created_by_id != event.customer_id or event.assigned_agent_id is not None)
def tell_of_new_ticket(ctx: HandlerContext, event: TicketCreated) -> None:
    """Confirm a ticket to the customer for whom somebody else opened it, and tell who is to work on it."""
    subject = _subject(ctx, event.ticket_id)
    if subject is None:
        return
    if event.created_by_id != event.customer_id:
        _tell(ctx, subject, notices.CREATED, [event.customer_id])
    if event.assigned_agent_id == subject.agent_id:
        _tell(ctx, subject, notices.ASSIGNED, [event.assigned_agent_id])


@on(TicketAssigned, only=lambda event: event.assigned_agent_id is not None)
def tell_new_agent(ctx: HandlerContext, event: TicketAssigned) -> None:
    """Tell who works on a ticket now, unless it has gone on to somebody else meanwhile."""
    subject = _subject(ctx, event.ticket_id)
    if subject is not None and event.assigned_agent_id == subject.agent_id:
        _tell(ctx, subject, notices.ASSIGNED, [event.assigned_agent_id])


@on(TicketStatusChanged, only=lambda event: (event.before, event.after) != ("new", "open"))
def tell_of_new_status(ctx: HandlerContext, event: TicketStatusChanged) -> None:
    """Tell customer and agent how a ticket stands.

    That a new one is open now goes without saying: it comes with an assignment or a comment, which are told.
    """
    subject = _subject(ctx, event.ticket_id, ticket_status=notices.STATUS_WORDS[event.after])
    if subject is None:
        return
    resolved = event.after == "resolved" and subject.status in FINAL_STATUSES
    _tell(ctx, subject, notices.RESOLVED if resolved else notices.STATUS_CHANGED, [subject.customer_id])
    if subject.agent_id != subject.customer_id:
        _tell(ctx, subject, notices.STATUS_CHANGED, [subject.agent_id])


@on(CommentCreated)
def tell_of_comment(ctx: HandlerContext, event: CommentCreated) -> None:
    """Tell the other side: customer and agent of what is public, of what is internal the agent who may read it."""
    comment = ctx.session.get(Comment, event.comment_id)
    if comment is None:
        return
    subject = _subject(ctx, event.ticket_id, comment=comment.content)
    if subject is None:
        return
    if comment.is_internal:  # as it is now: it may have been made so meanwhile
        _tell(ctx, subject, notices.COMMENTED_INTERNALLY, [subject.agent_id], needs=COMMENT_INTERNALLY)
    else:
        _tell(ctx, subject, notices.COMMENTED, [subject.customer_id, subject.agent_id])


@on(TicketDueSoon)
def remind_agent(ctx: HandlerContext, event: TicketDueSoon) -> None:
    """Remind who works on a ticket that it is due soon; nobody is reminded of one that nobody works on."""
    subject = _still_due(ctx, event)
    if subject is not None:
        _tell(ctx, subject, notices.DUE_SOON, [subject.agent_id])


@on(TicketOverdue)
def tell_of_overdue(ctx: HandlerContext, event: TicketOverdue) -> None:
    """Tell who works on a ticket that it is overdue; the administrators, when nobody does."""
    subject = _still_due(ctx, event)
    if subject is None:
        return
    if subject.agent_id is not None:
        _tell(ctx, subject, notices.OVERDUE, [subject.agent_id])
        return
    administrators = select(User.id).where(User.role == "admin", User.is_active).order_by(User.id)
    people = ctx.session.scalars(administrators.limit(MOST_ADMINISTRATORS)).all()
    _tell(ctx, subject, notices.OVERDUE, people, needs=VIEW_ALL)


ALL = (
    tell_of_new_ticket,
    tell_new_agent,
    tell_of_new_status,
    tell_of_comment,
    remind_agent,
    tell_of_overdue,
)


def _subject(ctx: HandlerContext, ticket_id: int, **more: Any) -> Subject | None:
    if ctx.now - ctx.happened.at > STALE:
        return None
    return subject_of(ctx.session, ticket_id, ctx.actor_id, **more)


def _still_due(ctx: HandlerContext, event: DueEvent) -> Subject | None:
    """Return the ticket, unless it was resolved meanwhile or is due at another time."""
    subject = _subject(ctx, event.ticket_id)
    if subject is None or subject.status in FINAL_STATUSES or subject.due_date != event.due_date:
        return None
    return subject


def _tell(
    ctx: HandlerContext,
    subject: Subject,
    kind: NotificationKind,
    people: Collection[int | None],
    *,
    needs: Permission | None = None,
) -> None:
    notify(
        ctx.session,
        people,
        kind.name,
        key=f"event {ctx.event_id}",
        about=f"ticket:{subject.id}",
        link=f"/api/v1/tickets/{subject.id}/",
        values=subject.values,
        # What an automation does is done in somebody's name, but not by them: they want to know of it.
        except_user=ctx.actor_id if ctx.happened.depth == 0 else None,
        needs=needs,
    )
