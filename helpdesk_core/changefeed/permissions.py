"""What can be allowed around the change feed."""

from helpdesk_core.permissions import ROLES, Permission

FOLLOW = Permission("changefeed:change:view", "Follow changes of what one can see", ROLES)
VIEW_EVENTS = Permission("changefeed:event:view", "See which events there are", ROLES)

ALL = (FOLLOW, VIEW_EVENTS)
