"""Attachments: files that belong to a ticket, or to their uploader until a ticket refers to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from helpdesk_core.api import (
    Actor,
    FileStore,
    Invalid,
    NotFound,
    PermissionDenied,
    discard_upload,
    now,
    publish,
    store_upload,
)
from helpdesk_tickets.events import AttachmentCreated, AttachmentDeleted, AttachmentMoved
from helpdesk_tickets.models import Attachment, Ticket
from helpdesk_tickets.permissions import DELETE_ATTACHMENTS
from helpdesk_tickets.queries.visibility import WithTicket
from helpdesk_tickets.service.people import people_of
from helpdesk_tickets.uploads import HEAD, believed_type, declared_type, safe_name


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file as a client sent it.

    Attributes:
        content: at its beginning.
        filename: as the client calls it.
        content_type: as the client declares it.
    """

    content: BinaryIO
    filename: str | None
    content_type: str | None


def create_attachment(
    session: Session, actor: Actor, file: UploadedFile, *, store: FileStore, limit: int, ticket_id: int | None = None
) -> Attachment:
    """Store a file, for a ticket or for one that is to come.

    Args:
        session: its rollback removes the file again.
        actor: who uploads.
        file: what was sent.
        store: keeps the content.
        limit: most bytes.
        ticket_id: key of a ticket that the actor can see.

    Raises:
        Invalid: there is no file, it is empty, or its type has no form of one.
        PayloadTooLarge: it has more bytes than `limit`.
    """
    media = declared_type(file.content_type)
    if not file.filename:
        raise Invalid.field("file", "This field is required.")
    if media is None:
        raise Invalid.field("file", "Its content type must look like image/png.")
    head = file.content.read(HEAD)
    if not head:
        raise Invalid.field("file", "The file is empty.")
    file.content.seek(0)
    key, size = store_upload(session, store, file.content, limit)
    attachment = Attachment(
        ticket_id=ticket_id,
        uploaded_by_id=actor.user_id,
        filename=safe_name(file.filename),
        content_type=believed_type(media, head),
        size=size,
        file_key=key,
        created_at=now(session),
    )
    session.add(attachment)
    session.flush()
    concerned = people_of(session, ticket_id) | {actor.user_id}
    publish(session, AttachmentCreated(attachment_id=attachment.id, ticket_id=ticket_id), concerns=concerned)
    return attachment


def delete_attachment(session: Session, actor: Actor, attachment_id: int, *, store: FileStore) -> None:
    """Remove a file that the actor uploaded, or any that an administrator sees."""
    attachment = visible_attachment(session, actor, attachment_id)
    if attachment.uploaded_by_id != actor.user_id and not actor.can(DELETE_ATTACHMENTS):
        raise PermissionDenied("Only its uploader and administrators can delete a file.")
    session.delete(attachment)
    session.flush()
    discard_upload(session, store, attachment.file_key)
    concerned = people_of(session, attachment.ticket_id) | {attachment.uploaded_by_id}
    deleted = AttachmentDeleted(attachment_id=attachment_id, ticket_id=attachment.ticket_id)
    publish(session, deleted, concerns=concerned)


def visible_attachment(session: Session, actor: Actor, attachment_id: int) -> Attachment:
    """Return an attachment that the actor may see; `NotFound` when there is none."""
    visible = WithTicket()
    wanted = select(Attachment).where(Attachment.id == attachment_id, visible.criterion(visible.variant(actor)))
    attachment = session.scalars(wanted, {"actor_id": actor.user_id}).one_or_none()
    if attachment is None:
        raise NotFound
    return attachment


def attach(session: Session, actor: Actor, ticket: Ticket, ids: Sequence[int]) -> tuple[list[int], list[int]]:
    """Make `ids` the attachments of `ticket`, and return their keys before and after.

    A ticket keeps what it has and takes files that the actor uploaded for no ticket yet. What it loses goes back to
    its uploader, as a file of no ticket.

    Raises:
        Invalid: one of `ids` is neither.
    """
    of_ticket = Attachment.ticket_id == ticket.id
    before = list(session.scalars(select(Attachment.id).where(of_ticket).order_by(Attachment.id)))
    wanted = set(ids)
    usable = or_(of_ticket, Attachment.ticket_id.is_(None) & (Attachment.uploaded_by_id == actor.user_id))
    found = set(session.scalars(select(Attachment.id).where(Attachment.id.in_(wanted), usable)))
    unknown = sorted(wanted - found)
    if unknown:
        raise Invalid.field("attachments", f"There is no file {unknown[0]} to attach.")
    _move(session, sorted(set(before) - wanted), None)
    _move(session, sorted(wanted - set(before)), ticket.id)
    return before, sorted(wanted)


def announce_files(session: Session, ticket_id: int, before: Sequence[int], after: Sequence[int]) -> None:
    """Publish which files went to a ticket and which it lost."""
    moved = set(before) ^ set(after)
    if not moved:
        return
    people = people_of(session, ticket_id)
    uploaders = select(Attachment.id, Attachment.uploaded_by_id).where(Attachment.id.in_(moved)).order_by(Attachment.id)
    for key, uploader in session.execute(uploaders):
        event = AttachmentMoved(attachment_id=key, ticket_id=ticket_id)
        publish(session, event, concerns=people | {uploader})


def _move(session: Session, keys: Sequence[int], ticket_id: int | None) -> None:
    if keys:
        chosen = update(Attachment).where(Attachment.id.in_(keys)).values(ticket_id=ticket_id)
        session.execute(chosen.execution_options(synchronize_session=False))
