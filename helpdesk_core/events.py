"""Events: what happened is a row, written in the transaction in which it happened.

`publish` adds the row to the outbox; delivery (`helpdesk_core.jobs`) reads it after the commit. A crash can
therefore neither lose an event nor announce something that was rolled back.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, TypeVar, cast

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk_core.clock import Clock
from helpdesk_core.database import BigKey, CoreBase, UtcDateTime, after_commit
from helpdesk_core.keys import Seals
from helpdesk_core.permissions import Actor
from helpdesk_core.statements import insertion
from helpdesk_core.tenancy import TenantScoped


class Event(BaseModel):
    """Something that happened; its fields are the payload, ids rather than objects.

    A subclass states its `type` (`ticket.created`), documents each field, and raises `version` when a field
    changes its meaning or goes away.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str]
    version: ClassVar[int] = 1


EventT = TypeVar("EventT", bound=Event)
T = TypeVar("T")


class OutboxEvent(CoreBase, TenantScoped):
    """A published event, waiting for its handlers or done with them."""

    __tablename__ = "core_event"
    __table_args__ = (
        Index("ix_core_event_organization_id_id", "organization_id", "id"),
        Index(
            "ix_core_event_due_at",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    type: Mapped[str] = mapped_column(String(100))
    version: Mapped[int]
    payload: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)


_add_event = insertion(OutboxEvent)


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """What an event handler works with: a session and transaction of its own, in the event's organisation.

    Attributes:
        session: committed when the handler returns.
        event_id: the same at every delivery of one event; make effects idempotent by it.
        actor_id: the user whose act it was, if any.
        now: the present instant, UTC.
        extra: objects that plugins registered with `register_services`, by type.
    """

    session: Session
    event_id: int
    actor_id: int | None
    now: datetime
    extra: Mapping[type, Any] = field(default_factory=dict)
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    def get(self, kind: type[T]) -> T:
        """Return the object of type `kind` that was registered at start."""
        return cast("T", self.extra[kind])

    def then(self, act: Callable[[], None]) -> None:
        """Do something slow outside the database once this transaction is committed: send a mail, call a server.

        When `act` fails, the event is delivered again, so the handler must bear being called twice.
        """
        self.afterwards.append(act)


@dataclass(frozen=True, slots=True)
class Handler:
    """A function to call after an event has been committed."""

    event: type[Event]
    function: Callable[[HandlerContext, Any], None]

    @property
    def name(self) -> str:
        """Return `module.function`, by which deliveries are told apart."""
        return f"{self.function.__module__}.{self.function.__qualname__}"


def on(
    event: type[EventT],
) -> Callable[[Callable[[HandlerContext, EventT], None]], Handler]:
    """Declare a handler; `plugin.py` registers it. It runs at least once for each event, after the commit."""

    def declare(function: Callable[[HandlerContext, EventT], None]) -> Handler:
        return Handler(event, function)

    return declare


@dataclass(frozen=True, slots=True)
class Bus:
    """What publishing needs to know of the process.

    Attributes:
        clock: tells when things happen.
        handled: the event types that have handlers.
        wake: called after a commit that leaves something to deliver.
        seals: seal the audit log.
    """

    clock: Clock
    handled: Collection[str] = ()
    wake: Callable[[], None] = lambda: None
    seals: Seals | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an act comes from.

    Attributes:
        address: IP address, as far as trusted proxies tell; empty for what the system does.
        credential: what the actor showed: `jwt`, `session`, `api_key 12`, `command`, or nothing.
    """

    address: str = ""
    credential: str = ""


_NOWHERE = Origin()


def attribute_session(session: Session, bus: Bus, actor: Actor | None, origin: Origin = _NOWHERE) -> None:
    """Tell `session` who acts, from where, what time it is and which event types have handlers."""
    session.info.update(bus=bus, actor=actor, origin=origin)


def origin_of(session: Session) -> Origin:
    """Return where the acts of `session` come from."""
    origin: Origin = session.info.get("origin", _NOWHERE)
    return origin


def now(session: Session) -> datetime:
    """Return the present instant by the clock of `session`."""
    bus: Bus = session.info["bus"]
    return bus.clock.now()


@dataclass(frozen=True, slots=True)
class _Stopped:
    """A clock that stands still."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@contextmanager
def acting(session: Session, actor: Actor, moment: datetime) -> Iterator[None]:
    """Let what happens inside be done by `actor` at `moment`: imports and demonstration data tell of the past."""
    before: dict[str, Any] = {"bus": session.info["bus"], "actor": session.info["actor"]}
    session.info.update(bus=replace(before["bus"], clock=_Stopped(moment)), actor=actor)
    try:
        yield
    finally:
        session.info.update(before)


def publish(session: Session, event: Event) -> None:
    """Record `event` in the transaction of `session`.

    Types nobody handles are stored as history and are never due.
    """
    actor: Actor | None = session.info.get("actor")
    bus: Bus = session.info["bus"]
    moment = bus.clock.now()
    handled = event.type in bus.handled
    _add_event.run(
        session,
        {
            "type": event.type,
            "version": event.version,
            "payload": event.model_dump_json(),
            "actor_id": actor.user_id if actor else None,
            "created_at": moment,
            "due_at": moment if handled else None,
        },
    )
    if handled:
        after_commit(session, bus.wake)
