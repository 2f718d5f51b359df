"""Tables of organisations, people, their logins and their credentials."""

from helpdesk_core.accounts.models.credentials import ApiKey, BackupCode, SecondFactor
from helpdesk_core.accounts.models.letters import Confirmation, Invitation
from helpdesk_core.accounts.models.logins import Login, LoginAttempt, LoginDelay, RefreshToken, SocketTicket
from helpdesk_core.accounts.models.organizations import Organization, TierChange
from helpdesk_core.accounts.models.people import CustomRole, RoleAssignment, User

__all__ = [
    "ApiKey",
    "BackupCode",
    "Confirmation",
    "CustomRole",
    "Invitation",
    "Login",
    "LoginAttempt",
    "LoginDelay",
    "Organization",
    "RefreshToken",
    "RoleAssignment",
    "SecondFactor",
    "SocketTicket",
    "TierChange",
    "User",
]
