"""What can be read of accounts."""

from helpdesk_core.accounts.queries.audit import audit_entries
from helpdesk_core.accounts.queries.credentials import api_keys, devices
from helpdesk_core.accounts.queries.letters import invitations, organization_of_link
from helpdesk_core.accounts.queries.logins import (
    Account,
    account_by_id,
    account_by_name,
    is_open,
    login_attempts,
    logins,
    refresh_token,
)
from helpdesk_core.accounts.queries.organizations import (
    active_organizations,
    core_settings,
    organizations,
    plan_of,
    plugin_ids,
    registering_organization,
    settings_of,
    tier_changes,
    usage,
)
from helpdesk_core.accounts.queries.people import (
    Holder,
    count_users,
    custom_roles,
    holder_of,
    names_of,
    roles,
    taken_names,
    those_who_may,
    users,
)

__all__ = [
    "Account",
    "Holder",
    "account_by_id",
    "account_by_name",
    "active_organizations",
    "api_keys",
    "audit_entries",
    "core_settings",
    "count_users",
    "custom_roles",
    "devices",
    "holder_of",
    "invitations",
    "is_open",
    "login_attempts",
    "logins",
    "names_of",
    "organization_of_link",
    "organizations",
    "plan_of",
    "plugin_ids",
    "refresh_token",
    "registering_organization",
    "roles",
    "settings_of",
    "taken_names",
    "those_who_may",
    "tier_changes",
    "usage",
    "users",
]
