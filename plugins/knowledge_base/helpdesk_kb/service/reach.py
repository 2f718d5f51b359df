"""Who can know of an article: events say it, so that nobody hears of what they may not see."""

from collections.abc import Mapping

from helpdesk_core.api import Permission
from helpdesk_kb.models import AUDIENCES, Article, ArticleTranslation
from helpdesk_kb.permissions import VIEW_INTERNAL, VIEW_UNPUBLISHED

EDITORS = "editors"
_FROM_WIDEST = (*AUDIENCES, EDITORS)
_NEEDED: Mapping[str, Permission] = {EDITORS: VIEW_UNPUBLISHED, "internal": VIEW_INTERNAL}


def reach_of(article: Article) -> str:
    """Return who can see an article as it is."""
    return article.audience if article.status == "published" else EDITORS


def reach_of_translation(article: Article, translation: ArticleTranslation) -> str:
    """Return who can see a translation as it is."""
    return reach_of(article) if translation.status == "published" else EDITORS


def wider(one: str, other: str) -> str:
    """Return the wider of two circles."""
    return min(one, other, key=_FROM_WIDEST.index)


def needed_for(reach: str) -> Permission | None:
    """Return what it takes to hear of something that has this reach, beside reading articles at all."""
    return _NEEDED.get(reach)
