"""A connection to addresses that were checked before, which ends in time whatever the other side does."""

import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpcore2

from helpdesk_core.http.addresses import Address
from helpdesk_core.http.failures import OutboundError
from helpdesk_core.http.urls import Target

TRIED_ADDRESSES = 4
"""Of one host: enough for a name with both IPv6 and IPv4, and no port scan of a long list."""
MAX_HEADER_BYTES = 32_768
"""Of an answer, names and values; while they come, the parser keeps no more than three times that."""
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
OURS = frozenset(
    {
        *("host", "content-length", "transfer-encoding", "te", "trailer", "expect", "accept-encoding"),
        *("connection", "keep-alive", "upgrade", "proxy-connection", "proxy-authorization"),
    }
)
"""Headers that say where a message goes and where it ends; nobody else sets them."""


class Deadline:
    """The end of the time that something has, however it is spent."""

    def __init__(self, seconds: float, missed: str) -> None:
        """Begin now; `missed` is the sentence for being late."""
        self._end = time.monotonic() + seconds
        self._missed = missed

    def left(self) -> float:
        """Return the seconds left.

        Raises:
            OutboundError: there are none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def passed(self) -> OutboundError:
        """Return the error to raise when an operation says that its time is over."""
        return OutboundError("timeout", self._missed)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a request ends at the latest.

    Attributes:
        whole: the request, from looking up the name to the last byte.
        connecting: the connection, TLS included.
    """

    whole: Deadline
    connecting: Deadline


class Stream(httpcore2.NetworkStream):
    """One connected socket. Timeouts that httpcore passes are for one step each; the deadlines are for all of them."""

    def __init__(self, connected: socket.socket, limits: Limits) -> None:
        """Take over `connected`."""
        self._socket = connected
        self._limits = limits
        self._has_answered = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come."""
        self._socket.settimeout(self._limits.whole.left())
        try:
            received = self._socket.recv(max_bytes)
        except OSError as error:
            raise _failure(error, self._limits.whole) from None
        if not received and not self._has_answered:
            raise OutboundError("connect", "The host closed the connection without an answer.")
        self._has_answered = True
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send everything.

        Raises:
            httpcore2.WriteError: the other side takes no more; httpcore reads what it may have said before.
        """
        left = memoryview(buffer)
        while left:
            self._socket.settimeout(self._limits.whole.left())  # each time: the other side may read slowly on purpose
            try:
                left = left[self._socket.send(left) :]
            except TimeoutError:
                raise self._limits.whole.passed() from None
            except OSError:
                raise httpcore2.WriteError from None

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Return the stream within TLS, once the host has proven to be `server_hostname`."""
        try:
            self._socket.settimeout(self._limits.connecting.left())
            return Stream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._limits)
        except OSError as error:
            raise _failure(error, self._limits.connecting) from None
        except OutboundError:
            self.close()
            raise

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def get_extra_info(self, info: str) -> Any:
        """Return nothing: what httpcore asks for here is about HTTP/2, which is not offered."""
        return None


class Pinned(httpcore2.NetworkBackend):
    """Connects to addresses that were decided on; the name that httpcore knows is never looked up."""

    def __init__(self, addresses: Sequence[Address], limits: Limits) -> None:
        """Prepare; nothing is connected yet."""
        self._addresses = addresses[:TRIED_ADDRESSES]
        self._limits = limits

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Return a stream to the first address that takes the connection."""
        connecting = self._limits.connecting
        failed = OutboundError("connect", "The host has no address.")
        for tried, address in enumerate(self._addresses):
            share = connecting.left() / (len(self._addresses) - tried)  # a silent address leaves time for the next
            try:
                connected = socket.create_connection((str(address), port), timeout=share)
            except OSError as error:
                failed = _failure(error, connecting)
            else:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return Stream(connected, self._limits)
        raise failed


class Answer:
    """What a host answers: status and headers are here, the body comes while it is read."""

    def __init__(self, connection: httpcore2.HTTPConnection, response: httpcore2.Response) -> None:
        """Take over both."""
        self.status = response.status
        self.headers = response.headers
        self._connection = connection
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body as it comes, undecoded."""
        with _explained():
            yield from self._response.iter_stream()

    def close(self) -> None:
        """Close the connection, whatever else the host has to say."""
        self._connection.close()


def send(
    target: Target,
    *,
    addresses: Sequence[Address],
    limits: Limits,
    trusted: ssl.SSLContext | None,
    method: str,
    headers: Iterable[tuple[bytes, bytes]],
    content: bytes,
) -> Answer:
    """Send one request on a connection of its own.

    Args:
        target: what the request, its header `Host` and the certificate are about.
        addresses: of the target, checked.
        limits: when it ends at the latest.
        trusted: how certificates are checked, of a target with `https`.
        method: in capitals.
        headers: none of `OURS`.
        content: the body.

    Raises:
        OutboundError: there is no answer, or its headers are too long.
    """
    scheme, host = target.scheme.encode(), target.host.encode()
    framing = [(b"Host", target.authority.encode()), (b"Accept-Encoding", b"identity"), (b"Connection", b"close")]
    if content or method in WITH_BODY:
        framing.append((b"Content-Length", b"%d" % len(content)))
    url = httpcore2.URL(scheme=scheme, host=host, port=target.port, target=target.path.encode())
    request = httpcore2.Request(method, url, headers=[*framing, *headers], content=content)
    origin = httpcore2.Origin(scheme, host, target.port)
    connection = httpcore2.HTTPConnection(origin, trusted, network_backend=Pinned(addresses, limits))
    try:
        with _explained():
            answer = Answer(connection, connection.handle_request(request))
        if sum(len(name) + len(value) for name, value in answer.headers) > MAX_HEADER_BYTES:
            raise OutboundError("protocol", "The headers of the answer are too long.")
    except OutboundError:
        connection.close()
        raise
    return answer


@contextmanager
def _explained() -> Iterator[None]:
    """Say ourselves what went wrong: the library's messages quote what was sent and what came."""
    try:
        yield
    except httpcore2.LocalProtocolError:
        raise OutboundError("refused", "The request cannot be written as HTTP.") from None
    except httpcore2.ProtocolError:
        raise OutboundError("protocol", "The answer is not valid HTTP.") from None


def _failure(error: OSError, deadline: Deadline) -> OutboundError:
    if isinstance(error, TimeoutError):
        return deadline.passed()
    if isinstance(error, ssl.SSLCertVerificationError):
        return OutboundError("tls", f"The certificate of the host is not accepted: {error.verify_message}.")
    if isinstance(error, ssl.SSLError):
        return OutboundError("tls", "TLS failed: the host does not speak it, or not as it is spoken here.")
    return OutboundError("connect", "The connection failed or broke.")
