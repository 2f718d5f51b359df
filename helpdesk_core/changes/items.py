"""What somebody is shown of events: resources as they may see them now, or that one is gone from their sight."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.changes.log import Log, Record
from helpdesk_core.changes.positions import BEGINNING, Position
from helpdesk_core.changes.topics import EVERYTHING, Topics, wants
from helpdesk_core.events import EventCatalogue
from helpdesk_core.queries import Viewer
from helpdesk_core.resources import Resources

Touched = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that an event touched, for one viewer.

    Attributes:
        record: the event.
        type: what the viewer is told happened: the event's type, or `ticket.updated` if they may not know of more.
        name: of the resource.
        key: of the row.
        data: as it is now; nothing if it is gone from the viewer's sight.
        about: the keys of all that the event touched and the viewer may know of, by name.
        id: what the viewer's dialect shows as `id`, of what is gone.
    """

    record: Record
    type: str
    name: str
    key: int
    data: Mapping[str, Any] | None
    about: Touched
    id: Any = None

    def item(self) -> dict[str, Any]:
        """Return what the feed shows."""
        return {
            "id": str(self.record.position),
            "type": self.type,
            "timestamp": self.record.timestamp,
            "object": self.name,
            "key": self.key,
            "about": dict(self.about),
            "data": self.data,
        }


@dataclass
class Sharing:
    """What was read for some events, kept for the next viewer with the same rights.

    Attributes:
        data: what is shown, by resource and by who is shown the same.
        texts: encoded frames, likewise.
    """

    data: dict[tuple[Any, ...], dict[int, dict[str, Any]]] = field(default_factory=dict)
    texts: dict[tuple[Any, ...], str] = field(default_factory=dict)


class Changes:
    """Turns events into what viewers are shown."""

    def __init__(self, resources: Resources, catalogue: EventCatalogue) -> None:
        """Keep what events and resources there are."""
        self.resources = resources
        self.log = Log()
        self.topics = Topics(resources.names, catalogue)
        self._catalogue = catalogue

    def touched(self, record: Record) -> Touched:
        """Return the resources that an event touched, the most specific first."""
        named = ((name, record.payload.get(field)) for name, field in self._catalogue.about(record.type).items())
        return tuple((name, key) for name, key in named if key is not None and name in self.resources)

    def page(
        self,
        session: Session,
        viewer: Viewer,
        after: Position | None,
        size: int,
        topics: Collection[str] = (EVERYTHING,),
    ) -> tuple[list[Change], Position, bool]:
        """Return what happened after a position, how far that goes, and whether there is more.

        Args:
            session: of the viewer's organisation.
            viewer: for whom.
            after: the position of before; nothing begins with the oldest event that is kept.
            size: how many events are looked at.
            topics: what is wanted.

        Raises:
            CursorExpired: not everything after `after` is kept any more (410).
        """
        if after is None:
            after = BEGINNING
        else:
            self.log.check(session, after)
        records = self.log.own(session, after, size + 1)
        looked_at = records[:size]
        seen = (change for changes in self.seen(session, viewer, looked_at) for change in changes)
        found = [change for change in seen if wants(topics, change.type, [(change.name, change.key)])]
        position = looked_at[-1].position if looked_at else after
        return found, position, len(records) > size

    def newest(self, session: Session) -> Position:
        """Return the position of now, in the organisation of `session`."""
        return self.log.newest(session, own=True)

    def audience(self, viewer: Viewer, name: str) -> tuple[Any, ...]:
        """Name those who are shown the same of a kind of resource: all with the same rights, if these alone count."""
        visible = self.resources.get(name).model.visible
        alone = 0 if visible.criterion(visible.variant(viewer.actor)) is None else viewer.actor.user_id
        return (alone, viewer.actor.permissions, viewer.dialect)

    def seen(
        self,
        session: Session,
        viewer: Viewer,
        records: Sequence[Record],
        *,
        sharing: Sharing | None = None,
        live: bool = False,
    ) -> list[list[Change]]:
        """Return what `viewer` is shown of each event; what cannot be seen now is gone, whatever it was then.

        Args:
            session: of the viewer's organisation.
            viewer: for whom.
            records: the events, of that organisation.
            sharing: what was read for others.
            live: whether the events are of just now: `Resource.stated` spares looking then.
        """
        touched = [self.touched(record) for record in records]
        reading = _Reading(self, session, viewer, sharing or Sharing())
        for record, things in zip(records, touched, strict=True):
            for name, key in things:
                reading.want(name, key, record, live=live)
        shown = [list(reading.changes(record, things)) for record, things in zip(records, touched, strict=True)]
        return reading.identified(shown)


