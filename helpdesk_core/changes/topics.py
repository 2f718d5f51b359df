"""What somebody wants to hear of: `ticket`, `ticket:12`, `ticket.created`, `*`."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from helpdesk_core.schemas import nearest

EVERYTHING = "*"


class UnknownTopic(ValueError):
    """Nothing is called so; the message names what is."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic there is.

    Attributes:
        resources: names of resources; `ticket:12` is one of them.
        types: of events, by how they may be written.
    """

    resources: Collection[str]
    types: Mapping[str, str]

    def read(self, text: str) -> str:
        """Return the topic that `text` names, in its one spelling; `UnknownTopic` if there is none."""
        topic = self.types.get(text, text)
        name, colon, key = topic.partition(":")
        if topic == EVERYTHING or topic in self.types or topic in self.resources:
            return topic
        if colon and name in self.resources and key.isascii() and key.isdigit() and len(key) < 20:
            return f"{name}:{int(key)}"
        known = sorted({EVERYTHING, *self.resources, *self.types.values()})
        near = nearest(topic, known)
        hint = f" Did you mean {near}?" if near else ""
        raise UnknownTopic(f"Unknown topic {text!r}.{hint} Known: {', '.join(known)}; one thing: ticket:12.")


def wants(topics: Collection[str], kind: str, touched: Iterable[tuple[str, int]]) -> bool:
    """Tell whether an event of type `kind` that touched these resources belongs to any of `topics`."""
    if EVERYTHING in topics or kind in topics:
        return True
    return any(name in topics or f"{name}:{key}" in topics for name, key in touched)
