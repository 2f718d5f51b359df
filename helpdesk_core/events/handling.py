"""Handlers: functions that are called because something happened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from sqlalchemy.orm import Session

from helpdesk_core.events.event import Event, EventT
from helpdesk_core.events.outbox import Happened

T = TypeVar("T")
Wanted = Callable[[Session, str], bool]


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """What an event handler works with: a session and transaction of its own, in the event's organisation.

    Attributes:
        happened: the event as it was recorded: when, by whom, because of what.
        now: the present instant, UTC.
        extra: objects that plugins registered with `register_services`, by type.
        afterwards: see `then`.
    """

    happened: Happened
    now: datetime
    extra: Mapping[type, Any]
    _open: Callable[[], Session]
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    @property
    def session(self) -> Session:
        """Return the session, opened when it is first asked for.

        It is committed when the handler returns, together with the record that this delivery is done: what a handler
        writes happens once, however often it is called. After `then` it may happen again, with what follows.
        """
        return self._open()

    @property
    def event_id(self) -> int:
        """Return the key of the event, the same at every delivery; make effects outside idempotent by it."""
        return self.happened.id

    @property
    def actor_id(self) -> int | None:
        """Return the user whose act it was, if any."""
        return self.happened.actor_id

    def get(self, kind: type[T]) -> T:
        """Return the object of type `kind` that was registered at start."""
        return cast("T", self.extra[kind])

    def then(self, act: Callable[[], None]) -> None:
        """Do something outside the database once this transaction is committed: send a mail.

        When `act` fails, or the process dies, the event is delivered again: the handler must bear being called twice.
        What may take long is a job of its own, see `enqueue`.
        """
        self.afterwards.append(act)


@dataclass(frozen=True, slots=True)
class Handler:
    """A function to call when something has happened.

    Attributes:
        event: what it handles; `Event` for everything.
        function: called with the context and the event.
        name: by which deliveries are stored, `<package>.<function>`: keep it when the function moves.
        within: whether it runs inside the publishing transaction, which it can refuse, instead of after the commit.
        when: asked in the event's organisation whether a delivery of this type is worth making.
        only: asked with the event, before a delivery is stored, whether there is anything to do.
        timeout: after this long it counts as failed, and is tried again.
    """

    event: type[Event]
    function: Callable[[HandlerContext, Any], None]
    name: str
    within: bool = False
    when: Wanted | None = None
    only: Callable[[Any], bool] | None = None
    timeout: timedelta = timedelta(seconds=60)


def on(
    event: type[EventT],
    *,
    name: str = "",
    within: bool = False,
    when: Wanted | None = None,
    only: Callable[[EventT], bool] | None = None,
) -> Callable[[Callable[[HandlerContext, EventT], None]], Handler]:
    """Declare a handler; `plugin.py` registers it.

    Args:
        event: the type that it handles; `Event` for all of them.
        name: tells deliveries apart, where the name of the function does not.
        within: call it in the transaction that publishes, where a `HelpdeskError` undoes everything. Without, it is
            called after the commit, at least once for each event, in order for each aggregate.
        when: `when(session, event_type)` is asked before a delivery is stored, and spares those that nobody needs.
        only: `only(event)` is asked as well: a delivery is a transaction, and costs more than to look at an event. A
            pure function of what the event says.

    Raises:
        TypeError: `only` is given for all types, or for a handler within the transaction, where nobody would ask.
    """
    if only is not None and (event is Event or within):
        raise TypeError("only is asked for one type of event, after the commit")

    def declare(function: Callable[[HandlerContext, EventT], None]) -> Handler:
        return Handler(event, function, named(function, name), within, when, only)

    return declare


def named(function: Callable[..., Any], name: str = "") -> str:
    """Return the name by which a function is stored: that of its distribution's package, and its own."""
    return f"{function.__module__.partition('.')[0]}.{name or function.__name__}"
