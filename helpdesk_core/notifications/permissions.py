"""What can be allowed around notifications."""

from helpdesk_core.permissions import ROLES, Permission

USE = Permission("notifications:inbox:use", "Read one's notifications and choose what one is told of", ROLES)
MANAGE_TEMPLATES = Permission("notifications:template:manage", "Change the texts of notifications")

ALL = (USE, MANAGE_TEMPLATES)
