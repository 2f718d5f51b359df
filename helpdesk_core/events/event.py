"""What an event is: a typed, versioned, documented payload."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """Something that happened; its fields are the payload, ids rather than objects.

    A subclass states its `type` (`ticket.created`), documents each field, and raises `version` when a field changes its
    meaning or goes away; `upgrade` then reads what was stored before.

    Attributes:
        type: what happened, `<thing>.<past participle>`.
        version: of the payload.
        about: the resources that it changes, each with the field that holds its key, the most specific one first:
            `{"comment": "comment_id", "ticket": "ticket_id"}`. The last one is the aggregate: its events reach each
            handler in the order in which they happened.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str]
    version: ClassVar[int] = 1
    about: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def upgrade(cls, payload: dict[str, Any], version: int) -> dict[str, Any]:  # noqa: ARG003 - for subclasses
        """Return `payload`, written by an older `version`, as today's."""
        return payload

    @classmethod
    def read(cls, payload: str, version: int) -> Self:
        """Return the event that was stored as `payload`, in whichever version.

        Raises:
            ValidationError: it is none of this type.
        """
        if version == cls.version:
            return cls.model_validate_json(payload)
        return cls.model_validate_json(orjson.dumps(cls.upgrade(orjson.loads(payload), version)))

    def objects(self) -> tuple[tuple[str, int], ...]:
        """Return the kind and key of each resource that it changes, the most specific one first."""
        found = ((kind, getattr(self, name)) for kind, name in self.about.items())
        return tuple((kind, key) for kind, key in found if key is not None)


EventT = TypeVar("EventT", bound=Event)
EVERY = "*"
"""Stands for every type, where handlers are found by the type of an event."""


def type_of(event: type[Event]) -> str:
    """Return the type of an event class; `Event` itself stands for all of them."""
    return EVERY if event is Event else event.type
