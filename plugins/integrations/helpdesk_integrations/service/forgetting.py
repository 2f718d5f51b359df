"""Webhooks no longer wait for events of a plugin that is gone."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import PluginNames
from helpdesk_integrations.models import Webhook


def forget_plugin(session: Session, names: PluginNames) -> None:
    """Take a plugin's events off every webhook; one that waited for nothing else is switched off, with the reason."""
    for webhook in session.scalars(select(Webhook)):
        left = [pattern for pattern in webhook.patterns if not names.owns(pattern)]
        if left == webhook.patterns:
            continue
        webhook.events = [name for name in webhook.events if not names.owns(name)]
        webhook.patterns = left
        if not left and webhook.is_active:
            webhook.is_active = False  # without an event: this session belongs to no organisation
            webhook.disabled_reason = f"the plugin {names.id} was uninstalled"
