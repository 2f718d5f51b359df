"""Tokens: obtained, exchanged, verified and revoked, under the paths of both documents."""

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.authenticators import standing
from helpdesk_core.accounts.models import User
from helpdesk_core.accounts.routes.answers import as_they_see_themselves, client_of, shown
from helpdesk_core.accounts.routes.sign_in import (
    Checked,
    CheckedChallenge,
    admit,
    admit_by_challenge,
    begin_login,
    check_challenge,
    check_credentials,
)
from helpdesk_core.accounts.routes.users import subordinate
from helpdesk_core.accounts.schemas.tokens import (
    AccessToken,
    ChallengeAnswer,
    ClassicTokens,
    Credentials,
    LoginAttemptRead,
    NoDetails,
    OptionalRefresh,
    Refresh,
    TokenPair,
    VerifiedToken,
)
from helpdesk_core.accounts.schemas.users import LoginAttemptFilters, UserExtras, UserRead
from helpdesk_core.accounts.service import delays
from helpdesk_core.accounts.service.logins import Issued, login_of
from helpdesk_core.accounts.tokens import Tokens
from helpdesk_core.schemas import Dialect, Message, Page
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router

auth = Router("auth", tag="Authentication", document=Dialect.CLASSIC)
router = Router("users", tag="Authentication", document=Dialect.COMPREHENSIVE)


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


@auth.post("/token/", public=True, limit="authentication", form=True, slow=True, prepare=check_credentials)
def obtain_token(ctx: Context, body: Credentials, prepared: Checked) -> ClassicTokens:
    """Obtain an access and a refresh token for a user name or an e-mail address, and a password.

    An account with a second factor takes a code as well, in `otp`. Without one the answer is 401, and its details have
    `otp_required` and a `challenge_token` for `/users/2fa/login/`.
    """
    return _classic(ctx, begin_login(ctx, admit(ctx, body, prepared, Dialect.CLASSIC)))


@router.post("/login/", public=True, limit="authentication", form=True, slow=True, prepare=check_credentials)
def log_in(ctx: Context, body: Credentials, prepared: Checked) -> TokenPair:
    """Log in with a user name or an e-mail address, and a password.

    An account with a second factor takes a code as well, in `otp`. Without one the answer is 401, and its details have
    `otp_required` and a `challenge_token` for `/users/2fa/login/`.
    """
    return _pair(ctx, begin_login(ctx, admit(ctx, body, prepared, Dialect.COMPREHENSIVE)))


@router.post("/2fa/login/", public=True, limit="authentication", slow=True, prepare=check_challenge)
def log_in_with_code(ctx: Context, body: ChallengeAnswer, prepared: CheckedChallenge) -> TokenPair | ClassicTokens:  # noqa: ARG001
    """Log in with the challenge of a login that lacked a code, and the code.

    The answer is that of the endpoint where the login began. A challenge is good for five minutes and one login.
    """
    issued = begin_login(ctx, admit_by_challenge(ctx, prepared))
    return _classic(ctx, issued) if prepared.challenge.dialect is Dialect.CLASSIC else _pair(ctx, issued)


@auth.post("/token/refresh/", public=True, limit="general", form=True)
def refresh_token(ctx: Context, body: Refresh) -> ClassicTokens:
    """Exchange a refresh token for a new pair; using one twice ends its login."""
    return _classic(ctx, _exchange(ctx, body))


@router.post("/refresh/", public=True, limit="general", form=True)
def refresh(ctx: Context, body: Refresh) -> TokenPair:
    """Exchange a refresh token for a new pair; using one twice ends its login."""
    return _pair(ctx, _exchange(ctx, body))


@auth.post("/token/verify/", public=True, limit="general", form=True)
def verify_token(ctx: Context, body: AccessToken) -> NoDetails:
    """Tell whether an access token is valid now: 401 if it is not."""
    standing(ctx.session, ctx.services.get(Tokens).read(body.token))
    return NoDetails()


@router.post("/verify/", public=True, limit="general", form=True)
def verify(ctx: Context, body: AccessToken) -> VerifiedToken:
    """Tell whether an access token is valid now, and until when: 401 if it is not."""
    access = ctx.services.get(Tokens).read(body.token)
    standing(ctx.session, access)
    return VerifiedToken(valid=True, expires_at=access.expires_at)


@auth.post("/token/blacklist/", public=True, limit="general", form=True)
def blacklist_token(ctx: Context, body: Refresh) -> NoDetails:
    """End the login of a refresh token; whether the token was known is not told."""
    service.end_login_of(ctx.session, body.refresh)
    return NoDetails()


@router.post("/logout/", permission=permissions.USE, personal=True, enrolling=True)
def log_out(ctx: Context, body: OptionalRefresh) -> Message:
    """End the login of this request, or that of one of one's own refresh tokens: its tokens stop working at once.

    With a refresh token that is unknown or somebody else's, the login of this request ends.
    """
    login_id = login_of(ctx.session, body.refresh, ctx.actor.user_id) if body.refresh is not None else None
    if login_id is None and ctx.principal is not None:
        login_id = ctx.principal.login_id
    if login_id is not None:
        service.end_login(ctx.session, login_id)
    return Message(message="Logged out successfully")


@router.post("/logout-all/", permission=permissions.USE, personal=True, enrolling=True)
def log_out_everywhere(ctx: Context) -> Message:
    """End every login of one's own, this one included."""
    service.end_logins(ctx.session, ctx.session.get_one(User, ctx.actor.user_id))
    return Message(message="Logged out everywhere")


@router.get("/login-attempts/", permission=permissions.USE)
def list_login_attempts(ctx: Context, query: LoginAttemptFilters) -> Page[LoginAttemptRead]:
    """Attempts to log in, newest first: at one's own account, and for administrators at any of the organization."""
    return ctx.page(queries.login_attempts, query)


@router.post("/{user_id}/unlock/", permission=permissions.MANAGE_USERS, include=UserExtras)
def unlock_user(ctx: Context, user_id: Key) -> UserRead:
    """Let a user log in at once who has to wait because of failed attempts, from wherever those came."""
    delays.unlock(ctx.session, subordinate(ctx, user_id).id)
    return ctx.one(queries.users, user_id)
