"""What the plugins of this process declare, as far as telling people needs it."""

from collections.abc import Iterator
from typing import TypeVar, cast

from sqlalchemy.orm import Session

from helpdesk_core.events import Bus
from helpdesk_core.notifications.kinds import NotificationKind
from helpdesk_core.permissions import RolePermissions
from helpdesk_core.plugins import Contributions, PluginHost

T = TypeVar("T")

HOOK = "register_notification_kinds"


def kind_called(session: Session, name: str) -> NotificationKind | None:
    """Return the kind by its name, whoever has its plugin on."""
    declared = _registered(session, Contributions).all(HOOK)
    return next((kind for _, kind in declared if kind.name == name), None)


def kinds_on(session: Session) -> Iterator[tuple[str, NotificationKind]]:
    """Iterate over the kinds of the plugins that the session's organisation has on, each with its plugin's id."""
    contributions = _registered(session, Contributions)
    return ((plugin, kind) for plugin, kind in contributions.all(HOOK) if contributions.enabled(session, plugin))


def is_off(session: Session, name: str) -> bool:
    """Tell whether a kind is of a plugin that the session's organisation has not on."""
    contributions = _registered(session, Contributions)
    owner = next((plugin for plugin, kind in contributions.all(HOOK) if kind.name == name), None)
    return owner is not None and not contributions.enabled(session, owner)


def roles_in(session: Session) -> RolePermissions:
    """Return the permissions of each role."""
    return _registered(session, PluginHost).roles


def _registered(session: Session, kind: type[T]) -> T:
    bus: Bus = session.info["bus"]
    return cast("T", bus.extra[kind])
