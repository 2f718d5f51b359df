"""What others can follow of this plugin, by the change feed, the socket and webhooks."""

from typing import Any

from helpdesk_core.api import Permission, Resource
from helpdesk_kb.permissions import VIEW
from helpdesk_kb.queries.articles import articles
from helpdesk_kb.queries.categories import categories
from helpdesk_kb.queries.translations import translations
from helpdesk_kb.service.reach import needed_for


def needed_for_article(payload: Any) -> Permission | None:
    """Return what it takes to hear of an article or a translation that not all readers can have known of."""
    return needed_for(payload["reach"])


ALL = (
    Resource("kb_article", articles, VIEW, needs=needed_for_article, path="/knowledge-base/articles/{id}/"),
    Resource(
        "kb_translation",
        translations,
        VIEW,
        needs=needed_for_article,
        path="/knowledge-base/articles/{article_id}/translations/{language}/",
    ),
    Resource("kb_category", categories, VIEW, path="/knowledge-base/categories/{id}/"),
)
