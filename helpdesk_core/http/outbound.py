"""`Outbound`: the service that sends requests to addresses that users gave."""

import re
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_network

import httpx2

from helpdesk_core.http.addresses import Address, Resolver, is_public, is_within, look_up, system_resolver
from helpdesk_core.http.connections import OURS, Answer, Deadline, Limits, send
from helpdesk_core.http.failures import OutboundError, Unresolved, UnsafeUrl
from helpdesk_core.http.urls import Target, read_url
from helpdesk_core.settings import Settings
from helpdesk_core.tracing import NO_TRACES, Tracing

Headers = Sequence[tuple[bytes, bytes]]

KEPT_BYTES = 65_536
"""How much of an answer's body `request` reads."""
CLIENT_BYTES = 1_048_576
"""How long an answer's body may be for clients of libraries, which cannot do with a part."""
CHECK_SECONDS = 5.0
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
USUAL = ((b"User-Agent", b"Helpdesk"), (b"Accept", b"*/*"))
NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(rb"[\x21-\x7e]?|[\x21-\x7e][\x20-\x7e\t]*[\x21-\x7e]")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a host answered; a redirect is an answer like any other.

    Attributes:
        status: as it was sent.
        headers: with names in lower case; several with one name are joined by commas.
        body: its first 64 kB, as it was sent: compressed, if the host did that unasked.
        truncated: whether there was more.
        seconds: how long all of it took.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    seconds: float


class Outbound:
    """Sends requests to addresses that users gave, and to nothing but public hosts and what the operator allows.

    One per process, safe to use from several threads. Never use it while a transaction is open: a host may take its
    time on purpose.
    """

    def __init__(
        self,
        settings: Settings,
        resolve: Resolver = system_resolver,
        *,
        trusted: ssl.SSLContext | None = None,
        tracing: Tracing = NO_TRACES,
    ) -> None:
        """Prepare; nothing is looked up or connected yet.

        Args:
            settings: `outbound_allow` and `outbound_ports` are used.
            resolve: returns the addresses of a host and port, and raises `OSError` if there are none.
            trusted: how certificates are checked; by the machine's authorities when it is left out.
            tracing: told of each request.
        """
        self._allowed = tuple(ip_network(network) for network in settings.outbound_allow)
        self._ports = settings.outbound_ports
        self._resolve = resolve
        self._given = trusted
        self._tracing = tracing

    def check(self, url: str) -> None:
        """Refuse `url` if requests to it would be refused now: for the moment when somebody saves it.

        It says nothing about later, when name servers may tell something else: every request checks again.

        Raises:
            UnsafeUrl: why, in a sentence for whoever entered it.
        """
        self._admit(read_url(url, self._ports), CHECK_SECONDS)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout: float = 15.0,
        connect_timeout: float = 3.0,
        secrets: Iterable[str] = (),
    ) -> Reply:
        """Send a request once, and return what was answered.

        Redirects are not followed, and neither proxies nor the environment are asked for.

        Args:
            method: in capitals.
            url: as `check` takes it.
            headers: of the request; those that frame it (`Host`, `Content-Length`...) are not for others to set.
            content: the body.
            timeout: seconds for everything, from looking up the name to the last byte.
            connect_timeout: seconds of it for the connection, TLS included.
            secrets: texts that are starred out where the host repeats them, in the reply and in messages.

        Raises:
            OutboundError: there is no answer; its `kind` says where it ended.
        """
        hidden = _Hidden(secrets)
        seconds = _Seconds(timeout, connect_timeout)
        began = time.monotonic()
        try:
            sent = _checked(headers or {})
            with closing(self._send(method, url, sent, content or b"", seconds=seconds)) as answer:
                body, truncated = _first(answer, KEPT_BYTES)
        except OutboundError as error:
            raise OutboundError(error.kind, hidden.of(error.message.encode()).decode()) from None
        told = {name: hidden.of(value).decode("latin-1") for name, value in _joined(answer.headers).items()}
        kept = hidden.of(body, cut=truncated)
        return Reply(answer.status, told, kept, truncated, time.monotonic() - began)

    def transport(self, *, timeout: float = 15.0, connect_timeout: float = 3.0) -> httpx2.BaseTransport:
        """Return a transport for clients of libraries, Authlib's `OAuth2Client(..., transport=...)` for instance.

        It does what `request` does, and raises `OutboundError`. Timeouts of the client mean nothing to it: each
        request has its `timeout`. An answer that is compressed or longer than 1 MB is refused.
        """
        return _Transport(partial(self._send, seconds=_Seconds(timeout, connect_timeout)))

    def client(self, *, timeout: float = 15.0, connect_timeout: float = 3.0) -> httpx2.Client:
        """Return a client on such a transport; it follows no redirects and keeps no cookies."""
        return httpx2.Client(
            transport=self.transport(timeout=timeout, connect_timeout=connect_timeout),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        """How certificates are checked; reading those of the machine takes a while, so only once it is needed."""
        return self._given or httpx2.create_ssl_context(trust_env=False)

    def _send(self, method: str, url: str, headers: Headers, content: bytes, *, seconds: "_Seconds") -> Answer:
        whole = Deadline(seconds.whole, f"The host did not answer in full within {seconds.whole:g} seconds.")
        if method not in METHODS:
            raise OutboundError("refused", "The method must be one of those that webhooks use.")
        try:
            target = read_url(url, self._ports)
            addresses = self._admit(target, whole.left())
        except UnsafeUrl as error:
            kind = "dns" if isinstance(error, Unresolved) else "refused"
            raise OutboundError(kind, error.reason) from None
        in_time = min(seconds.connecting, whole.left())
        connecting = Deadline(in_time, f"The host took no connection within {seconds.connecting:g} seconds.")
        limits = Limits(whole, connecting)
        with self._tracing.outbound(method, target.host, target.port) as call:
            answer = send(
                target,
                addresses=addresses,
                limits=limits,
                trusted=self._trusted if target.scheme == "https" else None,
                method=method,
                headers=[*headers, *call.headers],
                content=content,
            )
            call.answered(answer.status)
            return answer

    def _admit(self, target: Target, seconds: float) -> list[Address]:
        """Return the addresses of a target that requests may go to: what is connected to is one of them."""
        if target.objection and not self._allowed:
            raise UnsafeUrl(target.objection)
        addresses = [target.address] if target.address else self._look_up(target, seconds)
        others = [address for address in addresses if not is_within(address, self._allowed)]
        if others and target.objection:
            raise UnsafeUrl(target.objection)
        if not all(map(is_public, others)):
            raise UnsafeUrl("The host has an address that is not of the public internet.")
        return addresses

    def _look_up(self, target: Target, seconds: float) -> list[Address]:
        try:
            addresses = look_up(self._resolve, target.host, target.port, seconds)
        except TimeoutError:
            raise Unresolved("The host could not be looked up in time.") from None
        except (OSError, UnicodeError):
            raise Unresolved("The host has no address: there is no such name.") from None
        except ValueError:
            raise UnsafeUrl("The host has an address that is not of the public internet.") from None
        if not addresses:
            raise Unresolved("The host has no address: there is no such name.")
        return addresses


@dataclass(frozen=True, slots=True)
class _Seconds:
    whole: float
    connecting: float


class _Transport(httpx2.BaseTransport):
    def __init__(self, send_guarded: Callable[[str, str, Headers, bytes], Answer]) -> None:
        self._send = send_guarded

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = [(name, value) for name, value in request.headers.raw if name.decode().lower() not in OURS]
        answer = self._send(request.method, str(request.url), headers, request.read())
        encoding = _joined(answer.headers).get("content-encoding", b"identity")
        if encoding.lower() != b"identity":
            answer.close()
            raise OutboundError("protocol", "The answer is compressed, which was not asked for.")
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer))


