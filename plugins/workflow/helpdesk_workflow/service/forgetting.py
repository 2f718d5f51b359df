"""Automations no longer wait for events of a plugin that is gone."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import PluginNames
from helpdesk_workflow.models import Automation


def forget_plugin(session: Session, names: PluginNames) -> None:
    """Switch off what a plugin's events set off, with the reason; the automations themselves are kept."""
    for automation in session.scalars(select(Automation).where(Automation.deleted_at.is_(None))):
        if names.owns(automation.event_type):
            automation.is_active = False
            automation.problem = f"The plugin {names.id}, whose event sets it off, was uninstalled."
