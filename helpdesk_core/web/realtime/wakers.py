"""How a process learns at once that events were committed, its own and those of others.

A wake-up carries nothing and may be lost: whoever follows looks by itself now and then. Others are told after the
commit, by a thread of its own and at most once for all commits meanwhile, so that publishing costs nothing more.
"""

import logging
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from sqlalchemy import make_url

from helpdesk_core.settings import BadSetting, Settings

log = logging.getLogger("helpdesk.realtime")

NAME = "helpdesk_events"
"""Of the channel in Redis, and in PostgreSQL."""
RECONNECT_SECONDS = 2.0
BEHIND_POOLER = (
    "PostgreSQL is behind a pooler, through which nobody hears of news: set HELPDESK_DATABASE_DIRECT_URL or "
    "HELPDESK_REDIS_URL"
)


class Deaf(Exception):
    """A channel that can tell, and will never hear; the message says why, and what helps."""


class Channel(Protocol):
    """Wakes other processes up."""

    def announce(self) -> None:
        """Tell the others."""

    def listen(self, stopped: threading.Event, heard: Callable[[], None]) -> None:
        """Call `heard` whenever somebody announces something, until `stopped` is set.

        It raises `Deaf` where nothing can be heard, and whatever its driver does when it breaks.
        """

    def close(self) -> None:
        """Let connections go."""


def channel_of(settings: Settings) -> Channel | None:
    """Return how the processes of an installation wake each other; nothing where they have to look by themselves."""
    if settings.redis_url:
        return _imported("redis_channel", "redis").RedisChannel(settings.redis_url)  # type: ignore[no-any-return]
    if make_url(settings.database).get_backend_name() == "postgresql":
        channel = _imported("postgres_channel", "postgres").PostgresChannel
        return channel(settings.database, settings.direct_database)  # type: ignore[no-any-return]
    return None


def _imported(module: str, extra: str) -> Any:
    """Import a channel whose driver is optional, hence only when it is asked for."""
    try:
        return import_module(f"helpdesk_core.web.realtime.{module}")
    except ModuleNotFoundError as error:
        raise BadSetting(f"This needs a driver: install helpdesk-core[{extra}] ({error}).") from None


class Wakers:
    """Wakes this process and the others."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; nothing is opened, and nobody else is told, before `start`."""
        self._settings = settings
        self._channel: Channel | None = None
        self._listeners: list[Callable[[], None]] = []
        self._deaf = False
        self._stopped = threading.Event()
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}

    @property
    def reaches_others(self) -> bool:
        """Tell whether processes hear of each other's commits."""
        return self._channel is not None and not self._deaf

    def start(self) -> None:
        """Tell others, and hear of them, from now on; threads start with the first reason."""
        self._channel = channel_of(self._settings)
        if self._listeners:
            self._start("listening", self._listen)

    def announce(self) -> None:
        """Tell everybody that something was committed; returns at once."""
        for listener in self._listeners:
            listener()
        if self._channel is not None:
            self._news.set()
            if "announcing" not in self._threads:
                self._start("announcing", self._announce)

    def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard`, from any thread, whenever something may have been committed."""
        self._listeners.append(heard)
        self._start("listening", self._listen)

    def close(self) -> None:
        """Stop telling and hearing."""
        self._listeners.clear()
        self._stopped.set()
        self._news.set()
        for thread in self._threads.values():
            thread.join()
        if self._channel is not None:
            self._channel.close()

    def _start(self, name: str, run: Callable[[], None]) -> None:
        with self._lock:
            if self._channel is None or name in self._threads or self._stopped.is_set():
                return
            thread = self._threads[name] = threading.Thread(target=run, name=name, daemon=True)
            thread.start()

    def _announce(self) -> None:
        while not self._stopped.is_set():
            self._news.wait()
            self._news.clear()
            self._try("tell other processes of news", self._tell)

    def _tell(self) -> None:
        if self._channel is not None and not self._stopped.is_set():
            self._channel.announce()

    def _listen(self) -> None:
        while not self._stopped.is_set() and not self._deaf:
            self._try("hear of news", self._hear)

    def _hear(self) -> None:
        if self._channel is not None:
            self._channel.listen(self._stopped, self._wake)

    def _wake(self) -> None:
        for listener in list(self._listeners):
            listener()

    def _try(self, what: str, act: Callable[[], None]) -> None:
        try:
            act()
        except Deaf as error:
            self._deaf = True
            log.warning("cannot %s, hence looking for it", what, extra={"error": str(error)})
        except Exception as error:  # noqa: BLE001 - every driver has its own; looking now and then goes on meanwhile
            log.warning("cannot %s", what, extra={"error": str(error)})
            self._stopped.wait(RECONNECT_SECONDS)
