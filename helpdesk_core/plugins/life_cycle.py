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


@dataclass(frozen=True, slots=True)
class PluginNames:
    """The names that belong to a plugin which is being uninstalled.

    Attributes:
        id: of the plugin.
        own: what it declared; empty when its code is gone.
        others: what other plugins have declared.
    """

    id: str
    own: frozenset[str]
    others: frozenset[str]

    def owns(self, name: str) -> bool:
        """Tell whether a permission, event, kind of notification, handler, job or setting is the plugin's.

        Names of a plugin whose code is gone are told by their beginning, `oncall.`, `oncall:` or `oncall_`; those of
        jobs and handlers by that of the package, if it is called `helpdesk_oncall`.
        """
        ours = (f"{self.id}.", f"{self.id}:", f"{self.id}_", f"helpdesk_{self.id}.")
        begins = name == self.id or name.startswith(ours)
        return name in self.own or (begins and name not in self.others)
