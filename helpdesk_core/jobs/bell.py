"""The bell: says that there is something to do, soon after a commit or after some time.

What must be done is in the database; a ring that is lost costs a few seconds. Rings go through huey: a file beside an
SQLite database, Redis where there is one. A message holds the name of a lane and nothing else.
"""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

import orjson
from huey import Huey, RedisHuey, SqliteHuey, crontab
from huey.registry import Message

from helpdesk_core.settings import Settings

log = logging.getLogger("helpdesk.jobs")

Lane = Literal["quick", "slow", "tick"]
_WORK: tuple[Lane, ...] = ("quick", "slow")
SWEEP_SECONDS = 5.0
"""How often workers look by themselves, for the sake of rings that were lost."""

MOST_WAITING = 16
"""Rings that nobody has answered yet; more of them say nothing new."""


class JsonSerializer:
    """Writes huey's messages as JSON: pickle, its default, would run whatever somebody puts into the queue."""

    def serialize(self, message: Message) -> bytes:
        """Return a message as JSON."""
        return orjson.dumps([message.id, message.name, message.eta and message.eta.isoformat(), list(message.args)])

    def deserialize(self, data: bytes) -> Message:
        """Return the message; whatever is no ring of ours fails."""
        key, name, _, arguments = orjson.loads(data)
        if arguments not in ([], ["quick"], ["slow"], ["tick"]):  # huey's own clock rings without a word
            raise ValueError("this is no ring")
        return Message(id=str(key), name=str(name), retries=0, retry_delay=0, args=tuple(arguments), kwargs={})


def make_queue(settings: Settings) -> Huey:
    """Return the queue that every process of the installation shares."""
    options: dict[str, Any] = {"serializer": JsonSerializer(), "results": False, "store_none": False}
    if settings.redis_url:
        # huey gives no time-out of its own to connections; a frozen server would hold its threads for ever.
        url = _with(settings.redis_url, "socket_timeout=3&socket_connect_timeout=1")
        return RedisHuey("helpdesk", url=url, read_timeout=1, **options)
    settings.home.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("helpdesk", filename=str(settings.home / "queue.db"), fsync=False, cache_mb=1, **options)


def _with(url: str, parameters: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{parameters}"


class Bell:
    """Rings from one process; a thread of its own does it, so that no request waits for the queue."""

    def __init__(self, queue: Callable[[], Huey]) -> None:
        """Prepare; nothing is opened before `start`.

        Args:
            queue: returns the queue, once.
        """
        self._make = queue
        self._asked = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._ring: Any = None
        self._answer: Callable[[Lane], None] | None = None
        self.queue: Huey | None = None

    def start(self, answer: Callable[[Lane], None] | None = None) -> None:
        """Begin to ring.

        Args:
            answer: what a worker does when it hears a ring; processes without a worker have none, and ring only when
                there was a commit.
        """
        self.queue = self._make()
        self._answer = answer

        def ring(lane: Lane) -> None:  # huey's name for it, the same in processes with and without a worker
            if answer is not None:
                answer(lane)

        self._ring = self.queue.task(name="ring")(ring)
        if answer is not None:
            self.queue.periodic_task(crontab(minute="*"), name="tick")(lambda: answer("tick"))
        self._thread = threading.Thread(target=self._loop, name="bell", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop ringing."""
        self._stopping = True
        self._asked.set()
        if self._thread is not None:
            self._thread.join()

    def ask(self) -> None:
        """Have it ring soon; costs next to nothing."""
        self._asked.set()

    def ask_in(self, delay: timedelta) -> None:
        """Have it ring after some time."""
        if self._ring is None:
            return
        try:
            for lane in _WORK:
                self._ring.schedule((lane,), delay=max(0.0, delay.total_seconds()) + 1)
        except Exception:  # noqa: BLE001 - whatever the queue's driver raises
            log.debug("the queue is away; the next sweep will find the job")

    def ring(self, lane: Lane) -> bool:
        """Ring now; tell whether the queue took it."""
        try:
            if self.queue is not None and self.queue.pending_count() < MOST_WAITING:
                self._ring(lane)
        except Exception:  # noqa: BLE001 - whatever the queue's driver raises
            log.warning("the queue cannot be reached; each worker looks every few seconds by itself")
            return False
        return True

    def _loop(self) -> None:
        while not self._stopping:
            self._asked.wait(SWEEP_SECONDS if self._answer else None)
            self._asked.clear()
            for lane in _WORK:
                if not self._stopping and not self.ring(lane) and self._answer is not None:
                    self._answer(lane)
