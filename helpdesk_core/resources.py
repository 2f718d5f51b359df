"""Resources: what outside systems can follow, by name: `ticket`, `comment`, `user`.

A plugin registers its own with the hook `register_resources`. An event says which of them it changes (`Event.about`);
the change feed, the socket and webhooks then read them here, so that all three show what the API would show.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.clock import Clock
from helpdesk_core.permissions import Actor, Permission
from helpdesk_core.plugins.gate import Gate
from helpdesk_core.queries import ReadModel, Viewer
from helpdesk_core.schemas import Dialect
from helpdesk_core.statements import Among
from helpdesk_core.tenancy import organization_of

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Resource:
    """One kind of thing that others can follow.

    What the read model shows must depend on the rights and the dialect of a viewer alone, not on who they are: it is
    read once for all who have the same.

    Attributes:
        name: `ticket`; events name it in `about`, clients in topics.
        model: how it is read. Which rows it lets somebody see must be right by itself: nobody looks at a parent first.
        permission: what it takes to read it at all.
        present_with: more permissions of the reader that `Resources.present` stands in for: those without which the
            rows of others would be hidden, and none that opens what is internal.
        ids: what a dialect shows as `id`, where that is not the key.
        needs: returns the permission without which nobody hears of an event about it, if there is one: what is
            internal must not even be known to be gone.
        path: where the API shows one, below `/api/v1`, with `{id}` as it is shown and fields of the event's payload.
        stated: whether every event about it names in `concerns` everybody who can see it besides those who see all,
            so that the others need not be looked at.
    """

    name: str
    model: ReadModel[Any]
    permission: Permission
    present_with: Sequence[Permission] = ()
    ids: Mapping[Dialect, Any] = field(default_factory=dict)
    needs: Callable[[Payload], Permission | None] = lambda _: None
    path: str = ""
    stated: bool = False


class Resources:
    """Every registered resource, and who may read it now."""

    def __init__(self, declared: Sequence[tuple[str, Resource]], gate: Gate, clock: Clock) -> None:
        """Keep what plugins registered.

        Args:
            declared: resources with the id of their plugin.
            gate: tells whether an organisation has a plugin on.
            clock: for fields that are computed from the time.
        """
        self._resources = {resource.name: resource for _, resource in declared}
        self._plugins = {resource.name: plugin for plugin, resource in declared}
        self._gate = gate
        self._clock = clock
        self._ids = {
            (resource.name, dialect): Among(resource.model.identified_by(column), resource.model.key)
            for _, resource in declared
            for dialect, column in resource.ids.items()
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all, in plugin order."""
        return tuple(self._resources)

    def get(self, name: str) -> Resource:
        """Return the resource called `name`; `KeyError` if there is none."""
        return self._resources[name]

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a resource called `name`."""
        return name in self._resources

    def is_open(self, actor: Actor, name: str) -> bool:
        """Tell whether `actor` may read resources of this name at all."""
        may = actor.can(self._resources[name].permission) and not actor.must_enroll
        return may and self._gate.closed(self._plugins[name], actor) is None

    def read(self, session: Session, viewer: Viewer, name: str, keys: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return what `viewer` may see now of the resources with these keys, in the viewer's dialect, by key."""
        if not keys or not self.is_open(viewer.actor, name):
            return {}
        model = self._resources[name].model
        return model.load_by_key(session, viewer, model.among(session, viewer, list(dict.fromkeys(keys))))

    def present(self, session: Session, name: str, key: int, *, now: datetime | None = None) -> dict[str, Any] | None:
        """Return a resource as an outside system may see it: in COMPREHENSIVE's words, without what is internal.

        Args:
            session: of the organisation.
            name: of the resource.
            key: of the row.
            now: for fields that are computed from the time; the present instant if left out.

        Returns:
            Nothing if there is no such row, it is deleted, or all of it is internal.
        """
        resource = self._resources[name]
        codes = frozenset(each.code for each in (resource.permission, *resource.present_with))
        outside = Actor(0, organization_of(session), "", permissions=codes)
        viewer = Viewer(outside, Dialect.COMPREHENSIVE, now or self._clock.now())
        seen = resource.model.among(session, viewer, [key])
        return resource.model.load_by_key(session, viewer, seen).get(key)

    def ids(self, session: Session, dialect: Dialect, name: str, keys: Sequence[int]) -> dict[int, Any]:
        """Return what `dialect` shows as `id`, by key, also of rows that nobody can see any more.

        A row that is gone for good is known by its key alone.
        """
        found: dict[int, Any] = dict(zip(keys, keys, strict=True))
        statement = self._ids.get((name, dialect))
        if statement is not None:
            found.update(dict(statement.rows(session, keys)))
        return found
