"""What can go wrong on the way out; no message tells an address of our network, a path, a query or a header."""


class UnsafeUrl(Exception):
    """This server does not send requests to that URL; the reason is a sentence for whoever entered it."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        self.reason = reason
        super().__init__(reason)


class Unresolved(UnsafeUrl):
    """The host has no address, as far as name servers tell now."""


class OutboundError(Exception):
    """A request got no answer.

    Attributes:
        kind: `refused` (by us, nothing was sent), `dns` (the name has no address), `connect` (no connection, or it
            broke), `timeout` (no complete answer in time), `tls` (no connection that is private and proven to be with
            the host) or `protocol` (the answer is not HTTP, or not such as is taken). What is refused is refused again
            unless settings or name servers change; all others may be tried again.
        message: a sentence for people.
    """

    def __init__(self, kind: str, message: str) -> None:
        """Keep both."""
        self.kind = kind
        self.message = message
        super().__init__(message)
