"""What others can follow of accounts."""

from helpdesk_core.accounts import permissions
from helpdesk_core.accounts.queries import organizations, users
from helpdesk_core.resources import Resource

ALL = (
    Resource("user", users, permissions.VIEW_USERS, present_with=(permissions.VIEW_ALL_USERS,), path="/users/{id}/"),
    Resource("organization", organizations, permissions.VIEW_ORGANIZATION, path="/organizations/{id}/"),
)
