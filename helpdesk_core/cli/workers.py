"""Several processes of the server: started, kept alive, and replaced one after the other without losing a request."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from socket import socket
from typing import Final

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process, logger

from helpdesk_core.cli.cores import pin
from helpdesk_core.web.serving.state import RETIREMENT_SECONDS

RETIRE: Final = getattr(signal, "SIGQUIT", signal.SIGTERM)
"""Tells a process that another one has taken its place."""

START_SECONDS = 60.0
"""How long a new process has until it answers."""

LOOKS_EVERY_SECONDS = 0.1

KILLED_AFTER_SECONDS = 30.0
"""How long one that was replaced has once all are to stop, and how much longer than its own time otherwise."""


class Workers(Multiprocess):
    """uvicorn's workers, each on the processor of its place; on SIGHUP each is replaced by a new one."""

    def __init__(self, config: Config, sockets: list[socket], processors: Sequence[int]) -> None:
        """Prepare.

        Args:
            config: of the server.
            sockets: where it listens.
            processors: to pin the workers to in turn; none leaves them free.
        """
        super().__init__(config, sockets)
        self._processors = processors
        self._pinned: set[int] = set()
        self._retired: list[tuple[Process, float]] = []
        self._failed = False

    def run(self) -> None:
        """Run the workers until told to stop, or until one cannot start: then leave with its exit code."""
        super().run()
        if self._failed:
            sys.exit(STARTUP_FAILURE)

    def init_processes(self) -> None:
        """Start the workers."""
        super().init_processes()
        self._pin_new()

    def keep_subprocess_alive(self) -> None:
        """Replace workers that died, and see to the end of those that were replaced."""
        stopping = self.should_exit.is_set()
        super().keep_subprocess_alive()
        self._failed = self.should_exit.is_set() and not stopping
        self._pin_new()
        for process, until in [*self._retired]:
            if process.process.is_alive() and time.monotonic() < until:
                continue
            process.kill()
            process.join()
            self._retired.remove((process, until))

    def restart_all(self) -> None:
        """Replace each worker: the new one answers before the old one hears of it, and nobody waits for the old one."""
        for place, old in enumerate(self.processes):
            new = Process(self.config, self.sockets)
            new.start()
            self._pin(new, place)  # before it has threads, which would stay where they are
            if not self._answers(new):
                new.kill()
                new.join()
                if not self._is_told_to_stop():
                    logger.error("a new process does not answer; the old ones go on")
                return
            self.processes[place] = new
            with contextlib.suppress(ProcessLookupError):
                os.kill(old.pid or 0, RETIRE)
            self._retired.append((old, time.monotonic() + RETIREMENT_SECONDS + KILLED_AFTER_SECONDS))

    def _answers(self, process: Process) -> bool:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and process.process.is_alive() and not self._is_told_to_stop():
            if process.is_ready(timeout=0.5):
                return True
            time.sleep(LOOKS_EVERY_SECONDS)
        return False

    def _is_told_to_stop(self) -> bool:
        return self.should_exit.is_set() or not {signal.SIGTERM, signal.SIGINT}.isdisjoint(self.signal_queue)

    def terminate_all(self) -> None:
        """Stop every worker, those that were replaced as well."""
        super().terminate_all()
        for process, _ in self._retired:
            process.terminate()

    def join_all(self) -> None:
        """Wait for every worker."""
        super().join_all()
        until = time.monotonic() + KILLED_AFTER_SECONDS
        for process, _ in self._retired:
            process.process.join(max(0.0, until - time.monotonic()))
            process.kill()
            process.join()

    def _pin_new(self) -> None:
        for place, process in enumerate(self.processes):
            self._pin(process, place)

    def _pin(self, process: Process, place: int) -> None:
        if self._processors and process.pid is not None and process.pid not in self._pinned:
            self._pinned.add(process.pid)
            pin(process.pid, self._processors[place % len(self._processors)])
