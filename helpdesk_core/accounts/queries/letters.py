"""What can be read of invitations, and of what links in mails name."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, select
from sqlalchemy.orm import Session

from helpdesk_core.accounts.models import (
    Confirmation,
    Invitation,
)
from helpdesk_core.accounts.schemas.invitations import InvitationRead
from helpdesk_core.clock import api_time
from helpdesk_core.queries import Computed, Prepared, ReadModel, Viewer, words_in
from helpdesk_core.queries.filters import Filter
from helpdesk_core.tenancy import reaching


@dataclass(frozen=True)
class PendingAt(Filter):
    """Invitations that can be accepted at an instant, or those that cannot."""

    waiting: bool

    def criterion(self, name: str, arity: int) -> ColumnElement[bool]:
        """Compare with the instant."""
        unanswered = and_(Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None))
        waiting = and_(unanswered, Invitation.expires_at > bindparam(f"{name}_0", type_=Invitation.expires_at.type))
        return waiting if self.waiting else ~waiting


def _invitation_status(viewer: Viewer, accepted_at: Any, revoked_at: Any, expires_at: str) -> str:
    if accepted_at or revoked_at:
        return "accepted" if accepted_at else "revoked"
    return "pending" if expires_at > api_time(viewer.now) else "expired"


invitations = ReadModel(
    Invitation,
    schema=InvitationRead,
    fields={
        "status": Computed(_invitation_status, Invitation.accepted_at, Invitation.revoked_at, Invitation.expires_at)
    },
    filters={"pending": PendingAt(waiting=True), "settled": PendingAt(waiting=False)},
    ordering=["created_at", "expires_at", "email"],
    default_order="-created_at",
    search=words_in(Invitation.email),
)


def organization_of_link(session: Session, row: type[Confirmation | Invitation], key: int) -> int | None:
    """Return the organisation of what a link names; read before the session has one."""
    with reaching(session):
        found = _OF_LINK[row].rows(session, {"key": key})
    return found[0][0] if found else None


_OF_LINK = {
    row: Prepared(select(row.organization_id).where(row.id == bindparam("key"))) for row in (Confirmation, Invitation)
}
