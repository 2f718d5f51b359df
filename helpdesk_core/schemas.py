"""Base types of what goes over the wire: strict where a database or a reader would stumble.

Input refuses unknown fields and names the nearest known one, text without NUL and lone surrogates, integers
that fit a column, instants that are brought to UTC.
"""

import difflib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from helpdesk_core.clock import api_time

T = TypeVar("T")


class Dialect(StrEnum):
    """The published API document whose words an answer uses (rule R1)."""

    CLASSIC = "classic"
    COMPREHENSIVE = "comprehensive"


def _storable(value: str) -> str:
    if "\x00" in value:
        raise PydanticCustomError("nul", "NUL characters are not allowed.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("surrogate", "This text is not valid Unicode.") from None
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "This field may not be blank.")
    return value


def _utc(value: datetime) -> datetime:
    try:
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise PydanticCustomError("instant", "This instant is out of range.") from None


def _iso_only(value: Any) -> Any:
    """Refuse what Pydantic would read as seconds since 1970: no document shows such a form."""
    if isinstance(value, (int, float)) or (
        isinstance(value, str) and value.strip().lstrip("+-").replace(".", "").isdigit()
    ):
        raise PydanticCustomError("instant", "Enter a date and time like 2024-01-31T09:30:00Z.")
    return value


def _end_of_day(value: Any) -> Any:
    if isinstance(value, str) and len(value) == len("2024-01-31"):
        try:
            return datetime.combine(date.fromisoformat(value), time(23, 59, 59), UTC)
        except ValueError:
            return value
    return value


Text = Annotated[str, AfterValidator(_storable)]
"""Text that every database can hold: no NUL, no lone surrogate."""

Line = Annotated[str, Field(max_length=255), AfterValidator(_storable), AfterValidator(_not_blank)]
"""One line of text, 1 to 255 characters, not blank."""

Body = Annotated[str, Field(max_length=100_000), AfterValidator(_storable)]
"""Long text, up to 100,000 characters."""

DbInt = Annotated[int, Field(strict=True, ge=1, le=2**53 - 1)]
"""A key: positive, and exact in JavaScript as well."""

UtcDateTime = Annotated[
    datetime,
    Field(strict=False),  # read from text also behind a validator, where nobody knows any more that it came as JSON
    BeforeValidator(_iso_only),
    AfterValidator(_utc),
    PlainSerializer(api_time, return_type=str, when_used="json"),
]
"""An instant; any offset is accepted and brought to UTC, none means UTC, seconds are whole."""

UntilDateTime = Annotated[UtcDateTime, BeforeValidator(_end_of_day)]
"""An inclusive upper bound: a bare date means the end of that day, UTC."""

MAX_JSON_DEPTH = 20


def _storable_json(value: Any, depth: int = 0) -> Any:
    if depth > MAX_JSON_DEPTH:
        raise PydanticCustomError("depth", "This is nested too deeply.")
    if isinstance(value, str):
        _storable(value)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            _storable(key)
            _storable_json(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            _storable_json(part, depth + 1)
    elif isinstance(value, int) and abs(value) >= 2**63:
        raise PydanticCustomError("int", "This number is too large.")
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_storable_json)]
"""Free-form JSON, at most 20 levels deep, with text and numbers that every database can hold."""

Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$", examples=["#007bff"])]


class Schema(BaseModel):
    """Base of what is written and read over the wire.

    Attributes:
        read_only: names that clients may send back because they read them; ignored in input.
        spellings: other names of fields that input takes as well, `{"title": "subject"}` (rule R3).
        classic_names: what CLASSIC calls a field, for error messages, `{"subject": "title"}`.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,  # "yes" and 1 are not true
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    read_only: ClassVar[frozenset[str]] = frozenset()
    spellings: ClassVar[Mapping[str, str]] = {}
    classic_names: ClassVar[Mapping[str, str]] = {}


class Reference(Schema):
    """The object form of a reference, as a client that saves what it read sends it; only the id counts."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: DbInt


def _id_of(value: Any) -> Any:
    return value["id"] if isinstance(value, Mapping) and "id" in value else value


Ref = Annotated[DbInt, BeforeValidator(_id_of, json_schema_input_type=DbInt | Reference)]
"""A reference to a row by its integer key: the id, or the object that was read."""


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def _split_keys(value: Any) -> Any:
    try:
        return tuple(int(part) for part in _split(value))
    except (TypeError, ValueError):
        raise PydanticCustomError("keys", "Enter an id, or several separated by commas.") from None


def _query_bool(value: Any) -> Any:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, str):
        if value.lower() not in words:
            raise PydanticCustomError("bool", "Enter true or false.")
        return words[value.lower()]
    return value


Words = Annotated[
    tuple[T, ...], Field(min_length=1, max_length=50), BeforeValidator(_split, json_schema_input_type=str)
]
"""In a query: any of several words of a vocabulary, `Words[Literal["low", "high"]]`, separated by commas."""

Keys = Annotated[
    tuple[Annotated[int, Field(ge=0, le=2**53 - 1)], ...],
    Field(min_length=1, max_length=50),
    BeforeValidator(_split_keys, json_schema_input_type=str),
]
"""In a query: any of several integer keys, separated by commas."""

QueryBool = Annotated[bool, BeforeValidator(_query_bool, json_schema_input_type=bool)]
"""In a query: true/false, 1/0, yes/no, in any case."""

Search = Annotated[str, Field(max_length=500), AfterValidator(_storable)]


class Filters(Schema):
    """Query parameters of a list; subclasses add what they filter by.

    Attributes:
        slow: parameters that make a request one of the slow ones, see `Endpoint.slow`.
    """

    slow: ClassVar[frozenset[str]] = frozenset({"search"})

    search: Search | None = None
    """Words that must all occur."""
    ordering: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Comma-separated fields; a leading `-` descends."""
    page: Annotated[int, Field(ge=1, le=10**9)] = 1
    """Page number, from 1."""
    page_size: Annotated[int, Field(ge=1, le=2**31)] = 20
    """Rows a page; more than 100 is served as 100."""


class Page(BaseModel, Generic[T]):
    """One page of a list, as both documents show it."""

    model_config = ConfigDict(frozen=True)

    count: int = Field(ge=0)
    next: str | None
    previous: str | None
    results: list[T]


class Message(Schema):
    """A sentence that confirms what was done."""

    message: str


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that `name` most likely stands for."""
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return found[0] if found else None


def changes(data: BaseModel) -> dict[str, Any]:
    """Return only the fields that the caller sent; PUT and PATCH leave all others alone (rule R8)."""
    return {name: getattr(data, name) for name in data.model_fields_set}
