"""What can be read of response templates."""

from collections.abc import Sequence

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Column, ReadModel, equals, words_in
from helpdesk_tickets.models import ResponseTemplate
from helpdesk_tickets.permissions import USE_TEMPLATES
from helpdesk_tickets.queries.sharing import OwnOrShared
from helpdesk_tickets.schemas.templates import TemplateDetails, TemplateRead

VISIBLE = OwnOrShared(USE_TEMPLATES, ResponseTemplate.owner_id, ResponseTemplate.is_public)

templates = ReadModel(
    ResponseTemplate,
    schema=TemplateRead,
    optional=TemplateDetails,
    fields={"owner": Column(ResponseTemplate.owner_id)},
    filters={"category": equals(ResponseTemplate.category), "is_public": equals(ResponseTemplate.is_public)},
    ordering=["title", "category", "usage_count", "created_at", "updated_at"],
    default_order="title",
    search=words_in(ResponseTemplate.title, ResponseTemplate.content),
    visible=VISIBLE,
)


def categories_in_use(session: Session, actor: Actor) -> Sequence[Row[str, int]]:
    """Return the categories of the templates that `actor` may see, each with how many there are."""
    return session.execute(
        select(ResponseTemplate.category, func.count())
        .where(VISIBLE.criterion(VISIBLE.variant(actor)), ResponseTemplate.category != "")
        .group_by(ResponseTemplate.category)
        .order_by(ResponseTemplate.category),
        {"actor_id": actor.user_id},
    ).all()
