"""One client of the socket: its queue, what it may send, and its end.

Nobody waits for a client: what it is to hear goes into a queue of its own; one that does not read is dropped.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.types import Receive, Send

from helpdesk_core.changes import BEGINNING, Change, Position, UnknownTopic
from helpdesk_core.changes.topics import EVERYTHING, Topics, wants
from helpdesk_core.permissions import Actor
from helpdesk_core.schemas import Dialect, nearest
from helpdesk_core.web.realtime.admission import Admitted
from helpdesk_core.web.realtime.frames import MOST_TOPICS, Asked, BadFrame, frame, read_frame

log = logging.getLogger("helpdesk.realtime")

QUEUE = 100
"""Frames that may wait for one client."""
LARGEST_FRAME = 65_536
MOST_FRAMES = 120
"""That a client may send in a minute."""
MINUTE = 60.0
PATIENCE_SECONDS = 5.0
"""How long one frame may take to leave."""
PARTING_SECONDS = 2.0
"""How long the last one may: who is closed for not reading has had its patience already."""
UNANSWERED = 2
"""Pings that a client may leave without any sign of life."""

UNAUTHENTICATED, REPLACED = 4401, 1012
POLICY, TOO_BIG, BROKEN, SLOW, SILENT = 1008, 1009, 1011, 1013, 4408


class Host(Protocol):
    """What a connection needs of the rest."""

    def timestamp(self) -> str:
        """Return the present instant as the API shows it."""

    async def resume(self, connection: "Connection", last_event_id: Any) -> None:
        """Tell the client again what happened after an event."""

    async def mark_read(self, connection: "Connection", notification: Any) -> None:
        """Mark a notification of the client's as read."""


@dataclass(frozen=True, slots=True)
class Wire:
    """The way to the client.

    Attributes:
        receive: waits for what it sends.
        send: sends, and waits while its window is full.
        abort: cuts it off.
    """

    receive: Receive
    send: Send
    abort: Callable[[], None]


