"""What this plugin tells others. Payloads hold keys and words of the vocabulary, no texts of people."""

from collections.abc import Mapping
from typing import ClassVar

from helpdesk_core.api import Event, Instant


class ArticleEvent(Event):
    """Something happened to an article.

    Attributes:
        article_id: key of the article.
        reach: who can have known of it before or can now, the widest circle of both: `editors`, `internal`,
            `customers` or `public`.
    """

    about: ClassVar[Mapping[str, str]] = {"kb_article": "article_id"}

    article_id: int
    reach: str


class ArticleCreated(ArticleEvent):
    """An article was written.

    Attributes:
        author_id: key of the user who wrote it.
        category_id: key of its category, if any.
        status: its first state.
    """

    type: ClassVar[str] = "kb.article_created"

    author_id: int
    category_id: int | None
    status: str


class ArticleUpdated(ArticleEvent):
    """Fields of an article changed.

    Attributes:
        fields: names of the fields that changed.
        version_number: number of its newest version; a new one if title or content changed.
    """

    type: ClassVar[str] = "kb.article_updated"

    fields: tuple[str, ...]
    version_number: int


class ArticlePublished(ArticleEvent):
    """An article can be read from now on.

    Attributes:
        author_id: key of the user who wrote it.
        audience: whom it is for, `public`, `customers` or `internal`.
        by_schedule: whether the time had come that somebody had set before.
    """

    type: ClassVar[str] = "kb.article_published"

    author_id: int
    audience: str
    by_schedule: bool


class ArticleUnpublished(ArticleEvent):
    """An article is a draft again.

    Attributes:
        before: the state that it had.
    """

    type: ClassVar[str] = "kb.article_unpublished"

    before: str


class ArticleArchived(ArticleEvent):
    """An article was put away.

    Attributes:
        before: the state that it had.
    """

    type: ClassVar[str] = "kb.article_archived"

    before: str


class ArticleDeleted(ArticleEvent):
    """An article is gone for good."""

    type: ClassVar[str] = "kb.article_deleted"


class ArticleVoted(ArticleEvent):
    """Somebody said whether an article was helpful, or took it back.

    Attributes:
        user_id: key of the user.
        author_id: key of the user who wrote the article.
        helpful: what they say now; nothing if they took it back.
        before: what they had said before; nothing if nothing.
        with_reason: whether they said why.
    """

    type: ClassVar[str] = "kb.article_voted"

    user_id: int
    author_id: int
    helpful: bool | None
    before: bool | None
    with_reason: bool


class ArticleReviewDue(ArticleEvent):
    """The time has come to look at an article again; once for each date.

    Attributes:
        author_id: key of the user who wrote it.
        review_at: the date.
    """

    type: ClassVar[str] = "kb.article_review_due"

    author_id: int
    review_at: Instant


class TranslationEvent(ArticleEvent):
    """Something happened to a translation of an article.

    Attributes:
        translation_id: key of the translation.
        language: of the translation, `de` or `pt-BR`.
    """

    about: ClassVar[Mapping[str, str]] = {"kb_translation": "translation_id", "kb_article": "article_id"}

    translation_id: int
    language: str


class ArticleTranslated(TranslationEvent):
    """An article was translated.

    Attributes:
        author_id: key of the user who has translated it.
        source_version: number of the version of the article that it was translated from.
    """

    type: ClassVar[str] = "kb.article_translated"

    author_id: int
    source_version: int


class TranslationUpdated(TranslationEvent):
    """Fields of a translation changed.

    Attributes:
        fields: names of the fields that changed.
        version_number: number of its newest version; a new one if title or content changed.
    """

    type: ClassVar[str] = "kb.translation_updated"

    fields: tuple[str, ...]
    version_number: int


class TranslationPublished(TranslationEvent):
    """A translation can be read from now on, by those who can read the article."""

    type: ClassVar[str] = "kb.translation_published"


class TranslationUnpublished(TranslationEvent):
    """A translation is a draft again."""

    type: ClassVar[str] = "kb.translation_unpublished"


class TranslationDeleted(TranslationEvent):
    """A translation is gone for good; the article is still there."""

    type: ClassVar[str] = "kb.translation_deleted"


class CategoryEvent(Event):
    """Something happened to a category of articles.

    Attributes:
        category_id: key of the category.
        parent_id: key of the category that it is in, if any.
        name: its name.
    """

    about: ClassVar[Mapping[str, str]] = {"kb_category": "category_id"}

    category_id: int
    parent_id: int | None
    name: str


class CategoryCreated(CategoryEvent):
    """A category was made."""

    type: ClassVar[str] = "kb.category_created"


class CategoryUpdated(CategoryEvent):
    """A category was renamed, described anew or moved.

    Attributes:
        fields: names of the fields that changed.
    """

    type: ClassVar[str] = "kb.category_updated"

    fields: tuple[str, ...]


class CategoryDeleted(CategoryEvent):
    """A category is gone.

    Attributes:
        moved_to: key of the category that took its articles and subcategories, if it had any.
    """

    type: ClassVar[str] = "kb.category_deleted"

    moved_to: int | None


ALL = (
    ArticleCreated,
    ArticleUpdated,
    ArticlePublished,
    ArticleUnpublished,
    ArticleArchived,
    ArticleDeleted,
    ArticleVoted,
    ArticleReviewDue,
    ArticleTranslated,
    TranslationUpdated,
    TranslationPublished,
    TranslationUnpublished,
    TranslationDeleted,
    CategoryCreated,
    CategoryUpdated,
    CategoryDeleted,
)
