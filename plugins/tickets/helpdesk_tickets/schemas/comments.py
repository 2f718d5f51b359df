"""What goes over the wire about comments."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from helpdesk_core.api import Body, DbInt, Filters, Instant, Person, Schema, Username
from helpdesk_tickets.names import untouched


def _with_text(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "This field may not be blank.")
    return value


Content = Annotated[Body, AfterValidator(_with_text)]


class CommentRead(Schema):
    """A comment in COMPREHENSIVE."""

    id: DbInt
    content: str
    author: Person
    is_internal: bool
    created_at: Instant


class ClassicCommentRead(Schema):
    """A comment in CLASSIC."""

    id: DbInt
    content: str
    author: Username
    is_internal: bool
    created_at: Instant
    updated_at: Instant


class CommentExtras(Schema):
    """What `?include=` adds."""

    updated_at: Instant


class CommentCreate(Schema):
    """A new comment."""

    read_only = frozenset({"id", "author", "created_at", "updated_at"})

    content: Content
    is_internal: bool = False
    """Whether only staff may read it."""


class CommentUpdate(CommentCreate):
    """Changes of a comment; what is left out stays."""

    content: Content = untouched()
    is_internal: bool = untouched()


class CommentFilters(Filters):
    """Query parameters of the list of a ticket's comments."""
