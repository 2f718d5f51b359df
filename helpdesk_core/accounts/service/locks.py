"""Locks on rows of accounts, for PostgreSQL; on SQLite, transactions that write go one by one anyhow.

Whoever takes several takes them in this order, or two wait for each other: tries that are counted (`delays`), the user,
the organisation, devices and codes, logins.
"""

from sqlalchemy.orm import Session

from helpdesk_core.accounts.models import Organization, User


def locked_user(session: Session, user_id: int) -> User:
    """Return a user as they are now; nobody else changes them until the transaction ends.

    Rows that refer to the user can still be written meanwhile, unlike under a full `FOR UPDATE`.
    """
    return session.get_one(User, user_id, populate_existing=True, with_for_update={"key_share": True})


def held_organization(session: Session, organization_id: int) -> Organization:
    """Return an organisation as it is now; nobody changes it until the transaction ends, others may hold it as well."""
    return session.get_one(Organization, organization_id, populate_existing=True, with_for_update={"read": True})
