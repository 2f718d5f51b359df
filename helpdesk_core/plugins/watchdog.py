"""The watchdog: breaks off code of plugins that does not come to an end, so that what waits behind it goes on.

A thread of Python can be made to raise an exception when it next computes; that ends loops, and lets transactions
roll back as after any other error. The main thread is told by a signal, which also wakes it from waiting. A thread that
waits for the outside without a limit cannot be woken: it is written off, what it holds in the database is let go, and
another thread takes its place. To watch a call costs about two microseconds.
"""

import ctypes
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from helpdesk_core.plugins.health import Hung, PluginHealth

log = logging.getLogger("helpdesk.plugins")

LOOKS_EVERY_SECONDS = 0.25
TOLD_EVERY_SECONDS = 1.0
"""Code that catches every exception is told again; not so soon that it could not roll back."""
GRACE_SECONDS = 5.0
"""How long a thread has, once it was told to stop, before it is written off."""

_DATABASE = ("sqlalchemy", "psycopg", "sqlite3", "helpdesk_core.database", "helpdesk_core.postgres")
_DEEPEST = 12
"""Calls, from the innermost, among which the database is looked for."""


@dataclass(slots=True, eq=False)
class Call:
    """A call into a plugin that has begun.

    Attributes:
        plugin: whose code it is.
        phase: what it does.
        thread: in which it runs.
        limit: seconds that it may take.
        began: when, by the clock that only goes forward.
        told_at: when it was first told to stop.
        told_last: when it was last.
        rested_at: when it last began to wait after it was told.
        written_off: whether it has been given up.
    """

    plugin: str
    phase: str
    thread: int
    limit: float
    began: float = field(default_factory=time.monotonic)
    told_at: float | None = None
    told_last: float = 0.0
    rested_at: float = 0.0
    written_off: bool = False


class Watchdog:
    """Watches the calls of one process."""

    def __init__(self, health: PluginHealth, let_go: Callable[[int], None] = lambda _: None) -> None:
        """Prepare; nothing is interrupted before `start`.

        Args:
            health: told of what was written off; what is interrupted fails where it is called.
            let_go: gives up what a thread holds in the database.
        """
        self._health = health
        self._let_go = let_go
        self._calls: dict[int, Call] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._replace: dict[int, Callable[[BaseException], None]] = {}
        self._signals = False

    def start(self) -> None:
        """Begin to watch. Called in the main thread, it can interrupt that one as well."""
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and hasattr(signal, "pthread_kill"):
            signal.signal(signal.SIGALRM, self._heed)
            self._signals = True
        self._thread = threading.Thread(target=self._loop, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def replaceable(self, replace: Callable[[BaseException], None]) -> None:
        """Say what to do when the present thread is written off: `replace` gets the error, in another thread."""
        self._replace[threading.get_ident()] = replace

    @contextmanager
    def watched(self, plugin: str, phase: str, seconds: float) -> Iterator[None]:
        """Raise `Hung` in the block once it has run for so long, unless it only waits for the database by then."""
        thread = threading.get_ident()
        if thread in self._calls:  # a call within a call: the outer one is watched
            yield
            return
        call = self._calls[thread] = Call(plugin, phase, thread, seconds)
        try:
            yield
        finally:
            self._leave(call)

    def rest(self) -> Call | None:
        """Watch the call of the present thread no longer, for it waits and another one goes on; `go_on` wants it back.

        Whatever it was told and has not heard would be heard by the other one.
        """
        thread = threading.get_ident()
        with self._lock:
            call = self._calls.pop(thread, None)
            if call is not None and call.told_at is not None:
                _interrupt(thread, None)
                call.rested_at = time.monotonic()
        return call

    def go_on(self, call: Call | None) -> None:
        """Watch a call again. Its time has gone on, but not the time that it has to hear what it was told."""
        if call is None:
            return
        if call.told_at is not None:
            call.told_at += time.monotonic() - call.rested_at
        self._calls[call.thread] = call

    def _leave(self, call: Call) -> None:
        while True:
            try:
                self._forget(call)
                return
            except Hung:
                continue  # it was told just now

    def _forget(self, call: Call) -> None:
        with self._lock:
            if self._calls.get(call.thread) is call:  # broken off when it was about to rest, it may be there no more
                del self._calls[call.thread]
            if call.told_at is not None:
                _interrupt(call.thread, None)  # what it was told and has not heard yet

    def _loop(self) -> None:
        while not self._stopping.wait(LOOKS_EVERY_SECONDS):
            self.look()

    def look(self) -> None:
        """Interrupt what is overdue, and write off what did not hear."""
        now = time.monotonic()
        for call in tuple(self._calls.values()):
            if now - call.began < call.limit or call.written_off:
                continue
            if call.told_at is not None and now - call.told_at > GRACE_SECONDS:
                self._write_off(call)
            elif now - call.told_last >= TOLD_EVERY_SECONDS and not _waits_for_database(call.thread):
                self._tell(call, now)

    def _tell(self, call: Call, now: float) -> None:
        with self._lock:
            if self._calls.get(call.thread) is not call:
                return  # it has come to an end
            call.told_last = now
            if call.told_at is None:
                call.told_at = now
                told = {"plugin": call.plugin, "phase": call.phase, "seconds": call.limit}
                log.error("plugin interrupted", extra={**told, "at": _place(call.thread)})
            if self._signals and call.thread == threading.main_thread().ident:
                signal.pthread_kill(call.thread, signal.SIGALRM)
            else:
                _interrupt(call.thread, Hung)

    def _heed(self, _number: int, _frame: FrameType | None) -> None:
        """Stop what the main thread does, if it still is what was to be stopped."""
        call = self._calls.get(threading.main_thread().ident or 0)
        if call is not None and call.told_at is not None:
            raise Hung

    def _write_off(self, call: Call) -> None:
        call.written_off = True
        error = Hung(f"does not come to an end {_place(call.thread)}")
        log.critical("thread written off", extra={"plugin": call.plugin, "at": _place(call.thread)})
        self._health.failed(call.plugin, call.phase, error)
        self._let_go(call.thread)
        replace = self._replace.get(call.thread)
        if replace is not None:
            replace(error)


def _interrupt(thread: int, error: type[BaseException] | None) -> None:
    """Make a thread raise an exception when it next computes, or, for none, take that back."""
    raised: Any = ctypes.py_object(error) if error is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)


def _frames(thread: int) -> Iterator[FrameType]:
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - the documented way to see another thread
    while frame is not None:
        yield frame
        frame = frame.f_back


def _waits_for_database(thread: int) -> bool:
    """Tell whether a thread is inside the database or its driver: it may wait for what somebody else holds."""
    for depth, frame in enumerate(_frames(thread)):
        if depth > _DEEPEST:
            return False
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(_DATABASE):
            return True
    return False


def _place(thread: int) -> str:
    frame = next(_frames(thread), None)
    return f"at {frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}" if frame else ""
