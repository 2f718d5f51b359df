"""What goes over the wire about users, organisations and tokens."""

from helpdesk_core.accounts.schemas.people import OrganizationSummary, Person, Username, UserRef

__all__ = ["OrganizationSummary", "Person", "UserRef", "Username"]
