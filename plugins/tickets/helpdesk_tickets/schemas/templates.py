"""What goes over the wire about response templates."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from helpdesk_core.api import Body, DbInt, Filters, Instant, Line, QueryBool, Ref, Schema, Text, Words, is_variable
from helpdesk_tickets.names import cleared_to, untouched, up_to


def _distinct_variables(names: list[str]) -> list[str]:
    for name in names:
        if not is_variable(name):
            raise PydanticCustomError("variable", "A variable is a word of letters, digits and underscores.")
    if len(set(names)) != len(names):
        raise PydanticCustomError("variable", "A variable is declared once.")
    return names


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "This field may not be blank.")
    return text


Variables = Annotated[list[Text], Field(max_length=100), AfterValidator(_distinct_variables)]
Content = Annotated[Body, AfterValidator(_not_blank)]
Context = Annotated[dict[Text, Text | int | float], Field(max_length=1000)]


class TemplateRead(Schema):
    """A response template."""

    id: DbInt
    title: str
    content: str
    category: str
    is_public: bool
    variables: list[str]
    created_at: Instant
    updated_at: Instant


class TemplateDetails(Schema):
    """What is shown of a template on request."""

    owner: DbInt
    """The user whose template it is."""
    usage_count: Annotated[int, Field(ge=0)]


class TemplateCreate(Schema):
    """A new template."""

    read_only = frozenset({"id", "owner", "usage_count", "created_at", "updated_at"})

    title: Annotated[Line, AfterValidator(str.strip)]
    content: Content
    category: Annotated[Text, AfterValidator(str.strip), up_to(100), cleared_to("")] = ""
    is_public: bool = False
    variables: Variables | None = None
    """The variables of the content, in order of appearance when left out."""


class TemplateUpdate(TemplateCreate):
    """Changes of a template; what is left out stays, but variables are found again in a changed content."""

    title: Annotated[Line, AfterValidator(str.strip)] = untouched()
    content: Content = untouched()
    is_public: bool = untouched()


class TemplateUse(Schema):
    """Values for the variables of a template."""

    context: Context = Field(default_factory=dict)


class TemplatePreview(Schema):
    """A text that is not saved yet, with values for some of its variables."""

    content: Content
    context: Context = Field(default_factory=dict)


class TemplateApplication(Schema):
    """Which template becomes a comment."""

    template: Ref
    context: Context = Field(default_factory=dict)
    """Values beside those that the ticket gives; they win over the ticket's."""
    is_internal: bool = False


class ProcessedTemplate(Schema):
    """A text with its variables filled in."""

    processed_content: str
    original_content: str
    variables: list[str]


class TemplateCategory(Schema):
    """A category that templates are filed under."""

    name: str
    template_count: Annotated[int, Field(ge=1)]


class TemplateFilters(Filters):
    """Query parameters of the list of templates."""

    category: Words[Text] | None = None
    is_public: QueryBool | None = None
