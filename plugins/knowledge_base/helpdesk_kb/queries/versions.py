"""What can be read of versions of articles."""

from typing import Any

from helpdesk_core.api import Computed, One, Person, ReadModel, Viewer, equals, words_in
from helpdesk_kb.models import ArticleVersion
from helpdesk_kb.schemas.versions import VersionRead, VersionRow


def _language(_: Viewer, language: str) -> str | None:
    return language or None


FILTERS: dict[str, Any] = {
    "article": equals(ArticleVersion.article_id),
    "language": equals(ArticleVersion.language),
    "key": equals(ArticleVersion.id),
}
FIELDS = {"editor": One(ArticleVersion.editor, Person), "language": Computed(_language, ArticleVersion.language)}

version_list = ReadModel(
    ArticleVersion,
    schema=VersionRow,
    fields=FIELDS,
    filters=FILTERS,
    ordering={"number": ArticleVersion.number, "created_at": ArticleVersion.created_at},
    default_order="-number",
    search=words_in(ArticleVersion.title, ArticleVersion.note),
)

versions = ReadModel(
    ArticleVersion,
    schema=VersionRead,
    fields=FIELDS,
    filters=FILTERS,
    ordering={"number": ArticleVersion.number},
    default_order="-number",
)
"""The same with the content: of one at a time."""
