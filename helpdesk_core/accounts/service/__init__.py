"""The verbs of accounts. They flush and never commit; passwords arrive hashed, because hashing takes its time."""

from helpdesk_core.accounts.service.logins import (
    Client,
    change_password,
    end_login,
    end_logins,
    exchange,
    log_in,
    record_attempt,
)
from helpdesk_core.accounts.service.organizations import (
    change_organization,
    create_organization,
    delete_organization,
    set_organization_active,
)
from helpdesk_core.accounts.service.users import (
    add_user,
    change_role,
    change_user,
    create_user,
    deactivate_user,
    reactivate_user,
    set_password,
)

__all__ = [
    "Client",
    "add_user",
    "change_organization",
    "change_password",
    "change_role",
    "change_user",
    "create_organization",
    "create_user",
    "deactivate_user",
    "delete_organization",
    "end_login",
    "end_logins",
    "exchange",
    "log_in",
    "reactivate_user",
    "record_attempt",
    "set_organization_active",
    "set_password",
]