class _Reading:
    """Reads for one viewer: each kind of resource once, for all events together."""

    def __init__(self, all_changes: Changes, session: Session, viewer: Viewer, sharing: Sharing) -> None:
        self._changes = all_changes
        self._resources = all_changes.resources
        self._session = session
        self._viewer = viewer
        self._sharing = sharing
        self._wanted: dict[str, dict[int, None]] = {}
        self._open: dict[str, bool] = {}
        self._found: dict[str, Mapping[int, dict[str, Any]]] = {}

    def want(self, name: str, key: int, record: Record, *, live: bool) -> None:
        """Note that a row is to be read, unless the viewer cannot see it."""
        if name not in self._open:
            self._open[name] = self._resources.is_open(self._viewer.actor, name)
        if not self._open[name]:
            return
        skipped = live and self._resources.get(name).stated and not self._is_witness(name, record)
        if not skipped:
            self._wanted.setdefault(name, {})[key] = None

    def changes(self, record: Record, things: Touched) -> list[Change]:
        """Return what the viewer is shown of one event."""
        known = tuple(thing for thing in things if self._knows(thing, record))
        is_whole = known[:1] == things[:1]
        return [
            Change(record, record.type if is_whole else f"{name}.updated", name, key, self._read(name).get(key), known)
            for name, key in known
        ]

    def identified(self, shown: list[list[Change]]) -> list[list[Change]]:
        """Return the same, with ids for what is gone."""
        gone: dict[str, list[int]] = {}
        for change in (each for changes in shown for each in changes if each.data is None):
            gone.setdefault(change.name, []).append(change.key)
        dialect = self._viewer.dialect
        ids = {name: self._resources.ids(self._session, dialect, name, keys) for name, keys in gone.items()}
        return [[_with_id(change, ids) for change in changes] for changes in shown] if gone else shown

    def _knows(self, thing: tuple[str, int], record: Record) -> bool:
        """Tell whether the viewer sees a thing, or could see it before."""
        name, key = thing
        return self._open[name] and (key in self._read(name) or self._hears(name, record))

    def _read(self, name: str) -> Mapping[int, dict[str, Any]]:
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._shared(name, list(self._wanted.get(name, ())))
        return found

    def _shared(self, name: str, keys: list[int]) -> Mapping[int, dict[str, Any]]:
        """Read what others with the same rights have not read yet."""
        shared = self._sharing.data.setdefault((name, *self._changes.audience(self._viewer, name)), {})
        missing = [key for key in keys if key not in shared]
        read = self._resources.read(self._session, self._viewer, name, missing)
        shared.update({key: read.get(key, {}) for key in missing})
        return {key: shared[key] for key in keys if shared[key]}

    def _is_witness(self, name: str, record: Record) -> bool:
        """Tell whether the viewer could see the thing before the event or can see it since."""
        visible = self._resources.get(name).model.visible
        overseeing = visible.oversees(visible.variant(self._viewer.actor))
        return overseeing or self._viewer.actor.user_id in record.concerns

    def _hears(self, name: str, record: Record) -> bool:
        """Tell whether the viewer is told that the thing is gone from their sight."""
        needed = self._resources.get(name).needs(record.payload)
        return self._is_witness(name, record) and (needed is None or self._viewer.actor.can(needed))


def _with_id(change: Change, ids: Mapping[str, Mapping[int, Any]]) -> Change:
    if change.data is not None:
        return change
    return replace(change, id=ids[change.name][change.key])
