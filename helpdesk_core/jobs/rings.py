"""The queue of rings: huey, in a file beside an SQLite database, in Redis where there is one.

A message holds the name of a lane and nothing else. Importing this takes a third of a second, for huey loads every
driver that it finds; the bell does so while the server already answers.
"""

from collections.abc import Callable
from typing import Any

import orjson
from huey import Huey, RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer
from huey.registry import Message

from helpdesk_core.settings import Settings

Answer = Callable[[Any], None]


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


class _Threads(Consumer):  # type: ignore[misc]
    """huey's consumer as a part of a process, which handles signals itself."""

    def add_thread(self) -> None:
        """Start one more thread, in place of one that is stuck."""
        worker = self._create_process(self._create_worker(), "Worker-more")
        worker.start()

    def _set_signal_handlers(self) -> None:
        """Leave the signals to the process."""


def make_queue(settings: Settings) -> Huey:
    """Return the queue that every process of the installation shares."""
    options: dict[str, Any] = {"serializer": JsonSerializer(), "results": False, "store_none": False}
    if settings.redis_url:
        # huey gives no time-out of its own to connections; a frozen server would hold its threads for ever.
        url = _with(settings.redis_url, "socket_timeout=3&socket_connect_timeout=1")
        return RedisHuey("helpdesk", url=url, read_timeout=1, **options)
    settings.home.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("helpdesk", filename=str(settings.home / "queue.db"), fsync=False, cache_mb=1, **options)


def declare(queue: Huey, answer: Answer | None) -> Any:
    """Return what puts a ring into the queue.

    Args:
        queue: of the installation.
        answer: what a worker does when it takes one out; it also hears the clock, once a minute.
    """

    def ring(lane: str) -> None:  # huey's name for it, the same in processes with and without a worker
        if answer is not None:
            answer(lane)

    if answer is not None:
        queue.periodic_task(crontab(minute="*"), name="tick")(lambda: answer("tick"))
    return queue.task(name="ring")(ring)


def consume(queue: Huey, threads: int) -> Consumer:
    """Begin to take rings out of the queue, in so many threads; its `stop` ends it."""
    consumer = _Threads(queue, workers=threads, initial_delay=0.02, max_delay=0.25, check_worker_health=False)
    consumer.start()
    return consumer


def _with(url: str, parameters: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{parameters}"
