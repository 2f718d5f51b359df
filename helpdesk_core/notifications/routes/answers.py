"""Answers that are put together instead of read from one row."""

from hashlib import blake2b
from typing import TypeVar, cast

from helpdesk_core.queries import Loaded
from helpdesk_core.schemas import Schema

ShownT = TypeVar("ShownT", bound=Schema)


def tagged(shown: ShownT) -> ShownT:
    """Return an answer with the tag of its state, for `ETag` and `If-Match`."""
    stored = shown.model_dump_json().encode()
    tag = f'"{blake2b(stored, digest_size=12).hexdigest()}"'
    return cast("ShownT", Loaded(shown.model_dump(mode="json"), tag))
