"""What open clients can follow: one's own notifications."""

from helpdesk_core.notifications.permissions import USE
from helpdesk_core.notifications.queries import notifications
from helpdesk_core.resources import Resource

ALL = (Resource("notification", notifications, USE, stated=True),)
"""Outside systems are shown none: they are nobody's."""
