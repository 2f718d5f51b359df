"""What others can follow of this plugin. That an automation ran changes its counters and is not told."""

from helpdesk_core.api import Resource
from helpdesk_workflow.permissions import VIEW
from helpdesk_workflow.queries import automations

ALL = (Resource("automation", automations, VIEW, path="/advanced-workflow/automations/{id}/"),)
