"""Tags on articles."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from helpdesk_kb.models import ArticleTag
from helpdesk_kb.names import key_of


def tags_of(session: Session, article_id: int) -> list[str]:
    """Return the tags of an article, in their order."""
    tagged = select(ArticleTag.name).where(ArticleTag.article_id == article_id).order_by(ArticleTag.position)
    return list(session.scalars(tagged))


def put_tags(session: Session, article_id: int, tags: Sequence[str]) -> None:
    """Give an article these tags instead of those that it has."""
    session.execute(delete(ArticleTag).where(ArticleTag.article_id == article_id))
    session.add_all(
        ArticleTag(article_id=article_id, key=key_of(tag), name=tag, position=place) for place, tag in enumerate(tags)
    )
    session.flush()
