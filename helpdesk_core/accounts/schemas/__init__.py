"""What goes over the wire about users, organisations and tokens."""

from helpdesk_core.accounts.schemas.people import OrganizationSummary, Person, Username, UserRef
from helpdesk_core.accounts.schemas.types import Language

__all__ = ["Language", "OrganizationSummary", "Person", "UserRef", "Username"]
