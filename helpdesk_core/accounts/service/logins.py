"""Logging in and out: a login is the family of the refresh tokens that descend from one password."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts.errors import InvalidCredentials, InvalidRefreshToken
from helpdesk_core.accounts.events import PasswordChanged, RefreshTokenReused, UserLoggedIn, UserLoggedOut
from helpdesk_core.accounts.models import Login, LoginAttempt, Organization, RefreshToken, User
from helpdesk_core.accounts.queries import Account, refresh_token
from helpdesk_core.accounts.service.locks import locked_user
from helpdesk_core.accounts.service.second_factors import must_enroll
from helpdesk_core.accounts.service.users import set_password
from helpdesk_core.accounts.tokens import hash_of, new_refresh_token
from helpdesk_core.clock import stored_instant
from helpdesk_core.events import now, publish
from helpdesk_core.tenancy import set_organization, set_unscoped


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from.

    Attributes:
        address: IP address, at most 45 characters.
        user_agent: what the program calls itself, at most 255 characters.
    """

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A login with its newest refresh token.

    Attributes:
        user: who logged in.
        login_id: key of the login.
        refresh: the refresh token in the clear; only its hash is stored.
    """

    user: User
    login_id: int
    refresh: str


def record_attempt(session: Session, name: str, account: Account | None, client: Client, *, succeeded: bool) -> None:
    """Keep that somebody tried to log in as `name`; `account` is the one of that name, whatever the outcome."""
    session.add(
        LoginAttempt(
            organization_id=account.organization_id if account else None,
            user_id=account.id if account else None,
            name=name,
            succeeded=succeeded,
            address=client.address,
            user_agent=client.user_agent,
            created_at=now(session),
        )
    )
    session.flush()
    if account is not None and not succeeded:
        audit.record(session, "login.failed", "user", account.id, organization_id=account.organization_id)


def log_in(
    session: Session, account: Account, client: Client, lifetime: timedelta, *, renewed_hash: str | None = None
) -> Issued:
    """Begin a login of an account whose owner has proved to be one.

    If the organisation asks the role for a second factor that there is not yet, the login can do nothing but set it up.

    Args:
        session: of the organisation of the account.
        account: as it was when the password was looked at.
        client: where the request comes from.
        lifetime: of the refresh token.
        renewed_hash: stored instead of the password's hash, when that was made at another cost.

    Raises:
        InvalidCredentials: the account was closed, its password changed or all its logins ended since it was looked at.
    """
    user = locked_user(session, account.id)  # whoever ends all logins now waits, and finds this one among them
    known = (account.token_version, account.password_hash)
    if not user.is_active or (user.token_version, user.password_hash) != known:
        raise InvalidCredentials
    if renewed_hash is not None:
        user.password_hash = renewed_hash
    login = Login(
        user_id=user.id,
        address=client.address,
        user_agent=client.user_agent,
        created_at=now(session),
        ended_at=None,
        must_enroll=must_enroll(session, user),
    )
    session.add(login)
    session.flush()
    audit.record(session, "login.succeeded", "login", login.id, actor_id=user.id)
    publish(session, UserLoggedIn(user_id=user.id, login_id=login.id, address=client.address))
    return Issued(user, login.id, _new_token(session, login.id, lifetime))


def exchange(session: Session, token: str, client: Client, lifetime: timedelta) -> Issued:
    """Exchange a refresh token for the next of its login; one that was used before ends the login.

    Args:
        session: without an organisation yet; it gets that of the token.
        token: the refresh token.
        client: where the request comes from.
        lifetime: of the next token.

    Raises:
        InvalidRefreshToken: unknown, expired, used, or of a login or an account that has ended.
    """
    found = refresh_token(session, hash_of(token))
    if found is None:
        raise InvalidRefreshToken
    token_id, login_id, organization_id, expires_at, user_id, ended_at = found
    set_organization(session, organization_id)
    moment = now(session)
    if ended_at or stored_instant(expires_at) <= moment:
        raise InvalidRefreshToken
    if not _use(session, token_id):
        end_login(session, login_id)
        audit.record(session, "login.refresh_token_reused", "login", login_id, actor_id=user_id)
        publish(session, RefreshTokenReused(user_id=user_id, login_id=login_id, address=client.address))
        raise InvalidRefreshToken
    user = session.get_one(User, user_id)
    if not user.is_active or not session.get_one(Organization, organization_id).is_active:
        raise InvalidRefreshToken
    return Issued(user, login_id, _new_token(session, login_id, lifetime))


def end_login(session: Session, login_id: int) -> None:
    """End one login: none of its tokens works from now on."""
    open_login = update(Login).where(Login.id == login_id, Login.ended_at.is_(None))
    ended = session.execute(open_login.values(ended_at=now(session)).returning(Login.user_id, Login.organization_id))
    row = ended.first()
    if row is not None:
        user_id, organization_id = row
        audit.record(session, "login.ended", "login", login_id, actor_id=user_id, organization_id=organization_id)
        publish(session, UserLoggedOut(user_id=user_id, login_id=login_id))


def end_login_of(session: Session, token: str) -> None:
    """End the login of a refresh token, if there is such a token.

    Args:
        session: without an organisation yet; it gets that of the token.
        token: the refresh token.
    """
    found = refresh_token(session, hash_of(token))
    if found is None:
        set_unscoped(session)
        return
    _, login_id, organization_id, *_ = found
    set_organization(session, organization_id)
    end_login(session, login_id)


def end_logins(session: Session, user: User, *, but: int | None = None) -> None:
    """End every login of a user, or all `but` one."""
    if but is None:
        user.token_version += 1
        session.flush()
    others = update(Login).where(Login.user_id == user.id, Login.ended_at.is_(None))
    session.execute((others if but is None else others.where(Login.id != but)).values(ended_at=now(session)))
    audit.record(session, "login.all_ended", "user", user.id, organization_id=user.organization_id)
    publish(session, UserLoggedOut(user_id=user.id, login_id=None))


def change_password(session: Session, user_id: int, password_hash: str, *, keep_login: int | None) -> None:
    """Give a user another password, and end every login but the one that asked for it."""
    user = session.get_one(User, user_id)
    set_password(session, user, password_hash)
    end_logins(session, user, but=keep_login)
    audit.record(session, "user.password_changed", "user", user_id)
    publish(session, PasswordChanged(user_id=user_id))


def login_of(session: Session, token: str, user_id: int) -> int | None:
    """Return the login of a refresh token, if there is such a token and it is that of `user_id`."""
    found = refresh_token(session, hash_of(token))
    if found is None or found[4] != user_id:
        return None
    login_id: int = found[1]
    return login_id


def _use(session: Session, token_id: int) -> bool:
    """Mark a token as used; of two that come at once, one succeeds."""
    used = (
        update(RefreshToken)
        .where(RefreshToken.id == token_id, RefreshToken.used_at.is_(None))
        .values(used_at=now(session))
        .returning(RefreshToken.id)
    )
    return session.execute(used).first() is not None


def _new_token(session: Session, login_id: int, lifetime: timedelta) -> str:
    token, token_hash = new_refresh_token()
    moment = now(session)
    session.add(
        RefreshToken(
            login_id=login_id, token_hash=token_hash, created_at=moment, expires_at=moment + lifetime, used_at=None
        )
    )
    session.flush()
    return token
