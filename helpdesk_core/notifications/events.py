"""What this plugin tells others, open clients above all. Payloads hold keys, no texts."""

from collections.abc import Mapping
from typing import ClassVar

from helpdesk_core.events import Event


class NotificationEvent(Event):
    """Something happened to a notification."""

    about: ClassVar[Mapping[str, str]] = {"notification": "notification_id"}

    notification_id: int
    """The notification."""
    user_id: int
    """Whose it is."""


class NotificationCreated(NotificationEvent):
    """Somebody was told something; it is in their inbox."""

    type: ClassVar[str] = "notification.created"


class NotificationRead(NotificationEvent):
    """A notification was marked as read."""

    type: ClassVar[str] = "notification.read"


class NotificationUnread(NotificationEvent):
    """A notification was marked as not read."""

    type: ClassVar[str] = "notification.unread"


class NotificationDeleted(NotificationEvent):
    """A notification was removed from its inbox."""

    type: ClassVar[str] = "notification.deleted"


class AllNotificationsRead(Event):
    """Everything in an inbox was marked as read."""

    type: ClassVar[str] = "notification.all_read"

    user_id: int
    """Whose inbox it is."""


ALL = (NotificationCreated, NotificationRead, NotificationUnread, NotificationDeleted, AllNotificationsRead)
