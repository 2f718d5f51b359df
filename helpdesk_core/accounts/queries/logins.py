"""What can be read of logins, and what logging in has to know."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, select
from sqlalchemy.orm import Session

from helpdesk_core.accounts import permissions
from helpdesk_core.accounts.models import (
    Login,
    LoginAttempt,
    Organization,
    RefreshToken,
    User,
)
from helpdesk_core.accounts.queries.visibility import Own
from helpdesk_core.accounts.schemas.sessions import LoginRead
from helpdesk_core.accounts.schemas.tokens import LoginAttemptRead
from helpdesk_core.accounts.schemas.types import key_of
from helpdesk_core.permissions import Actor, Visibility
from helpdesk_core.queries import Column, Computed, Prepared, ReadModel, at_least, equals, words_in
from helpdesk_core.tenancy import reaching


class AttemptsOfOrganizationOr(Visibility):
    """Login attempts of one's organisation with the permission, else those at one's own account."""

    def variant(self, actor: Actor) -> str:
        """Return `all` or `own`."""
        return "all" if actor.can(permissions.VIEW_LOGIN_ATTEMPTS) else "own"

    def criterion(self, variant: str) -> ColumnElement[bool] | None:
        """Return the comparison with the actor or with their organisation."""
        if variant == "all":
            return LoginAttempt.organization_id == bindparam("organization_id")
        return LoginAttempt.user_id == bindparam("actor_id")


login_attempts = ReadModel(
    LoginAttempt,
    schema=LoginAttemptRead,
    filters={"succeeded": equals(LoginAttempt.succeeded), "user": equals(LoginAttempt.user_id)},
    ordering=["created_at"],
    default_order="-created_at",
    search=words_in(LoginAttempt.name, LoginAttempt.address),
    visible=AttemptsOfOrganizationOr(),
)


_LAST_TOKEN = select(func.max(RefreshToken.expires_at)).where(RefreshToken.login_id == Login.id).scalar_subquery()


_OPEN_UNTIL: Any = func.coalesce(Login.expires_at, _LAST_TOKEN)


logins = ReadModel(
    Login,
    schema=LoginRead,
    fields={
        "last_used_at": Column(Login.last_used_at, volatile=True),
        "expires_at": Column(_OPEN_UNTIL),
        "is_current": Computed(lambda *_: False, Login.id),  # the endpoint knows which one is
    },
    filters={"kind": equals(Login.kind), "open_at": at_least(_OPEN_UNTIL)},
    ordering=["created_at", "last_used_at"],
    default_order="-created_at",
    search=words_in(Login.address, Login.user_agent),
    visible=Own(Login.user_id),
    where=Login.ended_at.is_(None),
)


@dataclass(frozen=True, slots=True)
class Account:
    """What logging in needs to know of a user.

    Attributes:
        id: of the user.
        organization_id: theirs.
        password_hash: of their password.
        is_active: whether the account and its organisation are open.
        token_version: goes up when every token has to end.
        must_verify: whether the organisation lets people in by their address, and this one's is not verified.
    """

    id: int
    organization_id: int
    password_hash: str
    is_active: bool
    token_version: int
    must_verify: bool


_ACCOUNT = select(
    User.id,
    User.organization_id,
    User.password_hash,
    User.is_active,
    Organization.is_active.label("organization_is_active"),
    User.token_version,
    and_(Organization.registration == "domain", User.role == "customer", User.is_verified.is_(False)),
).join(Organization, Organization.id == User.organization_id)


def account_by_name(session: Session, name: str) -> Account | None:
    """Return the account with this user name or address; `session` is unscoped."""
    key = key_of(name)
    column = User.email_key if "@" in key else User.username_key
    return _account(session, column == key)


def account_by_id(session: Session, user_id: int) -> Account | None:
    """Return the account with this key; `session` is unscoped."""
    return _account(session, User.id == user_id)


def _account(session: Session, wanted: ColumnElement[bool]) -> Account | None:
    row = session.execute(_ACCOUNT.where(wanted)).first()
    return Account(row[0], row[1], row[2], row[3] and row[4], row[5], bool(row[6])) if row else None


def is_open(session: Session, user_id: int | None) -> bool:
    """Tell whether an account, of whatever organisation, is open; `session` may be of any."""
    with reaching(session):
        return bool(_OPEN.rows(session, {"id": user_id}))


_OPEN = Prepared(
    select(User.id)
    .join(Organization, Organization.id == User.organization_id)
    .where(User.id == bindparam("id"), User.is_active, Organization.is_active)
)


def refresh_token(session: Session, token_hash: str) -> tuple[Any, ...] | None:
    """Return a refresh token by its hash; read before the session has an organisation, which is the token's own."""
    with reaching(session):
        found = _REFRESH_TOKEN.rows(session, {"token_hash": token_hash})
    return found[0] if found else None


_REFRESH_TOKEN = Prepared(
    select(
        RefreshToken.id,
        RefreshToken.login_id,
        RefreshToken.organization_id,
        RefreshToken.expires_at,
        Login.user_id,
        Login.ended_at,
    )
    .select_from(RefreshToken)
    .join(Login, Login.id == RefreshToken.login_id)
    .where(RefreshToken.token_hash == bindparam("token_hash"))
)
