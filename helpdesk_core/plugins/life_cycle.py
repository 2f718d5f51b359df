"""What the hooks of a plugin's life cycle work with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LifeCycleContext:
    """Given to `on_enable`, `on_disable`, `on_uninstall` and `forget_plugin`.

    Attributes:
        session: writes; committed by whoever calls the hook.
        organization_id: whose switch is turned; nothing when the plugin is uninstalled from all.
        now: the time, in UTC.
    """

    session: Session
    organization_id: int | None
    now: datetime
    _services: Mapping[type, Any]

    def get(self, kind: type[T]) -> T:
        """Return the service of a type, as endpoints get it with `ctx.services.get`."""
        found: T = self._services[kind]
        return found
