"""What goes over the wire about translations of articles."""

from typing import Annotated, Literal

from pydantic import Field

from helpdesk_core.api import Body, DbInt, Filters, Instant, Language, Person, Schema, Text, Words
from helpdesk_kb.names import cleared_to, untouched
from helpdesk_kb.schemas.articles import Title

TranslationStatus = Literal["draft", "published"]
Ordinal = Annotated[int, Field(ge=1)]


class TranslationRow(Schema):
    """A translation in a list."""

    id: DbInt
    article: DbInt
    """Key of the article."""
    language: str
    title: str
    slug: str
    """The name in addresses of the help centre; it follows the title, and old ones lead to it."""
    status: TranslationStatus
    author: Person
    version: Ordinal
    source_version: Ordinal
    """The version of the article that it says the same as."""
    outdated: bool
    """Whether title or content of the article have changed since then."""
    published_at: Instant | None
    created_at: Instant
    updated_at: Instant


class TranslationRead(TranslationRow):
    """A translation."""

    content: str


class TranslationExtras(Schema):
    """What is shown of a translation on request."""

    html: str
    """The content as safe HTML."""


class TranslationUpdate(Schema):
    """Changes of a translation; what is left out stays. A new title or content makes a new version."""

    read_only = frozenset(
        {
            *("id", "article", "language", "slug", "html", "author", "version", "outdated"),
            *("published_at", "created_at", "updated_at"),
        }
    )

    title: Title = untouched()
    content: Annotated[Body, cleared_to("")] = untouched()
    status: TranslationStatus = untouched()
    source_version: DbInt | None = None
    """The version of the article that it now says the same as; the newest if title or content are sent without it."""
    note: Annotated[Text, Field(max_length=255)] = ""
    """What was changed and why, for the list of versions."""


class TranslationCreate(TranslationUpdate):
    """An article in another language, in Markdown; a draft unless `status` says otherwise."""

    read_only = TranslationUpdate.read_only - {"language"}

    language: Annotated[Language, Field(examples=["de"])]
    """Of two letters, with a region or without; not that of the article itself."""
    title: Title
    content: Annotated[Body, cleared_to("")]
    status: TranslationStatus = "draft"


class TranslationFilters(Filters):
    """Query parameters of the list of translations."""

    status: Words[TranslationStatus] | None = None
