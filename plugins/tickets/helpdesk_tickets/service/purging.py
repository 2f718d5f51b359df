"""Forgetting for good: uploads that no ticket refers to, and tickets that were deleted long ago."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from helpdesk_core.api import FileStore, discard_upload, now
from helpdesk_tickets.models import Attachment, Ticket

ORPHANS_AFTER = timedelta(hours=24)
DELETED_AFTER = timedelta(days=30)
BATCH = 500


@dataclass(frozen=True)
class Purged:
    """How much was forgotten.

    Attributes:
        uploads: files without a ticket.
        tickets: deleted tickets, with all that belongs to them.
    """

    uploads: int
    tickets: int


def purge(
    session: Session,
    files: FileStore,
    *,
    orphans_after: timedelta = ORPHANS_AFTER,
    deleted_after: timedelta = DELETED_AFTER,
) -> Purged:
    """Forget what nobody can reach any more; files go when the transaction is committed.

    Args:
        session: unscoped, since it looks at all organisations.
        files: where uploads are stored.
        orphans_after: how long an upload may wait for a ticket.
        deleted_after: how long a deleted ticket can be restored.
    """
    moment = now(session)
    orphans = _forget_files(
        session, files, Attachment.ticket_id.is_(None), Attachment.created_at < moment - orphans_after
    )
    gone = select(Ticket.id).where(Ticket.deleted_at < moment - deleted_after)
    tickets = list(session.scalars(gone))
    for start in range(0, len(tickets), BATCH):
        part = tickets[start : start + BATCH]
        _forget_files(session, files, Attachment.ticket_id.in_(part))
        session.execute(delete(Ticket).where(Ticket.id.in_(part)))  # what belongs to them follows by foreign key
    return Purged(orphans, len(tickets))


def discard_files(session: Session, files: FileStore) -> None:
    """Remove every stored file once the transaction is committed: the tables are about to be dropped."""
    for key in session.scalars(select(Attachment.file_key)):
        discard_upload(session, files, key)


def _forget_files(session: Session, files: FileStore, *which: ColumnElement[bool]) -> int:
    attachments = session.scalars(select(Attachment).where(*which)).all()
    for attachment in attachments:
        discard_upload(session, files, attachment.file_key)
        session.delete(attachment)
    session.flush()
    return len(attachments)
