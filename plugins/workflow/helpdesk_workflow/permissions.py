"""What can be allowed around automations."""

from helpdesk_core.api import Permission

VIEW = Permission("workflow:automation:view", "See automations, what they did and what they can do")
MANAGE = Permission("workflow:automation:manage", "Create, change, try and run automations; they act with one's rights")

ALL = (VIEW, MANAGE)
