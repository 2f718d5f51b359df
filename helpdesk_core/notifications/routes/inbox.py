"""`/notifications/`"""

from helpdesk_core.notifications.permissions import USE
from helpdesk_core.notifications.queries import MOST_COUNTED, count_unread, notifications
from helpdesk_core.notifications.schemas import MarkedRead, NotificationFilters, NotificationRead, UnreadCount
from helpdesk_core.notifications.service import inbox as service
from helpdesk_core.schemas import Dialect, Page
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router

router = Router("notifications", tag="Notifications", document=Dialect.COMPREHENSIVE)


@router.get("/", permission=USE)
def list_notifications(ctx: Context, query: NotificationFilters) -> Page[NotificationRead]:
    """What one was told, newest first."""
    return ctx.page(notifications, query)


@router.get("/unread-count/", permission=USE)
def count_unread_notifications(ctx: Context) -> UnreadCount:
    """How much of it one has not read; counted up to 10,000, beyond which `X-Count-Capped` is sent."""
    count = count_unread(ctx.session, ctx.actor.user_id)
    if count == MOST_COUNTED:
        ctx.headers["X-Count-Capped"] = str(count)
    return UnreadCount(unread_count=count)


@router.post("/mark-all-read/", permission=USE)
def mark_all_notifications_read(ctx: Context) -> MarkedRead:
    """Mark everything as read."""
    return MarkedRead(marked=service.mark_all_read(ctx.session, ctx.actor))


@router.get("/{notification}/", permission=USE)
def retrieve_notification(ctx: Context, notification: Key) -> NotificationRead:
    """One notification; looking at it does not mark it as read."""
    return ctx.one(notifications, notification)


@router.post("/{notification}/mark-read/", permission=USE)
def mark_notification_read(ctx: Context, notification: Key) -> NotificationRead:
    """Mark a notification as read."""
    service.mark_read(ctx.session, ctx.actor, _own(ctx, notification))
    return ctx.one(notifications, notification)


@router.post("/{notification}/mark-unread/", permission=USE)
def mark_notification_unread(ctx: Context, notification: Key) -> NotificationRead:
    """Mark a notification as not read."""
    service.mark_unread(ctx.session, ctx.actor, _own(ctx, notification))
    return ctx.one(notifications, notification)


@router.delete("/{notification}/", permission=USE)
def delete_notification(ctx: Context, notification: Key) -> None:
    """Remove a notification from one's inbox."""
    service.remove(ctx.session, ctx.actor, _own(ctx, notification))


def _own(ctx: Context, notification: int) -> int:
    """Return the key, if the notification is in the caller's inbox; else raise `NotFound`."""
    return notifications.find_one(ctx.session, ctx.viewer, notifications.key, notification)
