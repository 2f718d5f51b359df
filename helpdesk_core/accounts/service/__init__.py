"""The verbs of accounts. They flush and never commit; passwords arrive hashed, because hashing takes its time."""

from helpdesk_core.accounts.service.api_keys import change_key, create_key, revoke_key, rotate_key
from helpdesk_core.accounts.service.avatars import remove_avatar, set_avatar
from helpdesk_core.accounts.service.confirmations import (
    confirm_email,
    find_link,
    issue_link,
    offer_reset,
    request_email_change,
    request_reset,
    resend_verification,
    reset_password,
    verify_email,
)
from helpdesk_core.accounts.service.invitations import (
    accept_invitation,
    find_invitation,
    invite,
    resend_invitation,
    revoke_invitation,
)
from helpdesk_core.accounts.service.logins import (
    Client,
    change_password,
    end_login,
    end_login_of,
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
    verify_domain,
)
from helpdesk_core.accounts.service.plugins import disable_plugin, enable_plugin, why_off
from helpdesk_core.accounts.service.roles import create_role, delete_role, update_role
from helpdesk_core.accounts.service.sessions import become_session, end_session_of
from helpdesk_core.accounts.service.users import (
    add_user,
    assign_role,
    change_role,
    change_user,
    create_user,
    deactivate_user,
    reactivate_user,
    set_password,
)

__all__ = [
    "Client",
    "accept_invitation",
    "add_user",
    "assign_role",
    "become_session",
    "change_key",
    "change_organization",
    "change_password",
    "change_role",
    "change_user",
    "confirm_email",
    "create_key",
    "create_organization",
    "create_role",
    "create_user",
    "deactivate_user",
    "delete_organization",
    "delete_role",
    "disable_plugin",
    "enable_plugin",
    "end_login",
    "end_login_of",
    "end_logins",
    "end_session_of",
    "exchange",
    "find_invitation",
    "find_link",
    "invite",
    "issue_link",
    "log_in",
    "offer_reset",
    "reactivate_user",
    "record_attempt",
    "remove_avatar",
    "request_email_change",
    "request_reset",
    "resend_invitation",
    "resend_verification",
    "reset_password",
    "revoke_invitation",
    "revoke_key",
    "rotate_key",
    "set_avatar",
    "set_organization_active",
    "set_password",
    "update_role",
    "verify_domain",
    "verify_email",
    "why_off",
]
