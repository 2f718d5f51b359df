"""`/attachments/`, and those of a ticket"""

from helpdesk_core.api import Context, Download, Key, Page, Router, Upload
from helpdesk_tickets.permissions import ATTACH, VIEW
from helpdesk_tickets.queries.attachments import attachments
from helpdesk_tickets.routes.paths import TicketKey, found
from helpdesk_tickets.schemas.attachments import AttachmentFilters, AttachmentRead, ClassicAttachmentRead
from helpdesk_tickets.service import attachments as service

router = Router("attachments", tag="Attachments")
of_tickets = Router("tickets", tag="Attachments")

Attachment = AttachmentRead | ClassicAttachmentRead


def _created(ctx: Context, file: Upload, ticket_id: int | None = None) -> Attachment:
    uploaded = service.UploadedFile(file.file, file.filename, file.content_type)
    made = service.create_attachment(
        ctx.session,
        ctx.actor,
        uploaded,
        store=ctx.services.files,
        limit=ctx.services.settings.max_upload_bytes,
        ticket_id=ticket_id,
    )
    return ctx.one(attachments, made.id)


@router.post("/", permission=ATTACH, status=201, slow=True)
def create_attachment(ctx: Context, file: Upload) -> Attachment:
    """Upload a file as the part `file`; name its id in `attachments` of a ticket."""
    return _created(ctx, file)


@router.get("/{attachment}/", permission=VIEW)
def retrieve_attachment(ctx: Context, attachment: Key) -> Attachment:
    """What is known of a file."""
    return ctx.one(attachments, attachment)


@router.get("/{attachment}/download/", permission=VIEW)
def download_attachment(ctx: Context, attachment: Key) -> Download:
    """Its content, always as a download."""
    stored = service.visible_attachment(ctx.session, ctx.actor, attachment)
    return Download(ctx.services.files.read(stored.file_key), stored.filename, stored.content_type, stored.size)


@router.delete("/{attachment}/", permission=ATTACH)
def delete_attachment(ctx: Context, attachment: Key) -> None:
    """Remove a file that one uploaded; administrators remove any."""
    service.delete_attachment(ctx.session, ctx.actor, attachment, store=ctx.services.files)


@of_tickets.get("/{ticket}/attachments/", permission=VIEW)
def list_ticket_attachments(
    ctx: Context, ticket: TicketKey, query: AttachmentFilters
) -> Page[AttachmentRead | ClassicAttachmentRead]:
    """The files of a ticket, oldest first."""
    return ctx.page(attachments, query, ticket=found(ctx, ticket))


@of_tickets.post("/{ticket}/attachments/", permission=ATTACH, status=201, slow=True)
def create_ticket_attachment(ctx: Context, ticket: TicketKey, file: Upload) -> Attachment:
    """Upload a file to a ticket as the part `file`."""
    return _created(ctx, file, found(ctx, ticket))
