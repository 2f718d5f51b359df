"""Where counters are kept, and what happens when that place does not answer."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from helpdesk_core.limits.buckets import Charge, Standing

log = logging.getLogger("helpdesk.limits")

PATIENCE_SECONDS = 0.25
"""How long a request waits for a store at most."""
PAUSE_SECONDS = 5.0
"""How long a store that did not answer is left alone."""

Counts = list[tuple[int, int]]
"""What each counter says, and when its window ends, in the order of the charges."""


class StoreUnavailable(Exception):
    """A store does not answer."""


class Store(Protocol):
    """Counters. Every method raises `StoreUnavailable` when it cannot tell."""

    def spend(self, charges: Sequence[Charge], now: int, units: int = 1) -> tuple[bool, Counts]:
        """Take every charge so many times, or none if that were too much for a counter; tell whether it was done."""

    def look(self, charges: Sequence[Charge], now: int) -> Counts:
        """Return how the counters stand and take nothing; one that has not begun stands before its first request."""

    def give_back(self, standings: Sequence[Standing], units: int = 1) -> None:
        """Undo `spend`, as far as the windows that it took from still last."""

    def clean(self, now: int) -> None:
        """Forget windows that are over."""

    def close(self) -> None:
        """Let go of connections."""


class Spent(NamedTuple):
    """What came of an attempt to spend.

    Attributes:
        granted: whether the request may go on.
        standings: of the counters that could be asked.
        store: the one that has counted; nothing when none was asked or none answered.
    """

    granted: bool
    standings: list[Standing]
    store: Store | None


NOTHING = Spent(granted=True, standings=[], store=None)


class _Link:
    """A store, and until when it is left alone."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.resting_until = 0.0
        self.failures = 0


class Chain:
    """Stores in the order of preference.

    Only the first matters for most buckets: when it does not answer, requests are served uncounted. Strict buckets go
    on to the next ones, so that nobody can try passwords because a server is down. A store that did not answer is left
    alone for a while, so that not every request waits for it.
    """

    def __init__(self, stores: Sequence[Store], monotonic: Callable[[], float] = time.monotonic) -> None:
        """Take the stores; `monotonic` tells the seconds of a clock that never goes back."""
        self._links = [_Link(store) for store in stores]
        self._monotonic = monotonic

    @property
    def first(self) -> Store:
        """Return the preferred store."""
        return self._links[0].store

    def spend(self, charges: Sequence[Charge], now: int, units: int = 1) -> Spent:
        """Take every charge `units` times, or none."""
        for link in self._links:
            try:
                if link.resting_until:
                    self._ready(link)
                granted, counts = link.store.spend(charges, now, units)
            except StoreUnavailable as error:
                self._rest(link, error)
                charges = [charge for charge in charges if charge.strict]
                if not charges:
                    break
                continue
            standings = [
                Standing(charge, used, reset_at) for charge, (used, reset_at) in zip(charges, counts, strict=True)
            ]
            return Spent(granted, standings, link.store)
        return NOTHING

    def look(self, charges: Sequence[Charge], now: int) -> list[Standing]:
        """Return how the counters stand, as the first store has it; nothing when it does not answer."""
        link = self._links[0]
        try:
            counts = self._ready(link).look(charges, now)
        except StoreUnavailable as error:
            self._rest(link, error)
            return []
        return [Standing(charge, *count) for charge, count in zip(charges, counts, strict=True)]

    def give_back(self, store: Store, standings: Sequence[Standing], units: int = 1) -> None:
        """Undo what `store` has counted; when it does not answer any more, the charges stay."""
        link = next(each for each in self._links if each.store is store)
        try:
            self._ready(link).give_back(standings, units)
        except StoreUnavailable as error:
            self._rest(link, error)

    def clean(self, now: int) -> None:
        """Forget windows that are over, in every store."""
        for link in self._links:
            try:
                self._ready(link).clean(now)
            except StoreUnavailable as error:
                self._rest(link, error)

    def standings(self) -> list[tuple[str, bool, int]]:
        """Return the kind of each store but the last, which always answers, whether it is in use, and its failures."""
        now, links = self._monotonic(), self._links[:-1] or self._links
        names = [type(each.store).__name__.removesuffix("Store").lower() for each in links]
        return [(name, now >= each.resting_until, each.failures) for name, each in zip(names, links, strict=True)]

    def close(self) -> None:
        """Let go of every connection."""
        for link in self._links:
            link.store.close()

    def _ready(self, link: _Link) -> Store:
        if link.resting_until and self._monotonic() < link.resting_until:
            raise StoreUnavailable("resting")
        return link.store

    def _rest(self, link: _Link, error: StoreUnavailable) -> None:
        now = self._monotonic()
        if now < link.resting_until:
            return
        link.resting_until = now + PAUSE_SECONDS
        link.failures += 1
        log.warning("limits store unavailable", extra={"store": type(link.store).__name__, "error": str(error)})
