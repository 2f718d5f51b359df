"""What goes over the wire about articles and tickets."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from helpdesk_core.api import Body, DbInt, Filters, Instant, Person, Ref, Schema, Words
from helpdesk_kb.names import cleared_to
from helpdesk_kb.schemas.articles import Audience, Status

Kind = Literal["suggested", "sent", "solved", "source"]
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


def _id_of(value: Any) -> Any:
    return value["id"] if isinstance(value, Mapping) and "id" in value else value


TicketRef = Annotated[
    Annotated[DbInt | Annotated[str, Field(pattern=UUID)], Field(union_mode="left_to_right")], BeforeValidator(_id_of)
]
"""A ticket by its integer key or its UUID, or the object that was read."""


class TicketNamed(Schema):
    """The ticket that something is about."""

    ticket: TicketRef


class SendArticle(TicketNamed):
    """What is sent to the requester of a ticket."""

    message: Annotated[Body, Field(max_length=20_000), cleared_to("")] = ""
    """What stands before the article in the reply."""


class ArticleFromTicket(TicketNamed):
    """The ticket that a draft is made of, and where the draft goes."""

    category: Ref | None = None
    audience: Audience | None = None
    """Whom it is to be for; the organisation's default if left out."""


class LinkedArticle(Schema):
    """An article as links show it."""

    id: DbInt
    title: str
    status: Status
    audience: Audience


class LinkedTicket(Schema):
    """A ticket as links show it."""

    id: DbInt | str
    ticket_number: str
    title: str
    status: str


class LinkRead(Schema):
    """That an article and a ticket belong together."""

    id: DbInt
    kind: Kind
    """It may help, was sent to the requester, solved the ticket, or was written from it."""
    article: LinkedArticle
    ticket: LinkedTicket
    user: Person
    """Who made the link."""
    created_at: Instant


class SentArticle(Schema):
    """What was sent to the requester of a ticket."""

    content: str
    """The comment, in Markdown."""
    url: str
    """Where the requester can open the article; one that is not public asks them to sign in first."""
    comment: DbInt
    """Key of the comment."""
    link: LinkRead


class LinkFilters(Filters):
    """Query parameters of lists of links."""

    kind: Words[Kind] | None = None
