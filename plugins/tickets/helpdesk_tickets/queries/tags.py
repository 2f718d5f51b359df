"""What can be read of tags."""

from helpdesk_core.api import ReadModel, words_in
from helpdesk_tickets.models import Tag
from helpdesk_tickets.schemas.tags import PopularTag, TagDetails, TagRead

ORDERING = {
    "name": Tag.name_key,
    "created_at": Tag.created_at,
    "updated_at": Tag.updated_at,
    "usage_count": Tag.usage_count,
}

tags = ReadModel(
    Tag,
    schema=TagRead,
    optional=TagDetails,
    ordering=ORDERING,
    default_order="name",
    search=words_in(Tag.name, Tag.description),
)

popular_tags = ReadModel(
    Tag,
    schema=PopularTag,
    ordering=ORDERING,
    default_order="-usage_count",
    search=words_in(Tag.name, Tag.description),
    where=Tag.usage_count > 0,
)
