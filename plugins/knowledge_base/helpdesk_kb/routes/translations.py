"""`/knowledge-base/articles/{article}/translations/`"""

from typing import Annotated

from helpdesk_core.api import Context, Key, Language, Page, PathPattern, Router
from helpdesk_kb.permissions import DELETE, PUBLISH, VIEW, WRITE
from helpdesk_kb.queries.articles import find_article
from helpdesk_kb.queries.translations import find_translation, translation_list, translations
from helpdesk_kb.schemas.translations import (
    TranslationCreate,
    TranslationExtras,
    TranslationFilters,
    TranslationRead,
    TranslationRow,
    TranslationUpdate,
)
from helpdesk_kb.service import translations as service

router = Router("knowledge-base", tag="Knowledge base")

Tag = Annotated[Language, PathPattern(r"[^/]+", example="de")]
ALL = "/articles/{article}/translations/"
ONE = "/articles/{article}/translations/{language}/"


@router.get(ALL, permission=VIEW)
def list_translations(ctx: Context, article: Key, query: TranslationFilters) -> Page[TranslationRow]:
    """The languages that an article was translated into; readers see those that are published."""
    return ctx.page(translation_list, query, article=(find_article(ctx.session, ctx.viewer, article),))


@router.post(ALL, permission=WRITE, status=201, include=TranslationExtras)
def create_translation(ctx: Context, article: Key, body: TranslationCreate) -> TranslationRead:
    """Translate an article; 409 if it is in this language already. A draft unless `status` says otherwise."""
    key = find_article(ctx.session, ctx.viewer, article)
    return ctx.one(translations, service.create_translation(ctx.session, ctx.actor, key, body))


@router.get(ONE, permission=VIEW, include=TranslationExtras)
def retrieve_translation(ctx: Context, article: Key, language: Tag) -> TranslationRead:
    """An article in another language. Other than `?language=` it does not count as a view, and looks for no other."""
    return _shown(ctx, article, language)


@router.put(ONE, permission=WRITE, include=TranslationExtras)
def update_translation(ctx: Context, article: Key, language: Tag, body: TranslationUpdate) -> TranslationRead:
    """Change a translation; a new title or content makes a new version, which `note` describes."""
    _find(ctx, article, language)
    service.update_translation(ctx.session, ctx.actor, article, language, body)
    return _shown(ctx, article, language)


@router.delete(ONE, permission=DELETE)
def delete_translation(ctx: Context, article: Key, language: Tag) -> None:
    """Delete a translation for good, with its versions. To let nobody read it for now, unpublish it."""
    _find(ctx, article, language)
    service.delete_translation(ctx.session, article, language)


@router.post(f"{ONE}publish/", permission=PUBLISH, include=TranslationExtras)
def publish_translation(ctx: Context, article: Key, language: Tag) -> TranslationRead:
    """Let those read a translation who read the article; 422 if nothing stands in it."""
    return _moved(ctx, article, language, "published")


@router.post(f"{ONE}unpublish/", permission=PUBLISH, include=TranslationExtras)
def unpublish_translation(ctx: Context, article: Key, language: Tag) -> TranslationRead:
    """Make a translation a draft again; readers get the article in another language."""
    return _moved(ctx, article, language, "draft")


def _find(ctx: Context, article: int, language: str) -> int:
    return find_translation(ctx.session, ctx.viewer, find_article(ctx.session, ctx.viewer, article), language)


def _shown(ctx: Context, article: int, language: str) -> TranslationRead:
    return ctx.one(translations, _find(ctx, article, language))


def _moved(ctx: Context, article: int, language: str, status: str) -> TranslationRead:
    _find(ctx, article, language)
    service.change_translation_state(ctx.session, ctx.actor, article, language, status)
    return _shown(ctx, article, language)