@dataclass
class Connection:
    """One client.

    Attributes:
        admitted: who it is; looked at again now and then.
        wire: the way to it.
        host: the rest.
        topics: every topic there is.
        wanted: those that the client wants.
        live: whether it has heard of everything so far, and now hears of things as they happen.
        position: up to where it had heard when it became so.
        checked_at: when its rights were looked at, by the loop's clock.
        pinged_at: when it was last pinged.
        unanswered: how many pings it left unanswered.
    """

    admitted: Admitted
    wire: Wire
    host: Host
    topics: Topics
    wanted: frozenset[str] = frozenset([EVERYTHING])
    live: bool = False
    position: Position = BEGINNING
    checked_at: float = 0.0
    pinged_at: float = 0.0
    unanswered: int = 0
    _queue: "asyncio.Queue[str]" = field(default_factory=lambda: asyncio.Queue(QUEUE))
    _sent: "deque[float]" = field(default_factory=lambda: deque(maxlen=MOST_FRAMES))
    _end: "asyncio.Future[tuple[int, str]]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _resuming: "asyncio.Task[None] | None" = None

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    @property
    def audience(self) -> tuple[Actor, Dialect]:
        """Return what decides what the client is shown."""
        return self.admitted.principal.actor, self.admitted.dialect

    @property
    def organization_id(self) -> int:
        """Return the organisation that it follows."""
        return self.admitted.principal.actor.organization_id

    @property
    def ended(self) -> bool:
        """Tell whether it is about to close."""
        return self._end.done()

    @property
    def ended_with(self) -> list[int]:
        """Return the code with which this side has ended it; none where the client went."""
        return [self._end.result()[0]] if self._end.done() and not self._end.cancelled() else []

    @property
    def room(self) -> int:
        """Return how many frames still fit into the queue."""
        return QUEUE - self._queue.qsize()

    def wants(self, changes: list[Change]) -> bool:
        """Tell whether the client wants to hear of an event."""
        if EVERYTHING in self.wanted:
            return True
        return wants(self.wanted, changes[0].type, [(change.name, change.key) for change in changes])

    def offer(self, text: str) -> None:
        """Put a frame into the queue; a client that lets it fill up is closed."""
        if self._end.done():
            return
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            self.end(SLOW, "You read too slowly; resume with last_event_id.")

    async def put(self, text: str) -> None:
        """Put a frame into the queue as soon as there is room: for what was asked for, however much it is."""
        await self._queue.put(text)

    def end(self, code: int, reason: str) -> None:
        """Close the connection."""
        if not self._end.done():
            self._end.set_result((code, reason))

    async def run(self) -> None:
        """Serve the client until either side has enough."""
        reading = asyncio.ensure_future(self._read())
        sending = asyncio.ensure_future(self._send())
        try:
            waiting: set[asyncio.Future[Any]] = {reading, sending, self._end}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and (error := reading.exception()) is not None:
                log.error("socket failed", exc_info=error)
                self.end(BROKEN, "Something went wrong on our side.")
            ended = self._end.done()
        finally:
            self._end.cancel()  # whoever still offers something is too late
            tasks = [task for task in (reading, sending, self._resuming) if task is not None]
            for task in tasks:
                task.add_done_callback(_settle)
                task.cancel()
            await asyncio.wait(tasks)
        if ended:
            await self._close(*self._end.result())

    async def _close(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(PARTING_SECONDS):
                await self.wire.send({"type": "websocket.close", "code": code, "reason": reason})
        except TimeoutError:
            self.wire.abort()
        except (OSError, RuntimeError):
            log.debug("the client was faster")

    async def _send(self) -> None:
        while True:
            text = await self._queue.get()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self.wire.send({"type": "websocket.send", "text": text})
            except TimeoutError:
                self.wire.abort()
                return

    async def _read(self) -> None:
        while True:
            message = await self.wire.receive()
            if message["type"] == "websocket.disconnect":
                return
            self.unanswered = 0
            if self._is_flooding():
                self.end(POLICY, f"A client sends at most {MOST_FRAMES} frames a minute.")
                return
            text = message.get("text")
            if len(text or message.get("bytes") or "") > LARGEST_FRAME:
                self.end(TOO_BIG, f"A frame has at most {LARGEST_FRAME} bytes.")
                return
            await self._answer(text)

    def _is_flooding(self) -> bool:
        moment = asyncio.get_running_loop().time()
        flooding = len(self._sent) == MOST_FRAMES and moment - self._sent[0] < MINUTE
        self._sent.append(moment)
        return flooding

    async def _answer(self, text: str | None) -> None:
        asked = None
        try:
            asked = read_frame(text)
            await self._act(asked)
        except BadFrame as problem:
            self.refuse(problem.code, str(problem), id=asked.id if asked else None)

    def refuse(self, code: str, message: str, *, id: Any = None) -> None:
        """Tell the client that something does not work."""
        self.offer(frame("error", self.host.timestamp(), {"code": code, "message": message}, id=id))

    def tell(self, kind: str, data: Any, *, id: Any = None) -> None:
        """Tell the client something."""
        self.offer(frame(kind, self.host.timestamp(), data, id=id))

    async def _act(self, asked: Asked) -> None:
        acts: dict[str, Callable[[Asked], Awaitable[None]]] = {
            "ping": self._pong,
            "pong": self._nothing,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "resume": self._resume,
            "mark_read": self._mark_read,
        }
        act = acts.get(asked.type)
        if act is None:
            near = nearest(asked.type, list(acts))
            hint = f" Did you mean {near}?" if near else ""
            raise BadFrame("UNKNOWN_TYPE", f"Unknown type {asked.type[:50]!r}.{hint} Known: {', '.join(acts)}.")
        await act(asked)

    async def _pong(self, asked: Asked) -> None:
        self.tell("pong", {}, id=asked.id)

    async def _nothing(self, asked: Asked) -> None:
        pass

    async def _subscribe(self, asked: Asked) -> None:
        """Add topics; the first ones stand instead of everything."""
        named = self._topics(asked)
        wanted = named if EVERYTHING in named or EVERYTHING in self.wanted else self.wanted | named
        if len(wanted) > MOST_TOPICS:
            raise BadFrame("TOO_MANY_TOPICS", f"A connection has at most {MOST_TOPICS} topics.")
        self.wanted = wanted
        self.tell("subscribed", {"topics": sorted(self.wanted)}, id=asked.id)

    async def _unsubscribe(self, asked: Asked) -> None:
        self.wanted -= self._topics(asked)
        self.tell("subscribed", {"topics": sorted(self.wanted)}, id=asked.id)

    def _topics(self, asked: Asked) -> frozenset[str]:
        given = asked.data.get("topics")
        if not isinstance(given, list) or not given or not all(isinstance(each, str) for each in given):
            raise BadFrame("BAD_FRAME", 'Name topics: {"topics": ["ticket", "ticket:12", "ticket.created"]}.')
        try:
            return frozenset(self.topics.read(each) for each in given)
        except UnknownTopic as unknown:
            raise BadFrame("UNKNOWN_TOPIC", str(unknown)) from None

    async def _resume(self, asked: Asked) -> None:
        await self.start(asked.data.get("last_event_id"))

    async def _mark_read(self, asked: Asked) -> None:
        await self.host.mark_read(self, asked.data.get("id"))
        self.tell("marked_read", {"id": asked.data.get("id")}, id=asked.id)

    async def start(self, last_event_id: Any) -> None:
        """Begin to hear of what happens, and first of what happened after an event if one is given."""
        self.live = False
        if self._resuming is not None:
            self._resuming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._resuming
        self._resuming = asyncio.ensure_future(self.host.resume(self, last_event_id))


def _settle(task: "asyncio.Task[None]") -> None:
    """Take note of how a task ended, which nobody else looks at: that its client went away in the middle of a frame."""
    if not task.cancelled():
        task.exception()
