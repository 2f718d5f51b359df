"""What stands in for the world outside: the time and the name servers."""

from datetime import UTC, datetime, timedelta

from helpdesk_core.accounts.domains import Resolver
from helpdesk_core.accounts.errors import NameServersUnavailable

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


class TestClock:
    """A clock that stands still until it is told to move."""

    __test__ = False

    def __init__(self) -> None:
        """Begin on a Monday morning."""
        self._now = START

    def now(self) -> datetime:
        """Return the present instant."""
        return self._now

    def advance(self, **duration: float) -> datetime:
        """Move on by `days=`, `hours=`, `minutes=` or `seconds=`, and return the new present."""
        self._now += timedelta(**duration)
        return self._now


class TestResolver(Resolver):
    """Name servers that know what a test tells them, and nothing else.

    Attributes:
        records: texts by name.
        hosts: addresses by name, for requests to the outside.
        works: whether anybody answers.
    """

    __test__ = False

    def __init__(self) -> None:
        """Know nothing."""
        self.records: dict[str, list[str]] = {}
        self.hosts: dict[str, list[str]] = {}
        self.works = True

    def texts(self, name: str) -> list[str]:
        """Return what a test has put there."""
        if not self.works:
            raise NameServersUnavailable
        return self.records.get(name, [])

    def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host; no test asks a name server of the world outside."""
        if host not in self.hosts:
            raise OSError(f"no test has told the address of {host}")
        return self.hosts[host]
