"""What goes over the wire about versions of articles."""

from typing import Annotated

from pydantic import Field

from helpdesk_core.api import DbInt, Filters, Instant, Language, Person, Schema

Ordinal = Annotated[int, Field(ge=1)]


class VersionRow(Schema):
    """A version in a list."""

    id: DbInt
    number: Ordinal
    language: str | None
    """Of the translation that it is a version of; nothing for the article itself."""
    title: str
    note: str
    editor: Person
    created_at: Instant


class VersionRead(VersionRow):
    """A version with its content."""

    content: str


class VersionFilters(Filters):
    """Query parameters of the list of versions."""

    language: Language | None = None
    """The versions of this translation, instead of those of the article itself."""


class DiffQuery(Schema):
    """Query parameters of a comparison."""

    against: DbInt | None = None
    """The version to compare with; the one before if it is left out."""


class Difference(Schema):
    """What changed between two versions, in unified format."""

    before: Ordinal | None
    """Number of the older version; nothing when the first is compared with nothing."""
    after: Ordinal
    """Number of the newer version."""
    title: str
    content: str
