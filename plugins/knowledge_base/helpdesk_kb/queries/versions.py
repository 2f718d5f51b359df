"""What can be read of versions of articles."""

from helpdesk_core.api import One, Person, ReadModel, equals, words_in
from helpdesk_kb.models import ArticleVersion
from helpdesk_kb.schemas.versions import VersionRead, VersionRow

FILTERS = {"article": equals(ArticleVersion.article_id), "key": equals(ArticleVersion.id)}
FIELDS = {"editor": One(ArticleVersion.editor, Person)}

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
