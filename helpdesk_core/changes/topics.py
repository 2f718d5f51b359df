"""What somebody wants to hear of: `ticket`, `ticket:12`, `ticket.created`, `*`."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from helpdesk_core.events import EventCatalogue
from helpdesk_core.schemas import nearest

EVERYTHING = "*"


class UnknownTopic(ValueError):
    """Nothing is called so; the message names what is."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic there is.

    Attributes:
        resources: names of resources; `ticket:12` is one of them.
        events: every event.
    """

    resources: Collection[str]
    events: EventCatalogue

    def read(self, text: str) -> str:
        """Return the topic that `text` names, in its one spelling; `UnknownTopic` if there is none."""
        spelled = self.events.spelled(text)
        if text == EVERYTHING or text in self.resources or spelled is not None:
            return spelled or text
        name, colon, key = text.partition(":")
        if colon and name in self.resources and key.isascii() and key.isdigit() and len(key) < 20:
            return f"{name}:{int(key)}"
        known = sorted({EVERYTHING, *self.resources, *(each.type for each in self.events.all if each.about)})
        near = nearest(text, known)
        hint = f" Did you mean {near}?" if near else ""
        raise UnknownTopic(f"Unknown topic {text[:50]!r}.{hint} Known: {', '.join(known)}; one thing: ticket:12.")


def wants(topics: Collection[str], kind: str, touched: Iterable[tuple[str, int]]) -> bool:
    """Tell whether an event of type `kind` that touched these resources belongs to any of `topics`."""
    if EVERYTHING in topics or kind in topics:
        return True
    return any(name in topics or f"{name}:{key}" in topics for name, key in touched)
