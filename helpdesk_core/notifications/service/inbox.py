"""What people do with their inbox. Whoever calls these has made sure that the notification is the actor's."""

from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from helpdesk_core.events import now, publish
from helpdesk_core.notifications.events import (
    AllNotificationsRead,
    NotificationDeleted,
    NotificationRead,
    NotificationUnread,
)
from helpdesk_core.notifications.models import Notification
from helpdesk_core.permissions import Actor


def mark_read(session: Session, actor: Actor, notification_id: int) -> None:
    """Mark a notification as read; a mail that waits for the end of quiet hours is not sent then."""
    row = _locked(session, notification_id)
    if row.read_at is None:
        row.read_at = now(session)
        session.flush()
        publish(session, NotificationRead(notification_id=row.id, user_id=actor.user_id), concerns=[actor.user_id])


def mark_own_read(session: Session, actor: Actor, notification_id: int) -> bool:
    """Mark a notification as read if it is in the actor's inbox, and tell whether it is."""
    mine = (Notification.user_id == actor.user_id, Notification.hidden_at.is_(None))
    if session.scalar(select(Notification.id).where(Notification.id == notification_id, *mine)) is None:
        return False
    mark_read(session, actor, notification_id)
    return True


def mark_unread(session: Session, actor: Actor, notification_id: int) -> None:
    """Mark a notification as not read."""
    row = _locked(session, notification_id)
    if row.read_at is not None:
        row.read_at = None
        session.flush()
        publish(session, NotificationUnread(notification_id=row.id, user_id=actor.user_id), concerns=[actor.user_id])


def mark_all_read(session: Session, actor: Actor) -> int:
    """Mark everything in the actor's inbox as read, and return how much was not."""
    changed = session.execute(
        update(Notification)
        .where(Notification.user_id == actor.user_id, Notification.hidden_at.is_(None), Notification.read_at.is_(None))
        .values(read_at=now(session))
        .execution_options(synchronize_session=False)
    )
    marked = int(cast("CursorResult[Any]", changed).rowcount)
    if marked:
        publish(session, AllNotificationsRead(user_id=actor.user_id), concerns=[actor.user_id])
    return marked


def remove(session: Session, actor: Actor, notification_id: int) -> None:
    """Take a notification out of its inbox; the row stays as the record that its user was told."""
    row = _locked(session, notification_id)
    row.hidden_at = now(session)
    row.read_at = row.read_at or row.hidden_at
    session.flush()
    publish(session, NotificationDeleted(notification_id=row.id, user_id=actor.user_id), concerns=[actor.user_id])


def _locked(session: Session, notification_id: int) -> Notification:
    return session.scalars(select(Notification).where(Notification.id == notification_id).with_for_update()).one()
