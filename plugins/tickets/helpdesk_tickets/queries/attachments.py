"""What can be read of attachments."""

from helpdesk_core.api import Computed, Dialect, Many, ReadModel, Viewer, equals, words_in
from helpdesk_tickets.models import Attachment
from helpdesk_tickets.queries.visibility import WithTicket
from helpdesk_tickets.schemas.attachments import AttachmentRead, ClassicAttachmentRead


def url_of(_: Viewer, attachment_id: int) -> str:
    """Return where the content of an attachment is."""
    return f"/api/v1/attachments/{attachment_id}/download/"


Shown = AttachmentRead | ClassicAttachmentRead

SCHEMAS: dict[Dialect, type[Shown]] = {
    Dialect.COMPREHENSIVE: AttachmentRead,
    Dialect.CLASSIC: ClassicAttachmentRead,
}
FIELDS = {"url": Computed(url_of, Attachment.id)}

attachments: ReadModel[Shown] = ReadModel(
    Attachment,
    schema=SCHEMAS,
    fields=FIELDS,
    filters={"ticket": equals(Attachment.ticket_id)},
    ordering={
        "created_at": Attachment.created_at,
        "filename": Attachment.filename,
        "size": Attachment.size,
        "id": Attachment.id,
    },
    default_order="id",
    search=words_in(Attachment.filename),
    visible=WithTicket(),
)

attachments_of_tickets = {
    dialect: Many(Attachment.ticket_id, schema, order=(Attachment.id,), fields=FIELDS)
    for dialect, schema in SCHEMAS.items()
}
"""The field `attachments` of tickets in each dialect, oldest first."""
