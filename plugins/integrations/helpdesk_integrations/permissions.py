"""What can be allowed around webhooks and integrations."""

from helpdesk_core.api import Permission

VIEW_WEBHOOKS = Permission("integrations:webhook:view", "See webhooks and what was delivered to them")
MANAGE_WEBHOOKS = Permission("integrations:webhook:manage", "Create and change webhooks, deliver again")
VIEW_APIS = Permission("integrations:api:view", "See API integrations and the log of their calls")
MANAGE_APIS = Permission("integrations:api:manage", "Create and change API integrations and their credentials")
CALL_APIS = Permission("integrations:api:call", "Call other systems through API integrations")

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Permission))
