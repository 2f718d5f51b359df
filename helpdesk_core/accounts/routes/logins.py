"""Tokens: obtained, exchanged, verified and revoked, under the paths of both documents."""

from dataclasses import dataclass

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.authenticators import standing
from helpdesk_core.accounts.errors import InvalidCredentials
from helpdesk_core.accounts.models import User
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.queries import Account
from helpdesk_core.accounts.routes.answers import as_they_see_themselves, client_of, shown
from helpdesk_core.accounts.schemas.tokens import (
    AccessToken,
    ClassicTokens,
    Credentials,
    LoginAttemptRead,
    NoDetails,
    OptionalRefresh,
    Refresh,
    TokenPair,
    VerifiedToken,
)
from helpdesk_core.accounts.schemas.users import LoginAttemptFilters
from helpdesk_core.accounts.service.logins import Issued, login_of
from helpdesk_core.accounts.tokens import Tokens
from helpdesk_core.schemas import Dialect, Message, Page
from helpdesk_core.tenancy import set_unscoped
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Router

auth = Router("auth", tag="Authentication", document=Dialect.CLASSIC)
router = Router("users", tag="Authentication", document=Dialect.COMPREHENSIVE)


@dataclass(frozen=True, slots=True)
class Checked:
    """Credentials after a look at the account that they name, if there is one.

    Attributes:
        account: the account of that name.
        right: whether they open it.
        renewed_hash: what to store instead, when the password was hashed at another cost than today's.
    """

    account: Account | None
    right: bool
    renewed_hash: str | None = None


def check_credentials(ctx: Context, body: Credentials) -> Checked:
    """Look whether the password is right and the account open.

    An unknown name, a wrong password and a closed account take the same work, so that nobody can tell them apart.
    """
    set_unscoped(ctx.session)
    account = queries.account_by_name(ctx.session, body.username)
    passwords = ctx.services.get(Passwords)
    right = passwords.verify(account.password_hash if account else None, body.password)
    if account is None or not right or not account.is_active:
        return Checked(account, right=False)
    outdated = passwords.is_outdated(account.password_hash)
    return Checked(account, right=True, renewed_hash=passwords.hash(body.password) if outdated else None)


def _log_in(ctx: Context, body: Credentials, checked: Checked) -> Issued:
    client = client_of(ctx)
    service.record_attempt(ctx.session, body.username, checked.account, client, succeeded=checked.right)
    if checked.account is None or not checked.right:
        raise InvalidCredentials
    lifetime = ctx.services.get(Tokens).refresh_lifetime
    return service.log_in(ctx.session, checked.account, client, lifetime, renewed_hash=checked.renewed_hash)


def _exchange(ctx: Context, body: Refresh) -> Issued:
    return service.exchange(ctx.session, body.refresh, client_of(ctx), ctx.services.get(Tokens).refresh_lifetime)


def _access(ctx: Context, issued: Issued, dialect: Dialect) -> str:
    user: User = issued.user
    tokens = ctx.services.get(Tokens)
    return tokens.issue(user_id=user.id, login_id=issued.login_id, version=user.token_version, dialect=dialect)


def _classic(ctx: Context, issued: Issued) -> ClassicTokens:
    return ClassicTokens(access=_access(ctx, issued, Dialect.CLASSIC), refresh=issued.refresh)


def _pair(ctx: Context, issued: Issued) -> TokenPair:
    access = _access(ctx, issued, Dialect.COMPREHENSIVE)
    return shown(
        TokenPair,
        access=access,
        refresh=issued.refresh,
        access_token=access,
        refresh_token=issued.refresh,
        token_type="Bearer",  # noqa: S106 - the scheme
        expires_in=int(ctx.services.get(Tokens).lifetime.total_seconds()),
        user=as_they_see_themselves(ctx, issued.user),
    )


@auth.post("/token/", public=True, form=True, slow=True, prepare=check_credentials)
def obtain_token(ctx: Context, body: Credentials, prepared: Checked) -> ClassicTokens:
    """Obtain an access and a refresh token for a user name or an e-mail address, and a password."""
    return _classic(ctx, _log_in(ctx, body, prepared))


@router.post("/login/", public=True, form=True, slow=True, prepare=check_credentials)
def log_in(ctx: Context, body: Credentials, prepared: Checked) -> TokenPair:
    """Log in with a user name or an e-mail address, and a password."""
    return _pair(ctx, _log_in(ctx, body, prepared))


@auth.post("/token/refresh/", public=True, form=True)
def refresh_token(ctx: Context, body: Refresh) -> ClassicTokens:
    """Exchange a refresh token for a new pair; using one twice ends its login."""
    return _classic(ctx, _exchange(ctx, body))


@router.post("/refresh/", public=True, form=True)
def refresh(ctx: Context, body: Refresh) -> TokenPair:
    """Exchange a refresh token for a new pair; using one twice ends its login."""
    return _pair(ctx, _exchange(ctx, body))


@auth.post("/token/verify/", public=True, form=True)
def verify_token(ctx: Context, body: AccessToken) -> NoDetails:
    """Tell whether an access token is valid now: 401 if it is not."""
    standing(ctx.session, ctx.services.get(Tokens).read(body.token))
    return NoDetails()


@router.post("/verify/", public=True, form=True)
def verify(ctx: Context, body: AccessToken) -> VerifiedToken:
    """Tell whether an access token is valid now, and until when: 401 if it is not."""
    access = ctx.services.get(Tokens).read(body.token)
    standing(ctx.session, access)
    return VerifiedToken(valid=True, expires_at=access.expires_at)


@auth.post("/token/blacklist/", public=True, form=True)
def blacklist_token(ctx: Context, body: Refresh) -> NoDetails:
    """End the login of a refresh token; whether the token was known is not told."""
    _end_login_of(ctx, body.refresh)
    return NoDetails()


@router.post("/logout/", permission=permissions.USE)
def log_out(ctx: Context, body: OptionalRefresh) -> Message:
    """End the login of this request, or that of one of one's own refresh tokens: its tokens stop working at once."""
    login_id = ctx.principal.login_id if ctx.principal else None
    if body.refresh is not None:
        login_id = login_of(ctx.session, body.refresh, ctx.actor.user_id)
    if login_id is not None:
        service.end_login(ctx.session, login_id)
    return Message(message="Logged out successfully")


@router.post("/logout-all/", permission=permissions.USE)
def log_out_everywhere(ctx: Context) -> Message:
    """End every login of one's own, this one included."""
    service.end_logins(ctx.session, ctx.session.get_one(User, ctx.actor.user_id))
    return Message(message="Logged out everywhere")


@router.get("/login-attempts/", permission=permissions.USE)
def list_login_attempts(ctx: Context, query: LoginAttemptFilters) -> Page[LoginAttemptRead]:
    """Attempts to log in, newest first: at one's own account, and for administrators at any of the organization."""
    return ctx.page(queries.login_attempts, query)


def _end_login_of(ctx: Context, token: str) -> None:
    set_unscoped(ctx.session)
    login_id = login_of(ctx.session, token)
    if login_id is not None:
        service.end_login(ctx.session, login_id)
