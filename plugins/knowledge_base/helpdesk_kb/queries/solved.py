"""How many tickets an article solved."""

from sqlalchemy import func, select

from helpdesk_core.api import Column
from helpdesk_kb.link_models import ArticleLink
from helpdesk_kb.models import Article


def solved_tickets() -> Column:
    """Return the field that counts the tickets which an article solved."""
    counted = (
        select(func.count())
        .select_from(ArticleLink)
        .where(
            ArticleLink.article_id == Article.id,
            ArticleLink.organization_id == Article.organization_id,
            ArticleLink.kind == "solved",
        )
    )
    return Column(counted.correlate(Article).scalar_subquery(), volatile=True)
