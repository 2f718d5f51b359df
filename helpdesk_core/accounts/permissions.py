"""What can be allowed in accounts."""

from helpdesk_core.permissions import PLATFORM, ROLES, Permission

USE = Permission("accounts:profile:use", "Read and change one's own account", ROLES)
VIEW_USERS = Permission("accounts:user:view", "See users, at least oneself", ROLES)
VIEW_ALL_USERS = Permission("accounts:user:view_all", "See every user of the organization", ("agent", "admin"))
MANAGE_USERS = Permission("accounts:user:manage", "Create, change and deactivate users, and change their roles")
MANAGE_ROLES = Permission("accounts:role:manage", "Create, change and delete roles of the organization")
VIEW_LOGIN_ATTEMPTS = Permission("accounts:login_attempt:view", "See who tried to log in")
VIEW_AUDIT_LOG = Permission("accounts:audit_log:view", "See who did what, when and from where")
VIEW_ORGANIZATION = Permission("accounts:organization:view", "See one's own organization", ROLES)
CHANGE_ORGANIZATION = Permission("accounts:organization:change", "Change the organization")
VIEW_ALL_ORGANIZATIONS = Permission("accounts:organization:view_all", "See every organization", (PLATFORM,))
MANAGE_ORGANIZATIONS = Permission(
    "accounts:organization:manage", "Create and deactivate organizations, and work in any of them", (PLATFORM,)
)
VIEW_PLUGINS = Permission("accounts:plugin:view", "See how the plugins of the installation fare", (PLATFORM,))
CHANGE_TIER = Permission("accounts:organization:change_tier", "Change an organization's subscription", (PLATFORM,))

ALL = (
    USE,
    VIEW_USERS,
    VIEW_ALL_USERS,
    MANAGE_USERS,
    MANAGE_ROLES,
    VIEW_LOGIN_ATTEMPTS,
    VIEW_AUDIT_LOG,
    VIEW_ORGANIZATION,
    CHANGE_ORGANIZATION,
    VIEW_ALL_ORGANIZATIONS,
    MANAGE_ORGANIZATIONS,
    CHANGE_TIER,
    VIEW_PLUGINS,
)
