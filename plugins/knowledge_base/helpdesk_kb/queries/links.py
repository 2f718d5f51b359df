"""What can be read of links between articles and tickets: those of which one may see both ends."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, exists
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Criteria, NotFound, One, Person, ReadModel, Viewer, Visibility, equals
from helpdesk_kb.desk import TicketDesk
from helpdesk_kb.link_models import ArticleLink
from helpdesk_kb.models import AUDIENCES, Article
from helpdesk_kb.queries.visibility import CIRCLES, published_for, visible_articles
from helpdesk_kb.schemas.links import LinkedArticle, LinkRead


class VisibleLinks(Visibility):
    """Links between an article that one may see and a ticket that one may see."""

    def __init__(self, desk: TicketDesk) -> None:
        """Keep who knows the tickets."""
        self._desk = desk

    def variant(self, actor: Actor) -> str:
        """Combine what may be seen of both."""
        return f"{visible_articles.variant(actor)} {self._desk.visible.variant(actor)}"

    def criterion(self, variant: str) -> ColumnElement[bool]:
        """Look for both ends."""
        of_article, _, of_ticket = variant.partition(" ")
        desk, ticket = self._desk, self._desk.entity
        return and_(
            _end(Article, ArticleLink.article_id, visible_articles.criterion(of_article)),
            _end(ticket, ArticleLink.ticket_id, desk.visible.criterion(of_ticket), desk.exists),
        )


def _end(entity: Any, column: Any, *allowed: ColumnElement[bool] | None) -> ColumnElement[bool]:
    conditions = [each for each in allowed if each is not None]
    return exists().where(entity.id == column, entity.organization_id == ArticleLink.organization_id, *conditions)


@cache
def links_at(desk: TicketDesk) -> ReadModel[LinkRead]:
    """Return the links of articles to the tickets of a desk. As `ticket` they have the key, see `with_tickets`."""
    return ReadModel(
        ArticleLink,
        schema=LinkRead,
        fields={
            "article": One(ArticleLink.article, LinkedArticle),
            "ticket": ArticleLink.ticket_id,
            "user": One(ArticleLink.user, Person),
        },
        filters={
            "article": equals(ArticleLink.article_id),
            "ticket": equals(ArticleLink.ticket_id),
            "kind": equals(ArticleLink.kind),
            "key": equals(ArticleLink.id),
        },
        ordering={"created_at": ArticleLink.id, "kind": ArticleLink.kind},
        default_order="-created_at",
        visible=VisibleLinks(desk),
    )


def with_tickets(desk: TicketDesk, session: Session, viewer: Viewer, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return links with their tickets instead of the keys of these."""
    keys = list(dict.fromkeys(row["ticket"] for row in rows))
    briefs = desk.briefs(session, viewer, keys)
    return [{**row, "ticket": briefs[row["ticket"]]} for row in rows]


def link_shown(desk: TicketDesk, session: Session, viewer: Viewer, link_id: int) -> LinkRead:
    """Return a link as the API shows it."""
    rows = links_at(desk).load(session, viewer, [link_id])
    return LinkRead.model_validate(with_tickets(desk, session, viewer, rows)[0])


def find_link(desk: TicketDesk, session: Session, viewer: Viewer, article_id: int, link_id: int) -> int:
    """Return the key of a link of an article, if `viewer` may see both ends; else raise `NotFound`."""
    found = links_at(desk).find(session, viewer, Criteria({"article": article_id, "key": link_id}, limit=1))
    if not found.keys:
        raise NotFound
    return found.keys[0]


def can_open(reader: Actor, article: Article) -> bool:
    """Tell whether somebody can open an article in the help centre."""
    circle = CIRCLES.index(published_for(reader))
    return article.status == "published" and AUDIENCES.index(article.audience) <= circle
