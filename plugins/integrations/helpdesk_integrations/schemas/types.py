"""Types of fields that several resources have."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from helpdesk_core.api import Text


def _address(value: str) -> str:
    if not value.isprintable() or " " in value or not value.lower().startswith(("https://", "http://")):
        raise PydanticCustomError("url", "Enter an absolute address that begins with https://.")
    return value


def cleared_to(default: Any) -> BeforeValidator:
    """Return what reads null as `default`: the field is cleared, but its column is never null."""
    return BeforeValidator(lambda value: default if value is None else value)


def untouched() -> Any:
    """Return the default of a field that an update may leave out; nobody looks at it (see `changes`)."""
    return Field(default_factory=lambda: None)


Address = Annotated[
    Text,
    Field(max_length=2000, json_schema_extra={"format": "uri", "examples": ["https://external-system.com/webhook"]}),
    AfterValidator(_address),
]
"""An absolute URL; whether it may be called is checked where it is saved, and at each call."""


def _without_query(value: str) -> str:
    if "?" in value or "#" in value:
        raise PydanticCustomError("base", "A base address has neither a query nor a fragment.")
    return value


BaseAddress = Annotated[
    Text,
    Field(max_length=1000, json_schema_extra={"format": "uri", "examples": ["https://api.salesforce.com"]}),
    AfterValidator(_address),
    AfterValidator(_without_query),
]
"""An absolute URL that others are below."""
