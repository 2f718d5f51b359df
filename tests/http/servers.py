"""Servers on loopback that answer as a test wants, and count who comes."""

import contextlib
import socket
import ssl
import struct
import threading
from contextlib import contextmanager

STEP = 0.01  # how long slow servers take for each byte


class Server:
    """Takes connections one after the other and hands each to `behave(connection, server)`.

    Attributes:
        port: of 127.0.0.1, or of another address of loopback.
        connections: how many it took.
        requests: what it read of each, up to the end of the headers and the announced body.
        names: what TLS clients called it.
    """

    def __init__(self, behave, *, host="127.0.0.1", port=0, tls=None):
        self.connections, self.requests, self.names = 0, [], []
        self.stopped = threading.Event()
        self._behave, self._tls = behave, tls
        self._listening = socket.create_server((host, port))
        self.port = self._listening.getsockname()[1]

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self._serve)
        thread.start()
        try:
            yield self
        finally:
            self.stopped.set()
            with contextlib.suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)  # wakes `accept`
            thread.join()
            self._listening.close()

    def _serve(self):
        while not self.stopped.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(10)
            with contextlib.suppress(OSError), connection:  # that clients hang up is what tests are about
                self._meet(connection)

    def _meet(self, connection):
        if self._tls is None:
            self._behave(connection, self)
            return
        self._tls.sni_callback = lambda _socket, name, _context: self.names.append(name)
        with self._tls.wrap_socket(connection, server_side=True) as private:
            self._behave(private, self)

    def read(self, connection):
        """Read one request, and remember it."""
        with connection.makefile("rb") as lines:
            head = b"".join(iter(lines.readline, b"\r\n"))
            length = [line for line in head.splitlines() if line.lower().startswith(b"content-length:")]
            body = lines.read(int(length[0].split(b":")[1])) if length else b""
        self.requests.append((head.decode(), body))


def answering(*parts, then="close"):
    """A behaviour: read the request, send `parts`, and close, reset or hang."""

    def behave(connection, server):
        server.read(connection)
        for part in parts:
            connection.sendall(part)
        if then == "hang":
            server.stopped.wait(10)
        if then == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def dripping(head, drop=b"x"):
    """A behaviour: send `head`, then `drop` again and again without an end."""

    def behave(connection, server):
        server.read(connection)
        connection.sendall(head)
        while not server.stopped.wait(STEP):
            connection.sendall(drop)

    return behave


def silent(connection, server):
    """Say nothing at all, not even in TLS."""
    server.stopped.wait(10)


def sipping(connection, server):
    """Read the request a byte at a time."""
    while not server.stopped.wait(STEP):
        connection.recv(1)


def ok(body=b"fine", *headers):
    """An answer in full."""
    head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


def redirect(location):
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
