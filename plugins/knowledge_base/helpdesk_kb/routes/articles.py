"""`/knowledge-base/articles/`"""

from dataclasses import replace
from typing import Any, cast

from helpdesk_core.api import Context, Invalid, Key, Page, Router
from helpdesk_kb.permissions import DELETE, PUBLISH, VIEW, VOTE, WRITE
from helpdesk_kb.queries import answers
from helpdesk_kb.queries.articles import articles, find_article
from helpdesk_kb.queries.categories import categories
from helpdesk_kb.queries.languages import TOLD, article_in, articles_in
from helpdesk_kb.schemas.articles import (
    ArticleCreate,
    ArticleExtras,
    ArticleFilters,
    ArticleQuery,
    ArticleRead,
    ArticleUpdate,
    Hits,
    PopularQuery,
    RelatedQuery,
    SearchQuery,
    SuggestionQuery,
    Suggestions,
    Vote,
    VoteRead,
)
from helpdesk_kb.service import articles as service
from helpdesk_kb.service.publication import change_state
from helpdesk_kb.service.searches import note_search
from helpdesk_kb.service.views import count_view
from helpdesk_kb.service.votes import vote, withdraw_vote

router = Router("knowledge-base", tag="Knowledge base")


def page_of_articles(ctx: Context, query: ArticleFilters, **values: Any) -> Page[ArticleRead]:
    """Return a page of articles; hits of a search come by relevance unless another order is asked for."""
    if query.search is not None and query.ordering is None:
        query = query.model_copy(update={"ordering": "relevance"})
    if query.language is None:
        return ctx.page(articles, query, **values)
    found: Page[Any] = replace(ctx, include=ctx.include | TOLD).page(articles, query, **values)
    return found.model_copy(update={"results": articles_in(ctx.session, ctx.viewer, found.results, query.language)})


@router.get("/articles/", permission=VIEW, include=ArticleExtras)
def list_articles(ctx: Context, query: ArticleFilters) -> Page[ArticleRead]:
    """The articles that the caller may see, what was updated last first.

    Customers see published ones. `category` finds what is in a category or below it; several values of a filter,
    separated by commas, mean any of them. All words of `search` must occur; its best hits come first.
    """
    return page_of_articles(ctx, query)


@router.post("/articles/", permission=WRITE, status=201, include=ArticleExtras)
def create_article(ctx: Context, body: ArticleCreate) -> ArticleRead:
    """Write an article, in Markdown. It is a draft unless `status` says otherwise; the caller is its author."""
    return ctx.one(articles, service.create_article(ctx.session, ctx.actor, body))


@router.get("/articles/search/", permission=VIEW, slow=True)
def search_articles(ctx: Context, query: SearchQuery) -> Hits:
    """Find answers to a question: the best articles first, each with the passage that was found.

    Words that say little are left out. Articles with all words come before those with some; where nothing is found,
    words are taken for similar ones that titles have, and `corrected` says for which. Which article is opened then can
    be told to `/knowledge-base/searches/{search}/clicks/`.
    """
    if query.category is not None:
        categories.find_one(ctx.session, ctx.viewer, categories.key, query.category)
    where = answers.Where(category=query.category)
    found = answers.search(ctx.session, ctx.viewer, query.q, limit=query.limit, where=where)
    noted = note_search(ctx, ctx.viewer, query.q, found)
    return Hits(count=len(found.hits), results=found.hits, corrected=found.corrected, search=noted)


@router.get("/articles/suggest/", permission=VIEW, slow=True)
def suggest_articles(ctx: Context, query: SuggestionQuery) -> Suggestions:
    """Published articles that may answer what somebody is about to ask, by the words of a ticket."""
    if not query.title.strip() and not query.content.strip():
        raise Invalid.field("title", "Send the title of a ticket, its content, or both.")
    found = answers.suggest(ctx.session, ctx.viewer, query.title, query.content, limit=query.limit)
    return Suggestions(results=found)


