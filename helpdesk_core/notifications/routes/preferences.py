"""`/notifications/preferences/`"""

from helpdesk_core.notifications.permissions import USE
from helpdesk_core.notifications.routes.answers import tagged
from helpdesk_core.notifications.schemas import PreferencesRead, PreferencesUpdate
from helpdesk_core.notifications.service.preferences import change_preferences, preferences_as_they_apply
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Router

router = Router("notifications", tag="Notifications", document=Dialect.COMPREHENSIVE)


@router.get("/preferences/", permission=USE)
def retrieve_notification_preferences(ctx: Context) -> PreferencesRead:
    """What one is told, and how: by kind, in the inbox or by mail, and when no mail comes."""
    return tagged(preferences_as_they_apply(ctx.session, ctx.actor))


@router.put("/preferences/", permission=USE)
def update_notification_preferences(ctx: Context, body: PreferencesUpdate) -> PreferencesRead:
    """Choose. Mails that fall into quiet hours wait until they end."""
    change_preferences(ctx.session, ctx.actor, body)
    return tagged(preferences_as_they_apply(ctx.session, ctx.actor))
