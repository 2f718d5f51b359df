"""`/attachments/`, and those of a ticket"""

from helpdesk_core.api import Context, Download, Key, Router, Upload
from helpdesk_tickets.permissions import ATTACH, VIEW
from helpdesk_tickets.queries.attachments import attachments
from helpdesk_tickets.schemas.attachments import AttachmentRead, ClassicAttachmentRead
from helpdesk_tickets.service import attachments as service

router = Router("attachments", tag="Attachments")


def _created(ctx: Context, file: Upload, ticket_id: int | None = None) -> AttachmentRead | ClassicAttachmentRead:
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
def create_attachment(ctx: Context, file: Upload) -> AttachmentRead | ClassicAttachmentRead:
    """Upload a file as the part `file`; name its id in `attachments` of a ticket."""
    return _created(ctx, file)


@router.get("/{attachment}/", permission=VIEW)
def retrieve_attachment(ctx: Context, attachment: Key) -> AttachmentRead | ClassicAttachmentRead:
    """What is known of a file."""
    return ctx.one(attachments, attachment)


@router.get("/{attachment}/download/", permission=VIEW)
def download_attachment(ctx: Context, attachment: Key) -> Download:
    """Its content, always as a download."""
    found = service.visible_attachment(ctx.session, ctx.actor, attachment)
    return Download(ctx.services.files.read(found.file_key), found.filename, found.content_type, found.size)


@router.delete("/{attachment}/", permission=ATTACH)
def delete_attachment(ctx: Context, attachment: Key) -> None:
    """Remove a file that one uploaded; administrators remove any."""
    service.delete_attachment(ctx.session, ctx.actor, attachment, store=ctx.services.files)
