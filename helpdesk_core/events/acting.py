"""Who acts in a session, from where, when, and because of what."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from helpdesk_core.clock import Clock
from helpdesk_core.keys import Seals
from helpdesk_core.permissions import Actor

if TYPE_CHECKING:
    from helpdesk_core.events.event import Event
    from helpdesk_core.events.outbox import Happened

Within = Callable[[Session, "Happened", "Event"], None]
"""What is called in the transaction that publishes, and may raise to undo it."""


@dataclass(frozen=True, slots=True)
class Bus:
    """What publishing needs to know of the process.

    Attributes:
        clock: tells when things happen.
        handled: the event types that have handlers; `*` when one handles all.
        within: what takes part in the publishing transaction, by event type.
        wake: called after a commit that leaves something to deliver or to do.
        heard: called after a commit that published anything, for those who follow the events as they come.
        seals: seal the audit log.
        extra: objects that plugins registered with `register_services`, by type; for what gets a session and nothing
            else.
    """

    clock: Clock
    handled: Collection[str] = ()
    within: Mapping[str, Sequence[Within]] = field(default_factory=dict)
    wake: Callable[[], None] = lambda: None
    heard: Callable[[], None] = lambda: None
    seals: Seals | None = None
    extra: Mapping[type, Any] = field(default_factory=dict)


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


def attribute_session(
    session: Session,
    bus: Bus,
    actor: Actor | None,
    origin: Origin = _NOWHERE,
    *,
    cause: "Happened | None" = None,
) -> None:
    """Tell `session` who acts, from where, what time it is, and because of which event."""
    session.info.update(bus=bus, actor=actor, origin=origin, cause=cause)


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
def acting(session: Session, actor: Actor, moment: datetime | None = None) -> Iterator[None]:
    """Let what happens inside be done by `actor`, at `moment` if one is given.

    Imports and demonstration data tell of the past; automations act for their author.
    """
    before: dict[str, Any] = {"bus": session.info["bus"], "actor": session.info["actor"]}
    bus = before["bus"] if moment is None else replace(before["bus"], clock=_Stopped(moment))
    session.info.update(bus=bus, actor=actor)
    try:
        yield
    finally:
        session.info.update(before)
