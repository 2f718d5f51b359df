"""Names that are the same without case, and the words of addresses."""

import re
import unicodedata
from typing import Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

LONGEST_SLUG = 80


def key_of(name: str) -> str:
    """Return the form by which two names are the same: without case, spacing and ways of encoding.

    >>> key_of("  Straße  7 ") == key_of("STRASSE 7")
    True
    """
    return unicodedata.normalize("NFKC", " ".join(name.split())).casefold()


def slug_of(name: str) -> str:
    """Return `name` as one word for an address: letters, digits and hyphens.

    >>> slug_of("Café & Catering"), slug_of("請求"), slug_of("!")
    ('cafe-catering', '請求', 'untitled')
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    words = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", plain)).strip("-")
    if len(words) > LONGEST_SLUG:
        words = words[: LONGEST_SLUG + 1].rpartition("-")[0] or words[:LONGEST_SLUG]
    return words.strip("-") or "untitled"


def up_to(length: int) -> AfterValidator:
    """Return what refuses longer text."""

    def check(value: str) -> str:
        if len(value) > length:
            context = {"max_length": length}
            raise PydanticCustomError("too_long", "Enter at most {max_length} characters.", context)
        return value

    return AfterValidator(check)


def cleared_to(default: Any) -> BeforeValidator:
    """Return what reads null as `default`: the field is cleared, but its column is never null."""
    return BeforeValidator(lambda value: default if value is None else value)


def untouched() -> Any:
    """Return the default of a field that an update may leave out; nobody looks at it (see `changes`)."""
    return Field(default_factory=lambda: None)
