"""What goes over the wire about notifications."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from helpdesk_core.notifications.kinds import NAME
from helpdesk_core.placeholders import is_variable
from helpdesk_core.schemas import DbInt, Filters, Line, QueryBool, Schema, Text, UntilDateTime, UtcDateTime, Words

LONGEST_TEXT = 10_000
MOST_CHOICES = 500


def _one_line(text: str) -> str:
    if len(text.splitlines()) > 1:
        raise PydanticCustomError("line", "This must be one line.")
    return text.strip()


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "This field may not be blank.")
    return text


def _distinct_variables(names: list[str]) -> list[str]:
    if any(not is_variable(name) for name in names):
        raise PydanticCustomError("variable", "A variable is a word of letters, digits and underscores.")
    if len(set(names)) != len(names):
        raise PydanticCustomError("variable", "A variable is declared once.")
    return names


Name = Annotated[Text, Field(pattern=rf"^{NAME}$")]
Title = Annotated[Line, Field(max_length=100), AfterValidator(_one_line)]
Subject = Annotated[Line, AfterValidator(_one_line)]
LongText = Annotated[Text, Field(max_length=LONGEST_TEXT), AfterValidator(_not_blank)]
Variables = Annotated[list[Text], Field(max_length=100), AfterValidator(_distinct_variables)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["22:00"])]


class NotificationRead(Schema):
    """Something that the caller was told."""

    id: DbInt
    kind: str
    """What happened: the name of its template."""
    title: str
    """One line."""
    body: str
    """More of it; plain text, paragraphs are parted by an empty line."""
    object: str | None
    """What it is about, `ticket` for instance."""
    object_id: DbInt | None
    """The key of that."""
    link: str | None
    """Where that is, on this server."""
    is_read: bool
    read_at: UtcDateTime | None
    created_at: UtcDateTime


class NotificationFilters(Filters):
    """Query parameters of the inbox."""

    is_read: QueryBool | None = None
    kind: Words[Text] | None = None
    created_after: UtcDateTime | None = None
    created_before: UntilDateTime | None = None


class UnreadCount(Schema):
    """How much of the inbox is not read."""

    unread_count: Annotated[int, Field(ge=0)]


class MarkedRead(Schema):
    """What marking everything did."""

    marked: Annotated[int, Field(ge=0)]
    """How many were not read before."""


class Channels(Schema):
    """How somebody is told of one kind of thing."""

    in_app: bool
    """In the inbox, and to open clients at once."""
    email: bool


class ChannelChoice(Schema):
    """A choice for one kind; null goes back to what is usual for it, what is left out stays."""

    in_app: bool | None = None
    email: bool | None = None


class QuietHours(Schema):
    """When no mail comes, in the user's time zone; over midnight when `start` is later than `end`."""

    start: TimeOfDay
    end: TimeOfDay


class PreferencesRead(Schema):
    """What somebody wants to be told, and how."""

    email: bool
    """Whether anything is mailed at all."""
    quiet_hours: QuietHours | None
    timezone: str
    """In which quiet hours are meant: the profile's."""
    channels: dict[str, Channels]
    """By kind, as they apply."""
    titles: dict[str, str]
    """What the kinds are called."""


class PreferencesUpdate(Schema):
    """Preferences to change; what is left out stays."""

    read_only = frozenset({"timezone", "titles"})

    email: bool = True
    quiet_hours: QuietHours | None = None
    """Null for none."""
    channels: Annotated[dict[Text, ChannelChoice | None], Field(max_length=MOST_CHOICES)] = Field(default_factory=dict)
    """Choices by kind; kinds that are left out stay as they are, null goes back to what is usual."""


class Texts(Schema):
    """The texts of a template."""

    subject: str
    text: str


class TemplateRead(Schema):
    """The words in which people are told of something."""

    name: str
    title: str
    """What it is called where people choose what they are told of."""
    subject: str
    """The title in the inbox and the subject of the mail, with `{variables}`."""
    text: str
    """What is said below it, with `{variables}`; paragraphs are parted by an empty line."""
    variables: list[str]
    """What can stand between braces."""
    plugin: str | None
    """Whose built-in template it is; null for one that the organization made."""
    is_custom: bool
    """Whether the organization made it."""
    is_changed: bool
    """Whether the organization says something else than what is built in."""
    default: Texts | None
    """The built-in texts, in English; people read them in their language until the organization changes them."""
    updated_at: UtcDateTime | None
    """When the organization last changed it."""


class TemplateCreate(Schema):
    """A new template, for automations to tell people by."""

    read_only = frozenset({"plugin", "is_custom", "is_changed", "default", "updated_at"})

    name: Name
    title: Title | None = None
    """The name when it is left out."""
    subject: Subject
    text: LongText
    variables: Variables | None = None
    """What can stand between braces; when left out, whatever does."""


class TemplateUpdate(Schema):
    """Changes of a template; what is left out stays."""

    read_only = frozenset({"name", "plugin", "is_custom", "is_changed", "default", "updated_at"})

    title: Title = ""
    subject: Subject = ""
    text: LongText = ""
    variables: Variables | None = None


class PreviewRequest(Schema):
    """Texts that are not saved yet, with values for some of their variables; the template's own where left out."""

    subject: Subject | None = None
    text: LongText | None = None
    values: Annotated[dict[Text, Text | int | float], Field(max_length=100)] = Field(default_factory=dict)


class Preview(Schema):
    """A template as the caller would be told by it."""

    subject: str
    text: str
    html: str
    """The mail for readers that show HTML."""
