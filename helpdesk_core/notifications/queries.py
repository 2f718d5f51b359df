"""What can be read of notifications."""

from collections.abc import Collection, Sequence

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from helpdesk_core.accounts.models import User
from helpdesk_core.accounts.queries.visibility import Own
from helpdesk_core.notifications.models import Notification, NotificationPreferences
from helpdesk_core.notifications.schemas import NotificationRead
from helpdesk_core.queries import Column, Computed, Prepared, ReadModel, at_least, at_most, equals, matches

MOST_COUNTED = 10_000
"""Unread rows beyond this many are not counted: a forgotten inbox must not cost more each day."""

notifications = ReadModel(
    Notification,
    schema=NotificationRead,
    fields={
        "object": Column(Notification.object),
        "is_read": Computed(lambda _, read_at: read_at is not None, Notification.read_at),
    },
    filters={
        "is_read": matches(lambda: Notification.read_at.is_not(None)),
        "kind": equals(Notification.kind),
        "created_after": at_least(Notification.created_at),
        "created_before": at_most(Notification.created_at),
    },
    ordering={"created_at": Notification.id, "id": Notification.id},
    default_order="-created_at",
    visible=Own(Notification.user_id),
    where=Notification.hidden_at.is_(None),
)
"""Notifications are made in the order of their keys, hence sorting by `created_at` needs no index of its own."""


def _unread() -> Select[int]:
    some = (
        select(Notification.id)
        .where(
            Notification.organization_id == bindparam("organization_id"),
            Notification.user_id == bindparam("user_id"),
            Notification.hidden_at.is_(None),
            Notification.read_at.is_(None),
        )
        .limit(MOST_COUNTED)
    )
    return select(func.count()).select_from(some.subquery())


_UNREAD = Prepared(_unread())


def count_unread(session: Session, user_id: int) -> int:
    """Return how many notifications a user has not read; at most `MOST_COUNTED`."""
    return int(_UNREAD.rows(session, {"user_id": user_id})[0][0])


def open_accounts(session: Session, user_ids: Collection[int]) -> Sequence[User]:
    """Return those users of the session's organisation whose accounts are open, by key.

    In this order rows are written, so that two who tell the same people wait for each other in the same order.
    """
    return session.scalars(select(User).where(User.id.in_(user_ids), User.is_active).order_by(User.id)).all()


def preferences_of(session: Session, user_ids: Collection[int]) -> dict[int, NotificationPreferences]:
    """Return what users chose, by user; those who chose nothing are not in it."""
    rows = session.scalars(select(NotificationPreferences).where(NotificationPreferences.user_id.in_(user_ids)))
    return {row.user_id: row for row in rows}