class _Body(httpx2.SyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        read = 0
        for chunk in self._answer:
            read += len(chunk)
            if read > CLIENT_BYTES:
                raise OutboundError("protocol", "The answer is too long.")
            yield chunk

    def close(self) -> None:
        self._answer.close()


class _Hidden:
    """Stars out secrets, as they are: not those that somebody has encoded."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted((secret.encode() for secret in secrets if secret), key=len, reverse=True)

    def of(self, text: bytes, *, cut: bool = False) -> bytes:
        """Return `text` without secrets, nor with the beginning of one where it was cut off."""
        for secret in self._secrets:
            text = text.replace(secret, b"***")
        begun = [at for secret in self._secrets for at in range(1, len(secret)) if text.endswith(secret[:at])]
        return text[: -max(begun)] if cut and begun else text


def _checked(headers: Mapping[str, str]) -> Headers:
    """Return headers as they are sent; nothing in them can end a line."""
    given = {name.lower() for name in headers}
    checked = [(name, value) for name, value in USUAL if name.decode().lower() not in given]
    for name, value in headers.items():
        try:
            written = name.encode("ascii"), value.encode("ascii")
        except UnicodeEncodeError:
            raise OutboundError("refused", "A header has characters beyond ASCII.") from None
        if not NAME.fullmatch(written[0]) or not VALUE.fullmatch(written[1]):
            raise OutboundError("refused", "A header has characters that headers cannot have.")
        if name.lower() in OURS:
            raise OutboundError("refused", f"The header {name} cannot be set.")
        checked.append(written)
    return checked


def _joined(headers: Headers) -> dict[str, bytes]:
    joined: dict[str, bytes] = {}
    for raw, value in headers:
        name = raw.decode("ascii").lower()
        joined[name] = joined[name] + b", " + value if name in joined else value
    return joined


def _first(answer: Answer, limit: int) -> tuple[bytes, bool]:
    """Return at most `limit` bytes of the body, and whether there is more."""
    kept = bytearray()
    for chunk in answer:
        kept += chunk
        if len(kept) > limit:
            return bytes(kept[:limit]), True
    return bytes(kept), False
