"""What can be read of categories."""

from helpdesk_core.api import ReadModel, words_in
from helpdesk_tickets.models import Category
from helpdesk_tickets.schemas.categories import CategoryDetails, CategoryRead

categories = ReadModel(
    Category,
    schema=CategoryRead,
    optional=CategoryDetails,
    ordering={"name": Category.name_key, "created_at": Category.created_at, "updated_at": Category.updated_at},
    default_order="name",
    search=words_in(Category.name, Category.description),
)
