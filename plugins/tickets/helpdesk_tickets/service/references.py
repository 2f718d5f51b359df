"""What bodies of tickets refer to: users and categories of the organisation."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from helpdesk_core.api import STAFF, Actor, Invalid, Prepared, User
from helpdesk_tickets.models import Category
from helpdesk_tickets.names import key_of
from helpdesk_tickets.permissions import CREATE_FOR_OTHERS

_CATEGORY = Prepared(
    select(Category.id).where(
        Category.organization_id == bindparam("organization_id"), Category.id == bindparam("category_id")
    )
)
_USER = select(User.id, User.role, User.is_active).where(User.organization_id == bindparam("organization_id"))
_USER_BY_ID = Prepared(_USER.where(User.id == bindparam("user_id")))
_USER_BY_EMAIL = Prepared(_USER.where(User.email_key == bindparam("email_key")))


def check_category(session: Session, category_id: int | None) -> None:
    """Raise `Invalid` unless the category exists."""
    if category_id is not None and not _CATEGORY.rows(session, {"category_id": category_id}):
        raise Invalid.field("category", "There is no such category.")


def check_assignee(session: Session, user_id: int | None) -> None:
    """Raise `Invalid` unless the user is active staff of the organisation."""
    if user_id is None:
        return
    rows = _USER_BY_ID.rows(session, {"user_id": user_id})
    if not rows or rows[0][1] not in STAFF or not rows[0][2]:
        raise Invalid.field("assigned_agent", "This is no active agent, technician or administrator.")


def customer_of(session: Session, actor: Actor, given: int | str, present: int) -> int:
    """Return the key of the customer that a body names by key or by address.

    Args:
        session: of the organisation.
        actor: who names them; others than `present` only with permission.
        given: what the body says.
        present: key of the customer unless another is named.

    Raises:
        PermissionDenied: the actor may not name others.
        Invalid: there is no such active user.
    """
    if given == present:
        return present
    if isinstance(given, str):
        rows = _USER_BY_EMAIL.rows(session, {"email_key": key_of(given)})
    else:
        rows = _USER_BY_ID.rows(session, {"user_id": given})
    if rows and rows[0][0] == present:
        return present
    actor.require(CREATE_FOR_OTHERS, "Only agents can open tickets for others.")
    if not rows or not rows[0][2]:
        raise Invalid.field("customer", "There is no such active user.")
    return int(rows[0][0])
