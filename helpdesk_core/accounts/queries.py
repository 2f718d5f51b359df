"""What can be read of accounts."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, and_, bindparam, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from helpdesk_core.accounts import permissions
from helpdesk_core.accounts.models import Login, LoginAttempt, Organization, RefreshToken, TierChange, User
from helpdesk_core.accounts.schemas.organizations import OrganizationExtras, OrganizationRead
from helpdesk_core.accounts.schemas.tokens import LoginAttemptRead
from helpdesk_core.accounts.schemas.types import key_of
from helpdesk_core.accounts.schemas.users import UserExtras, UserRead
from helpdesk_core.permissions import Actor, Permission, Visibility, own_or
from helpdesk_core.queries import Column, Computed, Prepared, ReadModel, equals, words_in
from helpdesk_core.queries.filters import WordsIn
from helpdesk_core.tenancy import organization_of


class OwnOrganizationOr(Visibility):
    """Rows of one's own organisation, or all with a permission."""

    def __init__(self, permission: Permission, column: InstrumentedAttribute[int]) -> None:
        """Say which column holds the organisation."""
        self._permission = permission
        self._column = column

    def variant(self, actor: Actor) -> str:
        """Return `all` or `own`."""
        return "all" if actor.can(self._permission) else "own"

    def criterion(self, variant: str) -> ColumnElement[bool] | None:
        """Return the comparison with the actor's organisation."""
        return None if variant == "all" else self._column == bindparam("organization_id")


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


class PeopleSearch(WordsIn):
    """Finds people: every word begins a user name or either half of an address, or occurs in a name.

    A whole address therefore finds its account alone.
    """

    def criterion(self, name: str, arity: int) -> ColumnElement[bool]:
        """Look for each word."""
        username, email, full_name = (func.lower(column) for column in self.columns)
        words = [bindparam(f"{name}_{index}", type_=String()) for index in range(arity)]
        return and_(
            true(),
            *(
                or_(
                    username.startswith(word, escape="\\"),
                    email.startswith(word, escape="\\"),
                    email.contains("@" + word, escape="\\"),
                    full_name.contains(word, escape="\\"),
                )
                for word in words
            ),
        )


users = ReadModel(
    User,
    schema=UserRead,
    fields={
        "last_active_at": Column(User.last_active_at, volatile=True),
        "is_agent": Computed(lambda _, role: role in {"agent", "admin"}, User.role),
        "is_customer": Computed(lambda _, role: role == "customer", User.role),
        "is_technician": Computed(lambda _, role: role == "technician", User.role),
    },
    optional=UserExtras,
    filters={"role": equals(User.role), "is_active": equals(User.is_active)},
    ordering=["created_at", "username", "email", "full_name", "last_active_at"],
    default_order="-created_at",
    search=PeopleSearch((User.username, User.email, User.full_name)),
    visible=own_or(permissions.VIEW_ALL_USERS, User.id),
)

organizations = ReadModel(
    Organization,
    schema=OrganizationRead,
    optional=OrganizationExtras,
    filters={
        "subscription_tier": equals(Organization.subscription_tier),
        "is_active": equals(Organization.is_active),
    },
    ordering=["created_at", "name"],
    default_order="-created_at",
    search=words_in(Organization.name),
    visible=OwnOrganizationOr(permissions.VIEW_ALL_ORGANIZATIONS, Organization.id),
)

login_attempts = ReadModel(
    LoginAttempt,
    schema=LoginAttemptRead,
    filters={"succeeded": equals(LoginAttempt.succeeded), "user": equals(LoginAttempt.user_id)},
    ordering=["created_at"],
    default_order="-created_at",
    search=words_in(LoginAttempt.name, LoginAttempt.address),
    visible=AttemptsOfOrganizationOr(),
)


@dataclass(frozen=True, slots=True)
class Account:
    """What logging in needs to know of a user."""

    id: int
    organization_id: int
    password_hash: str
    is_active: bool
    token_version: int


_ACCOUNT = select(
    User.id,
    User.organization_id,
    User.password_hash,
    User.is_active,
    Organization.is_active.label("organization_is_active"),
    User.token_version,
).join(Organization, Organization.id == User.organization_id)


def account_by_name(session: Session, name: str) -> Account | None:
    """Return the account with this user name or address; `session` is unscoped."""
    key = key_of(name)
    column = User.email_key if "@" in key else User.username_key
    row = session.execute(_ACCOUNT.where(column == key)).first()
    return Account(row[0], row[1], row[2], row[3] and row[4], row[5]) if row else None


def names_of(session: Session, user_id: int) -> tuple[str, ...]:
    """Return what must not be the password of a user: their names and addresses."""
    columns = (User.username, User.email, User.first_name, User.last_name, User.full_name)
    row = session.execute(select(*columns).where(User.id == user_id)).one()
    return tuple(row)


REFRESH_TOKEN = Prepared(
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
"""A refresh token by its hash; read before the session has an organisation, which is the token's own."""


def registering_organization(session: Session, slug: str | None, default: str) -> Organization | None:
    """Return the active organisation that a registration joins.

    Args:
        session: any.
        slug: what the registration names, if anything.
        default: slug of the one that takes the others; empty means the oldest.
    """
    query = select(Organization).where(Organization.is_active)
    wanted = slug or default
    query = query.where(Organization.slug == wanted) if wanted else query.order_by(Organization.id).limit(1)
    return session.scalars(query).first()


def taken_names(session: Session, *, username: str, email: str) -> list[tuple[str, str, int]]:
    """Return `(username_key, email_key, id)` of the accounts, of any organisation, that have one of the two."""
    rows = _TAKEN.rows(session, {"username_key": key_of(username), "email_key": key_of(email)})
    return [(row[0], row[1], row[2]) for row in rows]


_TAKEN = Prepared(
    select(User.username_key, User.email_key, User.id).where(
        or_(User.username_key == bindparam("username_key"), User.email_key == bindparam("email_key"))
    )
)


def tier_changes(session: Session) -> list[TierChange]:
    """Return the hundred newest changes of the tier of the session's organisation."""
    return list(session.scalars(select(TierChange).order_by(TierChange.id.desc()).limit(100)))


def plan_of(session: Session) -> tuple[str, frozenset[str]]:
    """Return the tier and the switched-off plugins of the organisation that `session` works for."""
    columns = (Organization.subscription_tier, Organization.disabled_plugins)
    tier, disabled = session.execute(select(*columns).where(Organization.id == organization_of(session))).one()
    return tier, frozenset(disabled)
