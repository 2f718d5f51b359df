"""What is told of while it happens, for traces. Here nothing comes of it; see `telemetry/otel.py` for what does."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

RawHeader = tuple[bytes, bytes]


class Call:
    """A request to somebody else.

    Attributes:
        headers: to send along.
    """

    headers: Sequence[RawHeader] = ()

    def answered(self, status: int) -> None:
        """Hear what came back."""


_NOTHING: AbstractContextManager[Any] = nullcontext()
_CALL: AbstractContextManager[Call] = nullcontext(Call())


class Tracing:
    """Traces nothing, which costs nothing."""

    def start(self) -> None:
        """Begin to send."""

    def stop(self) -> None:
        """Send what is left, for two seconds at most."""

    def around_requests(self) -> Sequence[Any]:
        """Return middleware to put around requests, within what gives them their ids."""
        return ()

    def watch(self, engine: Any) -> None:
        """Trace the statements of a database."""

    def take_part(self, within: Mapping[str, Any]) -> None:
        """Note what is published, in what is called in the transaction that publishes."""

    def resumed(self, request_id: str) -> AbstractContextManager[Any]:
        """Go on in this thread with the trace of a request that arrived in another."""
        return _NOTHING

    def job(self, plugin: str, name: str, cause: Any) -> AbstractContextManager[Any]:
        """Trace a delivery or a job; `cause` is its event, if there is one."""
        return _NOTHING

    def outbound(self, method: str, host: str, port: int) -> AbstractContextManager[Call]:
        """Trace a request to somebody else."""
        return _CALL


NO_TRACES = Tracing()
