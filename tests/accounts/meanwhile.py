"""What others do in the middle of a request."""

from collections.abc import Callable
from threading import Thread
from typing import Any

from sqlalchemy import text

from helpdesk_core.testing import Installation

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


class Meanwhile:
    """Something that happens once, in a thread of its own, in the middle of something else.

    Attributes:
        result: what it came to, once it is over.
    """

    def __init__(self, installation: Installation, act: Callable[[], Any], *, inside: bool = False) -> None:
        """Prepare; `inside` says that it happens inside a transaction that writes, for which SQLite lets it wait."""
        self._database = installation.parts.services.database
        self._inside = inside
        self._act = act
        self._thread: Thread | None = None
        self.result: Any = None

    def happens(self) -> None:
        """Begin, and go on when it is over or waits for a lock of the transaction that it happens in."""
        if self._thread is not None:
            return
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()
        while self._thread.is_alive() and not self._waits():
            pass

    def over(self) -> Any:
        """Wait for the end and return the result."""
        assert self._thread is not None, "it has not begun"
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()
        return self.result

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Let it happen when `function` is called, before that does anything."""

        def called(*given: Any, **named: Any) -> Any:
            self.happens()
            return function(*given, **named)

        return called

    def after(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Let it happen when `function` returns."""

        def called(*given: Any, **named: Any) -> Any:
            result = function(*given, **named)
            self.happens()
            return result

        return called

    def _run(self) -> None:
        self.result = self._act()

    def _waits(self) -> bool:
        if self._database.kind == "sqlite":
            return self._inside
        with self._database.engine.connect() as connection:
            return bool(connection.execute(_WAITING).scalar_one())
