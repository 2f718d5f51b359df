"""What goes over the wire about articles."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from helpdesk_core.api import Body, DbInt, Filters, Instant, Keys, Language, Line, Person, Ref, Schema, Text, Words
from helpdesk_kb.names import cleared_to, key_of, untouched, up_to
from helpdesk_kb.schemas.categories import CategorySummary

Status = Literal["draft", "published", "archived"]
Audience = Literal["public", "customers", "internal"]
Number = Annotated[int, Field(ge=0)]
Tag = Annotated[Line, AfterValidator(lambda text: " ".join(text.split())), up_to(50)]
MOST_TAGS = 20


def _each_once(tags: list[str]) -> list[str]:
    found = {key_of(tag): tag for tag in reversed(tags)}
    return [tag for tag in tags if found.pop(key_of(tag), None) is not None]


def _title(text: str) -> str:
    return " ".join(text.split())


def _keys(tags: tuple[str, ...]) -> tuple[str, ...]:
    keys = tuple(key_of(tag) for tag in tags)
    if not all(keys):
        raise PydanticCustomError("blank", "Enter a tag, or several separated by commas.")
    return keys


Tags = Annotated[list[Tag], Field(max_length=MOST_TAGS), AfterValidator(_each_once), cleared_to([])]
Title = Annotated[Line, AfterValidator(_title)]


class ArticleRead(Schema):
    """An article."""

    id: DbInt
    title: str
    content: str
    category: CategorySummary | None
    author: Person
    tags: list[str]
    status: Status
    views: Number
    helpful_votes: Number
    not_helpful_votes: Number
    created_at: Instant
    updated_at: Instant


class ArticleExtras(Schema):
    """What is shown of an article on request."""

    html: str
    """The content as safe HTML."""
    slug: str
    """The name in addresses of the help centre; it follows the title, and old ones lead to it."""
    language: str
    """That title and content are in."""
    languages: list[str]
    """The other languages that the article can be read in."""
    audience: Audience
    published_at: Instant | None
    publish_at: Instant | None
    review_at: Instant | None
    version: Annotated[int, Field(ge=1)]
    solved_tickets: Number
    """Tickets that it solved, by what requesters and agents say."""


class ArticleCreate(Schema):
    """A new article, in Markdown; a draft unless `status` says otherwise."""

    read_only = frozenset(
        {
            *("id", "slug", "html", "author", "views", "helpful_votes", "not_helpful_votes"),
            *("version", "languages", "published_at", "created_at", "updated_at", "solved_tickets"),
        }
    )

    title: Title
    content: Annotated[Body, cleared_to("")]
    language: Language | None = None
    """That it is written in; the organisation's if left out."""
    category: Ref | None = None
    tags: Tags = Field(default_factory=list)
    status: Status = "draft"
    audience: Audience | None = None
    """Whom it is for: everybody, those who are signed in, or colleagues; the organisation's default if left out."""
    publish_at: Instant | None = None
    """When a draft is to be published by itself."""
    review_at: Instant | None = None
    """When its author is to be reminded to look at it again."""


class ArticleUpdate(ArticleCreate):
    """Changes of an article; what is left out stays. A new title or content makes a new version."""

    title: Title = untouched()
    content: Annotated[Body, cleared_to("")] = untouched()
    language: Language = untouched()
    status: Status = untouched()
    audience: Audience = untouched()
    note: Annotated[Text, Field(max_length=255)] = ""
    """What was changed and why, for the list of versions."""


class ArticleQuery(Schema):
    """Query parameters of an article."""

    language: Language | None = None
    """Show it in this language, else in the one that suits the caller best; `language` then says in which."""


class ArticleFilters(Filters):
    """Query parameters of lists of articles; rendering many of them takes its time."""

    slow: ClassVar[frozenset[str]] = frozenset({"search", "include"})

    category: Keys | None = None
    """Directly in the category."""
    category_tree: Keys | None = None
    """In the category or anywhere below it."""
    status: Words[Status] | None = None
    audience: Words[Audience] | None = None
    author: Keys | None = None
    tag: Annotated[Words[Text], AfterValidator(_keys)] | None = None
    """Marked with the tag, in any case; several, separated by commas, mean any of them."""
    language: Language | None = None
    """Show each in this language, else in the one that suits the caller best; it leaves none out."""
    search: Annotated[Text, Field(max_length=500)] | None = None
    """Words that must all occur in title, tags or content; the best hits come first."""


class SearchQuery(Schema):
    """Query parameters of the search for answers."""

    q: Annotated[Text, Field(min_length=1, max_length=500)]
    """A question or some words."""
    category: DbInt | None = None
    """In the category or below it."""
    limit: Annotated[int, Field(ge=1, le=50)] = 20
    """How many hits at most."""


class SuggestionQuery(Schema):
    """Query parameters of suggestions: what somebody is about to ask."""

    title: Annotated[Text, Field(max_length=500)] = ""
    """The subject of a ticket; its words count most."""
    content: Annotated[Text, Field(max_length=3_000)] = ""
    """The text of a ticket, or how it begins: an address cannot be longer."""
    limit: Annotated[int, Field(ge=1, le=20)] = 5
    """How many articles at most."""


class RelatedQuery(Schema):
    """Query parameters of related articles."""

    limit: Annotated[int, Field(ge=1, le=20)] = 5
    """How many articles at most."""


class PopularQuery(Schema):
    """Query parameters of popular articles."""

    by: Literal["views", "helpful_votes"] = "views"
    """Most read, or most often called helpful."""
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    """How many articles at most."""


class ArticleHit(Schema):
    """An article that may be the answer."""

    id: DbInt
    title: str
    slug: str
    language: str
    """In which it was found; title, slug and passage are of that language."""
    category: CategorySummary | None
    snippet: str
    """A passage as safe HTML, with the words that were found in `<mark>`."""
    views: Number
    helpful_votes: Number
    updated_at: Instant


class Hits(Schema):
    """What a search has found."""

    count: Number
    results: list[ArticleHit]
    corrected: str | None
    """What was searched for instead, because nothing was found for the words as they were written."""
    search: DbInt | None
    """Key of the search, to say with which article of `results` was opened; null where it was not noted."""


class Suggestions(Schema):
    """Articles that may answer a question before it is asked."""

    results: list[ArticleHit]


class Vote(Schema):
    """Whether an article was helpful."""

    helpful: bool
    reason: Annotated[Text, Field(max_length=1000), cleared_to("")] = ""
    """What was missing, for its author."""


class VoteRead(Schema):
    """What the caller has said, and how many say what by now."""

    helpful: bool
    reason: str
    helpful_votes: Number
    not_helpful_votes: Number
