"""What happens around tickets."""

from typing import ClassVar

from helpdesk_core.api import Event


class AttachmentCreated(Event):
    """A file was uploaded."""

    type: ClassVar[str] = "attachment.created"

    attachment_id: int
    ticket_id: int | None
    """Nothing while no ticket refers to the file."""


class AttachmentDeleted(Event):
    """A file was removed."""

    type: ClassVar[str] = "attachment.deleted"

    attachment_id: int
    ticket_id: int | None


class CategoryCreated(Event):
    """A category was added."""

    type: ClassVar[str] = "category.created"

    category_id: int
    name: str
    slug: str


class CategoryUpdated(Event):
    """A category was changed; its slug never is."""

    type: ClassVar[str] = "category.updated"

    category_id: int
    name: str
    slug: str


class CategoryDeleted(Event):
    """A category was removed."""

    type: ClassVar[str] = "category.deleted"

    category_id: int
    name: str
    moved_to: int | None
    """The category that has its tickets now; nothing when they have none."""


class TagCreated(Event):
    """A tag was added."""

    type: ClassVar[str] = "tag.created"

    tag_id: int
    name: str


class TagUpdated(Event):
    """A tag was renamed or changed otherwise."""

    type: ClassVar[str] = "tag.updated"

    tag_id: int
    name: str


class TagDeleted(Event):
    """A tag was removed, from its tickets as well."""

    type: ClassVar[str] = "tag.deleted"

    tag_id: int
    name: str


class TagMerged(Event):
    """A tag was replaced by another one and is gone."""

    type: ClassVar[str] = "tag.merged"

    tag_id: int
    into_id: int
    name: str
    """The name of the tag that stays."""


CATALOGUE = (
    AttachmentCreated,
    AttachmentDeleted,
    CategoryCreated,
    CategoryUpdated,
    CategoryDeleted,
    TagCreated,
    TagUpdated,
    TagDeleted,
    TagMerged,
)
"""Events of attachments, categories and tags, for `plugin.py`."""
