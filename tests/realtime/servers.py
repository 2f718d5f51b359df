"""An application behind a real server on loopback, in a thread of the test."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import uvicorn

from helpdesk_core.web.realtime.connection import LARGEST_FRAME


class Server(uvicorn.Server):
    """A server that leaves signals to the test runner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def served(app: Any) -> Iterator[int]:
    """Serve an application; yield the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    options: dict[str, Any] = {"lifespan": "on", "log_config": None, "http": "httptools"}
    config = uvicorn.Config(app, ws_max_size=LARGEST_FRAME, ws_per_message_deflate=False, **options)
    server = Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
