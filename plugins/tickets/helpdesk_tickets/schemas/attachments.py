"""What goes over the wire about attachments."""

from typing import Annotated

from pydantic import Field

from helpdesk_core.api import DbInt, Filters, Instant, Person, Ref, Schema, Username

AttachmentRefs = Annotated[list[Ref], Field(max_length=50)]
"""In the body of a ticket: the files that it is to have, as ids or as the objects that were read."""


class AttachmentRead(Schema):
    """An uploaded file, as COMPREHENSIVE shows it."""

    id: DbInt
    filename: str
    content_type: str
    size: Annotated[int, Field(ge=0)]
    url: str
    """Where its content is, for those who may see it."""
    uploaded_by: Person
    created_at: Instant


class ClassicAttachmentRead(Schema):
    """An uploaded file, as CLASSIC shows it."""

    id: DbInt
    filename: str
    content_type: str
    size: Annotated[int, Field(ge=0)]
    url: str
    """Where its content is, for those who may see it."""
    uploaded_by: Username
    created_at: Instant


class AttachmentFilters(Filters):
    """Query parameters of the list of a ticket's attachments."""
