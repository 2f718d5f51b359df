"""Sessions of browsers: logins that a cookie stands for, see docs/decisions/0014-sessions-are-logins.md."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, update
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts.events import UserLoggedOut
from helpdesk_core.accounts.models import Login, RefreshToken
from helpdesk_core.accounts.service.logins import Issued
from helpdesk_core.accounts.tokens import hash_of
from helpdesk_core.events import now, publish
from helpdesk_core.statements import Prepared
from helpdesk_core.tenancy import organization_of, reaching

# Below the ORM: the session of before may be that of somebody in another organisation.
_END = Prepared(
    update(Login)
    .where(Login.secret_hash == bindparam("of_secret"), Login.ended_at.is_(None))
    .values(ended_at=bindparam("moment"))
    .returning(Login.id, Login.user_id, Login.organization_id)
)


def become_session(session: Session, issued: Issued, lifetime: timedelta) -> tuple[str, datetime]:
    """Turn a login that has just begun into a session: its refresh token gives way to the secret of a cookie.

    Whatever way of logging in led to `issued` can therefore end in a session.

    Returns:
        The secret, of which only a hash is stored, and when the session ends.
    """
    secret, expires_at = secrets.token_urlsafe(32), now(session) + lifetime
    session.execute(delete(RefreshToken).where(RefreshToken.login_id == issued.login_id))
    login = session.get_one(Login, issued.login_id)
    login.kind, login.secret_hash, login.expires_at = "session", hash_of(secret), expires_at
    session.flush()
    return secret, expires_at


def end_session_of(session: Session, secret: str) -> None:
    """End the session that has this secret, if there is one: that of a browser which signs in anew."""
    with reaching(session):
        ended = _END.rows(session, {"of_secret": hash_of(secret), "moment": now(session)})
    for login_id, user_id, organization_id in ended:
        audit.record(session, "login.ended", "login", login_id, actor_id=user_id, organization_id=organization_id)
        if organization_id == organization_of(session):  # another one's history is not written from here
            publish(session, UserLoggedOut(user_id=user_id, login_id=login_id))
