"""Tickets: how a browser, which cannot set headers for a socket, opens one without a token in the address.

A ticket opens one socket, within half a minute. The socket then lives as long as the login that asked for it: it ends
when that is logged out, its user is deactivated, or its session has run out.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from helpdesk_core.accounts.authenticators import BadSession, Grants, standing
from helpdesk_core.accounts.models import Login, SocketTicket, User
from helpdesk_core.accounts.tokens import DIALECTS, Access, hash_of
from helpdesk_core.clock import Clock, stored_instant
from helpdesk_core.database import commit
from helpdesk_core.events import now
from helpdesk_core.schemas import Dialect
from helpdesk_core.settings import Settings
from helpdesk_core.statements import Prepared
from helpdesk_core.tenancy import set_unscoped
from helpdesk_core.web.authentication import Principal
from helpdesk_core.web.context import Services
from helpdesk_core.web.realtime.admission import Door, Standing

LIFETIME = timedelta(seconds=30)

_REDEEM = Prepared(
    delete(SocketTicket)
    .where(
        SocketTicket.ticket_hash == bindparam("ticket_hash"),
        SocketTicket.expires_at > bindparam("now", type_=SocketTicket.expires_at.type),
    )
    .returning(SocketTicket.user_id, SocketTicket.login_id, SocketTicket.token_version, SocketTicket.dialect)
)
_ENDS = Prepared(select(Login.expires_at).where(Login.id == bindparam("login_id")))


def issue_ticket(session: Session, user_id: int, login_id: int, dialect: Dialect) -> tuple[str, datetime]:
    """Return a ticket for a login, and until when it can be used; those of before that nobody used are forgotten."""
    moment = now(session)
    session.execute(delete(SocketTicket).where(SocketTicket.expires_at <= moment))
    ticket, expires_at = secrets.token_urlsafe(32), moment + LIFETIME
    session.add(
        SocketTicket(
            ticket_hash=hash_of(ticket),
            user_id=user_id,
            login_id=login_id,
            token_version=session.get_one(User, user_id).token_version,
            dialect=dialect.value,
            expires_at=expires_at,
        )
    )
    session.flush()
    return ticket, expires_at


def redeem(services: Services, session: Session, ticket: str, moment: datetime) -> Standing | None:
    """Use a ticket up; see `Door`."""
    set_unscoped(session)
    rows = _REDEEM.rows(session, {"ticket_hash": hash_of(ticket), "now": moment})
    commit(session)
    if not rows:
        return None
    user_id, login_id, version, dialect = rows[0]
    ends_at = _ENDS.rows(session, {"login_id": login_id})[0][0]
    access = Access(user_id, login_id, version, DIALECTS[dialect], moment)
    return _standing(services, access, None if ends_at is None else stored_instant(ends_at))


def _standing(services: Services, access: Access, ends_at: datetime | None) -> Standing:
    grants = Grants(services.roles)

    def find(session: Session) -> Principal:
        actor = grants.actor(standing(session, access))
        if ends_at is not None and ends_at <= services.clock.now():
            raise BadSession
        return Principal(actor, access.dialect, "ticket", access.login_id, expires_at=ends_at)

    return find


def door(_: Settings, __: Clock) -> Door:
    """Return what lets holders of tickets in."""
    return Door(redeem)
