"""Sessions of browsers: begun and ended by a cookie; and a person's open logins of every kind."""

from datetime import timedelta
from typing import Any, cast

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.csrf import Csrf
from helpdesk_core.accounts.routes.answers import as_they_see_themselves, shown
from helpdesk_core.accounts.routes.sign_in import Checked, admit, begin_login, check_credentials
from helpdesk_core.accounts.schemas.sessions import CsrfToken, LoginFilters, LoginRead, SessionOpened
from helpdesk_core.accounts.schemas.tokens import Credentials
from helpdesk_core.accounts.secrets import SESSION_COOKIE, session_secret
from helpdesk_core.accounts.service.logins import Issued
from helpdesk_core.errors import NotFound
from helpdesk_core.schemas import Dialect, Page
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router

router = Router("users", tag="Sessions", document=Dialect.COMPREHENSIVE)


def check_sign_in(ctx: Context, body: Credentials) -> Checked:
    """Refuse what another site's page sends, which would sign its visitors in as somebody else; then look as usual."""
    ctx.services.get(Csrf).check_origin(ctx.incoming)
    return check_credentials(ctx, body)


@router.post("/session/", public=True, limit="authentication", slow=True, prepare=check_sign_in)
def open_session(ctx: Context, body: Credentials, prepared: Checked) -> SessionOpened:
    """Sign in from a browser: like `/users/login/`, but answered with a cookie instead of tokens.

    The cookie is new with every sign-in. What changes something needs `X-CSRFToken` as well, see `/users/csrf/`.
    """
    return begin_session(ctx, begin_login(ctx, admit(ctx, body, prepared, Dialect.COMPREHENSIVE)))


def begin_session(ctx: Context, issued: Issued) -> SessionOpened:
    """Make a session of a login that has just begun; the one that the browser had before ends."""
    before = _secret_of(ctx)
    if before:
        service.end_session_of(ctx.session, before)
    lifetime = timedelta(days=ctx.services.settings.session_days)
    secret, expires_at = service.become_session(ctx.session, issued, lifetime)
    ctx.headers["Set-Cookie"] = _cookie(ctx, secret, int(lifetime.total_seconds()))
    return shown(
        SessionOpened,
        user=as_they_see_themselves(ctx, issued.user),
        csrf_token=ctx.services.get(Csrf).token(secret),
        expires_at=expires_at,
    )


@router.delete("/session/", permission=permissions.USE, personal=True, enrolling=True)
def close_session(ctx: Context) -> None:
    """Sign out: the session of this request ends, for every copy of its cookie."""
    principal = ctx.principal
    if principal is None or principal.method != "session" or principal.login_id is None:
        raise NotFound("This request has no session.")
    service.end_login(ctx.session, principal.login_id)
    ctx.headers["Set-Cookie"] = _cookie(ctx, "", 0)


@router.get("/csrf/", public=True, limit="general")
def retrieve_csrf_token(ctx: Context) -> CsrfToken:
    """What has to be sent as `X-CSRFToken` with requests that change something, for the session of this request."""
    secret = _secret_of(ctx)
    signed_in = secret and ctx.principal is not None and ctx.principal.method == "session"
    return CsrfToken(csrf_token=ctx.services.get(Csrf).token(secret) if secret and signed_in else None)


@router.get("/sessions/", permission=permissions.USE, personal=True)
def list_sessions(ctx: Context, query: LoginFilters) -> Page[LoginRead]:
    """One's own open logins, newest first: sessions of browsers, and logins by token."""
    found = ctx.page(queries.logins, query, open_at=ctx.now)
    current = ctx.principal.login_id if ctx.principal else None
    for row in cast("list[dict[str, Any]]", found.results):
        row["is_current"] = row["id"] == current
    return found


@router.delete("/sessions/{session_id}/", permission=permissions.USE, personal=True)
def end_session(ctx: Context, session_id: Key) -> None:
    """End one of one's own logins: its cookie or its tokens stop working at once."""
    service.end_login(ctx.session, queries.logins.find_one(ctx.session, ctx.viewer, queries.logins.key, session_id))


def _secret_of(ctx: Context) -> str | None:
    return session_secret(ctx.incoming.headers.get("cookie"))


def _cookie(ctx: Context, secret: str, seconds: int) -> str:
    secure = "; Secure" if ctx.incoming.base_url.lower().startswith("https:") else ""
    return f"{SESSION_COOKIE}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
