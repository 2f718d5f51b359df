"""What automations can do."""

from helpdesk_workflow.actions.context import ActionContext
from helpdesk_workflow.actions.registry import Action, Actions

__all__ = ["Action", "ActionContext", "Actions"]
