"""All connections of this process: what happened is followed once for all of them, and only while there are any."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from helpdesk_core.changes import BEGINNING, Position
from helpdesk_core.clock import api_time
from helpdesk_core.database import commit
from helpdesk_core.errors import HelpdeskError
from helpdesk_core.events import Origin, attribute_session
from helpdesk_core.tenancy import set_organization
from helpdesk_core.web.authentication import Principal
from helpdesk_core.web.context import Services
from helpdesk_core.web.realtime.admission import Admission, Admitted, Asking
from helpdesk_core.web.realtime.connection import BROKEN, REPLACED, SILENT, UNANSWERED, UNAUTHENTICATED, Connection
from helpdesk_core.web.realtime.follower import Follower
from helpdesk_core.web.realtime.frames import BadFrame, frame
from helpdesk_core.web.realtime.inbox import Inbox
from helpdesk_core.web.realtime.wakers import Wakers

log = logging.getLogger("helpdesk.realtime")

T = TypeVar("T")

LOOK_SECONDS = 0.25
"""How often to look for what other processes have committed when nothing tells."""
TOLD_SECONDS = 1.0
"""How often to look where something does: a wake-up may be lost."""
HELD_SECONDS = 0.05
"""How soon to look again for what an older transaction holds back."""
RIGHTS_SECONDS = 60.0
"""How often rights are looked at when nothing says that they changed."""
TICK_SECONDS = 1.0
RETRY_SECONDS = 1.0


class Hub:
    """Knows every connection, and tells each what it is to hear."""

    def __init__(self, services: Services, admission: Admission, wakers: Wakers) -> None:
        """Prepare; `start` begins."""
        self._services = services
        self._admission = admission
        self._wakers = wakers
        self._follower = Follower(services, admission)
        self._heartbeat = services.settings.socket_heartbeat_seconds
        self._connections: dict[Connection, None] = {}
        self.ended: Counter[int] = Counter()
        self._position = BEGINNING
        self._following = asyncio.Lock()
        self._news = asyncio.Event()
        self._present = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._listens = False
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="follower")
        self._other = ThreadPoolExecutor(2, thread_name_prefix="socket")

    @property
    def connections(self) -> int:
        """Return how many clients are connected to this process."""
        return len(self._connections)

    def start(self) -> None:
        """Begin to follow, in the running loop, as soon as somebody connects."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._follow()), loop.create_task(self._look_after())]

    async def stop(self) -> None:
        """Close every connection and stop."""
        for connection in self._connections:
            connection.end(REPLACED, "The server restarts; resume with last_event_id.")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._reading.shutdown()
        self._other.shutdown()

    async def admit(self, asking: Asking) -> Admitted:
        """Return who connects; `HelpdeskError` when they may not."""
        return await self._in(self._other, self._admission.admit, asking)

    async def serve(self, connection: Connection, last_event_id: str | None) -> None:
        """Serve a client until either side has enough."""
        loop = asyncio.get_running_loop()
        connection.checked_at = connection.pinged_at = loop.time()
        if not self._listens:
            self._listens = True
            self._wakers.listen(lambda: _from_thread(loop, self._news.set))
        async with self._following:
            if not self._connections:
                self._position = await self._in(self._reading, self._follower.now)
            self._connections[connection] = None
        self._present.set()
        try:
            await connection.start(last_event_id)
            await connection.run()
        finally:
            del self._connections[connection]
            self.ended.update(connection.ended_with)
            if not self._connections:
                self._present.clear()

    # What a connection needs of the rest.

    def timestamp(self) -> str:
        """Return the present instant as the API shows it."""
        return api_time(self._services.clock.now())

    async def resume(self, connection: Connection, last_event_id: Any) -> None:
        """Tell the client where it stands and what it has missed, then let it hear what happens.

        Without an event to begin after, or after one that is too old, it begins now.
        """
        try:
            position, problem = await self._in(self._other, self._follower.begin, connection, last_event_id)
            ready = {"user_id": connection.audience[0].user_id, "heartbeat_seconds": self._heartbeat}
            await connection.put(frame("connection.ready", self.timestamp(), ready, id=str(position)))
            if problem is not None:
                connection.refuse(problem.code, str(problem))
            while not await self._has_caught_up(connection, position):
                position = await self._replay(connection, position)
        except SQLAlchemyError:
            log.exception("resuming failed")
            connection.end(BROKEN, "Something went wrong on our side.")

    async def _replay(self, connection: Connection, position: Position) -> Position:
        more = True
        while more:
            frames, position, more = await self._in(self._other, self._follower.resume, connection, position)
            for text in frames:
                await connection.put(text)
        return position

    async def _has_caught_up(self, connection: Connection, position: Position) -> bool:
        """Let the client hear what happens from now on, unless there is too much left to replay.

        Nothing is told to others meanwhile. What is read here and they have not heard yet is passed over later.
        """
        async with self._following:
            frames, position, more = await self._in(self._other, self._follower.resume, connection, position)
            if more or len(frames) > connection.room:
                return False
            for text in frames:
                connection.offer(text)
            connection.position, connection.live = position, True
            return True

    async def mark_read(self, connection: Connection, notification: Any) -> None:
        """Mark a notification of the client's as read."""
        inbox: Inbox | None = self._services.extra.get(Inbox)
        if inbox is None:
            raise BadFrame("NOT_AVAILABLE", "There are no notifications here.")
        if not isinstance(notification, int) or isinstance(notification, bool) or not 0 < notification < 2**53:
            raise BadFrame("BAD_FRAME", 'Name a notification: {"id": 5}.')
        if not await self._in(self._other, self._mark_read, inbox, connection.admitted.principal, notification):
            raise BadFrame("RESOURCE_NOT_FOUND", "There is no such notification.")

    def _mark_read(self, inbox: Inbox, principal: Principal, notification: int) -> bool:
        with self._services.database.session(writes=True) as session:
            set_organization(session, principal.actor.organization_id)
            attribute_session(session, self._services.bus, principal.actor, Origin(credential=principal.credential))
            found = inbox.mark_read(session, principal.actor, notification)
            commit(session)
            return found

    async def _in(self, threads: ThreadPoolExecutor, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, function, *arguments)

    # Following and looking after.

    async def _follow(self) -> None:
        while True:
            await self._present.wait()
            self._news.clear()
            pause = RETRY_SECONDS
            try:
                async with self._following:
                    pause = await self._tell_news()
            except (SQLAlchemyError, HelpdeskError):
                log.exception("following failed")
            if pause:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), pause)

    async def _tell_news(self) -> float:
        """Tell everybody what happened; return for how long to wait unless something wakes."""
        batch = await self._in(self._reading, self._follower.follow, self._position, self._listeners())
        self._position = batch.position
        self._pronounce(batch.verdicts)
        listeners = self._listeners()
        for news in batch.news:
            for connection in listeners.get(news.organization_id, ()):
                news.tell(connection)
        if batch.more:
            return 0.0
        return HELD_SECONDS if batch.waiting else TOLD_SECONDS if self._wakers.reaches_others else LOOK_SECONDS

    def _listeners(self) -> dict[int, list[Connection]]:
        found: dict[int, list[Connection]] = {}
        for connection in self._connections:
            if not connection.ended:
                found.setdefault(connection.organization_id, []).append(connection)
        return found

    def _pronounce(self, verdicts: Mapping[Connection, Principal | None]) -> None:
        moment = asyncio.get_running_loop().time()
        for connection, principal in verdicts.items():
            connection.checked_at = moment
            if principal is None:
                connection.end(UNAUTHENTICATED, "Authenticate again.")
            else:
                connection.admitted = replace(connection.admitted, principal=principal)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            moment = asyncio.get_running_loop().time()
            for connection in self._connections:
                if moment - connection.pinged_at >= self._heartbeat:
                    _ping(connection, moment)
            due = [connection for connection in self._connections if self._is_due(connection, moment)]
            try:
                self._pronounce(await self._in(self._other, self._follower.judge, due))
            except SQLAlchemyError:
                log.exception("looking at rights failed")

    def _is_due(self, connection: Connection, moment: float) -> bool:
        """Tell whether it is time to look at the rights of a client again."""
        expires_at = connection.admitted.principal.expires_at
        expired = expires_at is not None and expires_at <= self._services.clock.now()
        return not connection.ended and (expired or moment - connection.checked_at >= RIGHTS_SECONDS)


def _ping(connection: Connection, moment: float) -> None:
    if connection.unanswered >= UNANSWERED:
        connection.end(SILENT, "You did not answer; resume with last_event_id.")
        return
    connection.pinged_at = moment
    connection.unanswered += 1
    connection.tell("ping", {})


def _from_thread(loop: asyncio.AbstractEventLoop, act: Callable[[], object]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
        loop.call_soon_threadsafe(act)
