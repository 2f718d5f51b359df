"""Events that were published while somebody watched."""

from collections.abc import Sequence
from typing import Any, overload

from helpdesk_core.testing.installation import Installation

Announced = tuple[str, dict[str, Any]]


class Published(Sequence[Announced]):
    """Every event since this was made, as `(type, payload)`, the oldest first; read anew whenever it is looked at."""

    def __init__(self, installation: Installation) -> None:
        """Begin now."""
        self._installation = installation
        self._before = 0
        self.clear()

    def clear(self) -> None:
        """Forget what was published so far."""
        self._before = len(self._installation.events())

    def of(self, event_type: str) -> list[dict[str, Any]]:
        """Return the payloads of one type."""
        return [payload for name, payload in self if name == event_type]

    @property
    def types(self) -> list[str]:
        """Return the type of each."""
        return [name for name, _ in self]

    def _seen(self) -> list[Announced]:
        return self._installation.events()[self._before :]

    @overload
    def __getitem__(self, place: int) -> Announced: ...
    @overload
    def __getitem__(self, place: slice) -> list[Announced]: ...
    def __getitem__(self, place: int | slice) -> Announced | list[Announced]:
        """Return one, or some, by place."""
        return self._seen()[place]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._seen())

    def __eq__(self, other: object) -> bool:
        """Compare with a list."""
        return self._seen() == (other._seen() if isinstance(other, Published) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show them as a list."""
        return repr(self._seen())
