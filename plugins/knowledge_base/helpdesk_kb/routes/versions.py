"""`/knowledge-base/articles/{article}/versions/`"""

from helpdesk_core.api import Context, Criteria, Key, NotFound, Page, Router
from helpdesk_kb.permissions import VIEW_UNPUBLISHED, WRITE
from helpdesk_kb.queries.articles import articles, find_article
from helpdesk_kb.queries.versions import version_list, versions
from helpdesk_kb.schemas.articles import ArticleExtras, ArticleRead
from helpdesk_kb.schemas.versions import Difference, DiffQuery, VersionFilters, VersionRead, VersionRow
from helpdesk_kb.service.restoring import restore_version
from helpdesk_kb.service.versions import compare

router = Router("knowledge-base", tag="Knowledge base")


@router.get("/articles/{article}/versions/", permission=VIEW_UNPUBLISHED)
def list_versions(ctx: Context, article: Key, query: VersionFilters) -> Page[VersionRow]:
    """Everything that an article has been, or its translation into `language`, the newest first."""
    key = find_article(ctx.session, ctx.viewer, article)
    return ctx.page(version_list, query, article=(key,), language=(query.language or "",))


@router.get("/articles/{article}/versions/{version}/", permission=VIEW_UNPUBLISHED)
def retrieve_version(ctx: Context, article: Key, version: Key) -> VersionRead:
    """Title and content of an article, or of a translation, as somebody saved them."""
    wanted = Criteria({"article": find_article(ctx.session, ctx.viewer, article), "key": version}, limit=1)
    found = versions.find(ctx.session, ctx.viewer, wanted)
    if not found.keys:
        raise NotFound
    return ctx.one(versions, found.keys[0])


@router.get("/articles/{article}/versions/{version}/diff/", permission=VIEW_UNPUBLISHED, slow=True)
def compare_versions(ctx: Context, article: Key, version: Key, query: DiffQuery) -> Difference:
    """What changed between two versions, in unified format: against the one before, or the one that `against` names."""
    key = find_article(ctx.session, ctx.viewer, article)
    return compare(ctx.session, key, version, query.against)


@router.post("/articles/{article}/versions/{version}/restore/", permission=WRITE, include=ArticleExtras)
def restore_version_of_article(ctx: Context, article: Key, version: Key) -> ArticleRead:
    """Give an article, or its translation, the title and content of an earlier version again, as a new version."""
    restore_version(ctx.session, ctx.actor, find_article(ctx.session, ctx.viewer, article), version)
    return ctx.one(articles, article)
