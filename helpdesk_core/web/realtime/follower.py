"""Follows events and works out, in a database thread, what each audience hears: read and encoded once for all."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.changes import Change, Changes, CursorExpired, Position, Record, Sharing
from helpdesk_core.errors import HelpdeskError
from helpdesk_core.permissions import Actor
from helpdesk_core.queries import Viewer
from helpdesk_core.schemas import Dialect
from helpdesk_core.tenancy import set_organization, set_unscoped
from helpdesk_core.web.authentication import Principal
from helpdesk_core.web.context import Services
from helpdesk_core.web.realtime.admission import Admission
from helpdesk_core.web.realtime.connection import Connection
from helpdesk_core.web.realtime.frames import BadFrame, told

BATCH = 100
RIGHTS = ("user.", "role.", "api_key.", "organization.")
"""Events whose types begin so may change what somebody may do; those with a `user_id` only that of one."""

Audience = tuple[Actor, Dialect]


@dataclass(frozen=True, slots=True)
class Told:
    """A frame, and what it is about."""

    text: str
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class News:
    """An event, and what each audience hears of it."""

    position: Position
    organization_id: int
    told: Mapping[Audience, Told]

    def tell(self, connection: Connection) -> None:
        """Tell a client, unless it has heard of it already or does not want to."""
        if not connection.live or self.position <= connection.position:
            return
        told = self.told.get(connection.audience)
        if told is not None and connection.wants(told.changes):
            connection.offer(told.text)


@dataclass
class Batch:
    """What some events mean for those who are connected.

    Attributes:
        position: of the last event.
        more: whether there are more already.
        waiting: whether there are more that an older transaction holds back.
        verdicts: who those now are whose rights were looked at; nothing for who may no longer stay.
        news: the events that somebody hears of.
    """

    position: Position
    more: bool = False
    waiting: bool = False
    verdicts: dict[Connection, Principal | None] = field(default_factory=dict)
    news: list[News] = field(default_factory=list)


class Follower:
    """Reads events; every method takes a database thread."""

    def __init__(self, services: Services, admission: Admission) -> None:
        """Keep what it works with."""
        self._services = services
        self._admission = admission
        self._changes = services.get(Changes)

    def now(self) -> Position:
        """Return the position of the newest event of all."""
        with self._services.database.session(writes=False) as session:
            set_unscoped(session)
            return self._changes.log.newest(session, own=False)

    def follow(self, after: Position, listeners: Mapping[int, Sequence[Connection]]) -> Batch:
        """Return what happened after a position, for those who are connected, by organisation."""
        with self._services.database.session(writes=False) as session:
            set_unscoped(session)
            records, waiting = self._changes.log.all(session, after, BATCH)
        batch = Batch(records[-1].position if records else after, len(records) == BATCH, waiting)
        of_organization: dict[int, list[Record]] = {}
        for record in records:
            if record.organization_id in listeners:
                of_organization.setdefault(record.organization_id, []).append(record)
        for organization_id, own in of_organization.items():
            connected = listeners[organization_id]
            batch.verdicts |= self.judge(_affected(own, connected))
            audiences = dict.fromkeys(_audience(each, batch.verdicts) for each in connected if each.live)
            batch.news += self._news(organization_id, own, [each for each in audiences if each is not None])
        return batch

    def judge(self, connections: Iterable[Connection]) -> dict[Connection, Principal | None]:
        """Look at the rights of connections again."""
        return {each: self._now(each) for each in connections}

    def begin(self, connection: Connection, last_event_id: Any) -> tuple[Position, BadFrame | None]:
        """Return where a client begins, and why that is not where it asked for."""
        with self._session(connection) as session:
            now = self._changes.newest(session)
            if last_event_id is None:
                return now, None
            given = Position.read(last_event_id) if isinstance(last_event_id, str) else None
            if given is None:
                return now, BadFrame("BAD_FRAME", "last_event_id is no id of an event.")
            try:
                self._changes.log.check(session, given)
            except CursorExpired as expired:
                return now, BadFrame(expired.code, expired.message)
            return given, None

    def resume(self, connection: Connection, after: Position) -> tuple[list[str], Position, bool]:
        """Return the frames that a client has missed, how far they go, and whether there are more."""
        with self._session(connection) as session:
            records = self._changes.log.own(session, after, BATCH)
            seen = self._changes.seen(session, self._viewer(connection.audience), records)
        frames = [told(changes[0]) for changes in seen if changes and connection.wants(changes)]
        return frames, records[-1].position if records else after, len(records) == BATCH

    def _now(self, connection: Connection) -> Principal | None:
        try:
            return self._admission.again(connection.admitted.standing)
        except HelpdeskError:
            return None

    def _session(self, connection: Connection) -> AbstractContextManager[Session]:
        return self._scoped(connection.organization_id)

    @contextmanager
    def _scoped(self, organization_id: int) -> Iterator[Session]:
        with self._services.database.session(writes=False, snapshot=True) as session:
            set_organization(session, organization_id)
            yield session

    def _viewer(self, audience: Audience) -> Viewer:
        return Viewer(audience[0], audience[1], self._services.clock.now())

    def _news(self, organization_id: int, records: Sequence[Record], audiences: Sequence[Audience]) -> list[News]:
        sharing = Sharing()
        heard: list[dict[Audience, Told]] = [{} for _ in records]
        with self._scoped(organization_id) as session:
            for audience in audiences:
                viewer = self._viewer(audience)
                seen = self._changes.seen(session, viewer, records, sharing=sharing, live=True)
                for place, changes in ((place, changes) for place, changes in enumerate(seen) if changes):
                    heard[place][audience] = Told(self._text(changes[0], viewer, sharing), changes)
        pairs = zip(records, heard, strict=True)
        return [News(record.position, organization_id, told) for record, told in pairs if told]

    def _text(self, change: Change, viewer: Viewer, sharing: Sharing) -> str:
        """Encode a frame once for all who are shown the same."""
        shown_to = self._changes.audience(viewer, change.name)
        key = (change.record.position, change.type, change.about, change.data is None, *shown_to)
        text = sharing.texts.get(key)
        if text is None:
            text = sharing.texts[key] = told(change)
        return text


def _affected(records: Sequence[Record], connected: Sequence[Connection]) -> list[Connection]:
    """Return those whose rights events may have changed."""
    found: dict[Connection, None] = {}
    for record in records:
        if record.type.startswith(RIGHTS):
            user_id = record.payload.get("user_id")
            found |= {each: None for each in connected if user_id in {None, each.audience[0].user_id}}
    return list(found)


def _audience(connection: Connection, verdicts: Mapping[Connection, Principal | None]) -> Audience | None:
    if connection not in verdicts:
        return connection.audience
    principal = verdicts[connection]
    return None if principal is None else (principal.actor, connection.admitted.dialect)
