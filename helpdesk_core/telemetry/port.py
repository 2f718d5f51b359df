"""`/metrics` on a port of its own, for processes that serve nothing else."""

import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6

from helpdesk_core.settings import Settings
from helpdesk_core.telemetry.collecting import Telemetry
from helpdesk_core.telemetry.reading import PATH, refusal

log = logging.getLogger("helpdesk.telemetry")

IDLE_SECONDS = 10.0


class MetricsServer(ThreadingHTTPServer):
    """Answers `/metrics` on a port of its own, in threads beside whatever the process does."""

    daemon_threads = True

    def __init__(self, host: str, port: int, settings: Settings, telemetry: Telemetry) -> None:
        """Listen; `start` begins to answer.

        Raises:
            OSError: the port cannot be had.
        """
        self.settings = settings
        self.telemetry = telemetry
        if ":" in host:
            self.address_family = AF_INET6
        super().__init__((host, port), _Handler)

    @property
    def port(self) -> int:
        """Return the port that was had."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self.serve_forever, name="metrics", daemon=True).start()

    def stop(self) -> None:
        """Stop answering and let go of the port."""
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    timeout = IDLE_SECONDS
    server_version = "Helpdesk"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != PATH:
            self._send(404, b"There is nothing at this path.\n", "text/plain")
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        refused = refusal(self.server.settings, str(self.client_address[0]), headers)
        if refused is not None:
            self._send(refused[0], f"{refused[1]}\n".encode(), "text/plain")
            return
        self._send(200, *self.server.telemetry.answer(headers.get("accept", "")))

    def _send(self, status: int, body: bytes, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        log.debug("metrics", extra={"told": format % args})
