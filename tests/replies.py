"""Answers of HTTP/1.1 as they come in, for load generators: a full client would be most of the load."""

import re

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class Reply:
    """One answer, whose length its head tells.

    Attributes:
        head: its status line and headers, once they are there.
    """

    def __init__(self) -> None:
        """Nothing came yet."""
        self.clear()

    def clear(self) -> None:
        """Wait for the next one."""
        self._received = b""
        self._expected = 0
        self.head = b""

    def feed(self, data: bytes) -> bool:
        """Take what came, and tell whether the answer is complete."""
        if self._received:
            data = self._received + data
        self._received = data
        if not self.head:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.head = data[:end]
            found = _LENGTH.search(self.head)
            self._expected = end + 4 + int(found[1] if found else 0)
        return self.is_complete

    @property
    def is_complete(self) -> bool:
        """Tell whether all of it is there."""
        return bool(self.head) and len(self._received) >= self._expected

    @property
    def size(self) -> int:
        """Return how many bytes came so far."""
        return len(self._received)

    @property
    def closes(self) -> bool:
        """Tell whether it is the last one of its connection."""
        return _CLOSE.search(self.head) is not None
