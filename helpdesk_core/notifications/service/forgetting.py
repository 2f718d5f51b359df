"""What was told by a plugin goes with it."""

from sqlalchemy import String, cast, delete, literal, select
from sqlalchemy.orm import Session

from helpdesk_core.events import OutboxEvent
from helpdesk_core.notifications.models import Notification, NotificationPreferences, NotificationTemplate
from helpdesk_core.plugins import PluginNames


def forget_plugin(session: Session, names: PluginNames) -> None:
    """Remove a plugin's notifications, the words for them, and what people chose; `session` sees everything."""
    _forget_events(session, names)
    for model, column in ((Notification, Notification.kind), (NotificationTemplate, NotificationTemplate.name)):
        mine = [kind for kind in session.scalars(select(column).distinct()) if names.owns(kind)]
        session.execute(delete(model).where(column.in_(mine)))
    for chosen in session.scalars(select(NotificationPreferences)):
        chosen.channels = {kind: channels for kind, channels in chosen.channels.items() if not names.owns(kind)}


def _forget_events(session: Session, names: PluginNames) -> None:
    """Remove the events about its notifications, which nobody could look up any more."""
    kinds = [kind for kind in session.scalars(select(Notification.kind).distinct()) if names.owns(kind)]
    about = select(literal("notification:").concat(cast(Notification.id, String))).where(Notification.kind.in_(kinds))
    session.execute(delete(OutboxEvent).where(OutboxEvent.aggregate.in_(about)))