@router.get("/articles/popular/", permission=VIEW, include=ArticleExtras)
def list_popular_articles(ctx: Context, query: PopularQuery) -> Page[ArticleRead]:
    """The published articles that are most read, or most often called helpful."""
    wanted = ArticleFilters(ordering=f"-{query.by}", page_size=query.limit)
    found = ctx.page(articles, wanted, status=("published",))
    return found.model_copy(update={"count": len(found.results), "next": None})


@router.get("/articles/{article}/", permission=VIEW, include=ArticleExtras, slow=True)
def retrieve_article(ctx: Context, article: Key, query: ArticleQuery) -> ArticleRead:
    """One article. It counts as a view, once a day for each reader, unless its author reads it.

    With `language` it is shown in that language or the one that comes nearest, and says in which, and which others
    there are.
    """
    key = find_article(ctx.session, ctx.viewer, article)
    if ctx.incoming.method == "GET":
        count_view(ctx, ctx.viewer, key)
    if query.language is None:
        return ctx.one(articles, key)
    return cast("ArticleRead", article_in(ctx.session, ctx.viewer, key, query.language))


@router.put("/articles/{article}/", permission=WRITE, include=ArticleExtras)
def update_article(ctx: Context, article: Key, body: ArticleUpdate) -> ArticleRead:
    """Change an article; a new title or content makes a new version, which `note` describes."""
    service.update_article(ctx.session, ctx.actor, find_article(ctx.session, ctx.viewer, article), body)
    return ctx.one(articles, article)


@router.delete("/articles/{article}/", permission=DELETE)
def delete_article(ctx: Context, article: Key) -> None:
    """Delete an article for good, with its versions and votes. To put it away, archive it."""
    service.delete_article(ctx.session, find_article(ctx.session, ctx.viewer, article))


@router.post("/articles/{article}/publish/", permission=PUBLISH, include=ArticleExtras)
def publish_article(ctx: Context, article: Key) -> ArticleRead:
    """Let those read an article whom it is for; 422 if nothing stands in it."""
    return _moved(ctx, article, "published")


@router.post("/articles/{article}/unpublish/", permission=PUBLISH, include=ArticleExtras)
def unpublish_article(ctx: Context, article: Key) -> ArticleRead:
    """Make an article a draft again."""
    return _moved(ctx, article, "draft")


@router.post("/articles/{article}/archive/", permission=PUBLISH, include=ArticleExtras)
def archive_article(ctx: Context, article: Key) -> ArticleRead:
    """Put an article away: it can be found by those who edit, and published again."""
    return _moved(ctx, article, "archived")


@router.get("/articles/{article}/related/", permission=VIEW, slow=True)
def list_related_articles(ctx: Context, article: Key, query: RelatedQuery) -> Suggestions:
    """Published articles about the same: by the tags of an article and the words of its title."""
    key = find_article(ctx.session, ctx.viewer, article)
    return Suggestions(results=answers.related(ctx.session, ctx.viewer, key, limit=query.limit))


@router.post("/articles/{article}/vote/", permission=VOTE)
def vote_on_article(ctx: Context, article: Key, body: Vote) -> VoteRead:
    """Say whether an article was helpful, and why not. One say for each person; the last one counts."""
    return vote(ctx.session, ctx.actor, find_article(ctx.session, ctx.viewer, article), body)


@router.delete("/articles/{article}/vote/", permission=VOTE)
def withdraw_vote_on_article(ctx: Context, article: Key) -> None:
    """Take back what one has said."""
    withdraw_vote(ctx.session, ctx.actor, find_article(ctx.session, ctx.viewer, article))


def _moved(ctx: Context, article: int, status: str) -> ArticleRead:
    change_state(ctx.session, ctx.actor, find_article(ctx.session, ctx.viewer, article), status)
    return ctx.one(articles, article)
