"""Where clients reach this installation."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """Scheme and host, without a slash at the end."""

    base: str


def public_url(settings: Any, clock: Any) -> PublicUrl:  # noqa: ARG001 - every factory is given both
    """Return the address that the operator has set, or that of a development server."""
    return PublicUrl(settings.public_url or "http://localhost:8000")
