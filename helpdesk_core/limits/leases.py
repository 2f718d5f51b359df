"""Requests that a process takes in advance, so that most requests ask no store.

Far from its limit, a counter hands out several requests at once to a process that keeps asking: twice as many as the
last time, at most `MOST`, at most a hundredth of what is left. What a process has taken and not used goes back after
`KEPT_SECONDS`. So a counter never grants more than its limit, whoever asks; near the limit it is asked for every
request; and what others may have found missing is back soon.
"""

import threading
from collections.abc import Iterable, Sequence

from helpdesk_core.limits.buckets import UNBOUNDED, Charge, Standing
from helpdesk_core.limits.stores import Chain, Spent, Store

MOST = 10
SHARE = 100
KEPT_SECONDS = 5


class Lease:
    """What a process knows of a counter.

    Attributes:
        charge: the last one that was taken.
        used: what the store said, with what this process has not used yet.
        reset_at: when the window ends, in seconds since 1970.
        units: how many were taken the last time.
        left: how many of them can still be used.
        since: when they were taken.
    """

    __slots__ = ("charge", "left", "reset_at", "since", "units", "used")

    def __init__(self, standing: Standing, units: int, left: int, since: int) -> None:
        """Begin with the answer of the store to a request for `units`."""
        self.charge, self.used, self.reset_at = standing
        self.units = units
        self.left = left
        self.since = since

    def most(self) -> int:
        """Return how many requests may be taken next."""
        limit = self.charge.limit
        rest = 0 if limit is None else (limit - self.used) // SHARE
        return max(1, min(2 * self.units, MOST, rest))


class Leases:
    """Spends from counters: from what was taken in advance, else from the stores."""

    def __init__(self, chain: Chain) -> None:
        """Begin with nothing taken."""
        self._chain = chain
        self._held: dict[str, Lease] = {}
        self._lock = threading.Lock()

    def spend(self, charges: Sequence[Charge], now: int) -> Spent:
        """Take every charge, or none."""
        standings, missing = self._take(charges, now)
        if not missing:
            return Spent(granted=True, standings=standings, store=None)
        spent = self._ask(missing, now)
        if len(missing) == len(charges):
            return spent
        if not spent.granted:
            self.give_back(None, standings)
        found = {standing.charge.key: standing for standing in (*standings, *spent.standings)}
        return Spent(spent.granted, [found[charge.key] for charge in charges if charge.key in found], spent.store)

    def look(self, charges: Sequence[Charge], now: int) -> list[Standing]:
        """Return how the counters stand, without what this process has not used; nothing when no store answers."""
        found = self._chain.look(charges, now)
        with self._lock:
            return [self._without_left(standing) for standing in found]

    def add(self, charge: Charge, now: int, units: int) -> Standing | None:
        """Count requests that were served already, whatever the limit; nothing when no store answers."""
        spent = self._chain.spend([charge._replace(most=UNBOUNDED)], now, units)
        with self._lock:
            return self._without_left(spent.standings[0]) if spent.standings else None

    def give_back(self, store: Store | None, standings: Sequence[Standing]) -> None:
        """Undo `spend`, as far as the windows that it took from still last.

        Args:
            store: the one that it told of; what it has not counted is the first store's.
            standings: what was taken.
        """
        rest = self._put_back(standings)
        firsts = [standing for standing in rest if not standing.charge.strict]
        others = [standing for standing in rest if standing.charge.strict]
        if firsts:
            self._chain.give_back(self._chain.first, firsts)
        if others and store is not None:
            self._chain.give_back(store, others)

    def release(self, now: int, seconds: int = KEPT_SECONDS) -> None:
        """Give back what was taken at least `seconds` ago and is not used."""
        with self._lock:
            old = [key for key, lease in self._held.items() if now - lease.since >= seconds]
            leases = [self._held.pop(key) for key in old]
        by_number: dict[int, list[Standing]] = {}
        for lease in leases:
            if lease.left and lease.reset_at > now:
                standing = Standing(lease.charge, lease.used, lease.reset_at)
                by_number.setdefault(lease.left, []).append(standing)
        for units, standings in by_number.items():
            self._chain.give_back(self._chain.first, standings, units)

    def clean(self, now: int) -> None:
        """Forget windows that are over, in every store."""
        self._chain.clean(now)

    def close(self, now: int) -> None:
        """Give everything back that is not used, and let go of every connection."""
        self.release(now, seconds=0)
        self._chain.close()

    def _take(self, charges: Sequence[Charge], now: int) -> tuple[list[Standing], list[Charge]]:
        """Return what was taken from leases, and what the stores must be asked for."""
        standings, missing = [], []
        with self._lock:
            for charge in charges:
                lease = self._held.get(charge.key)
                if lease is None or not lease.left or lease.reset_at <= now:
                    missing.append(charge)
                else:
                    lease.left = left = lease.left - 1
                    standings.append(Standing(charge, lease.used - left, lease.reset_at))
        return standings, missing

    def _ask(self, charges: Sequence[Charge], now: int) -> Spent:
        units = min(self._units(charge, now) for charge in charges)
        spent = self._chain.spend(charges, now, units)
        if units > 1 and not spent.granted:
            units = 1
            spent = self._chain.spend(charges, now)
        if spent.granted and spent.store is self._chain.first:
            with self._lock:
                standings = [self._keep(standing, units, now) for standing in spent.standings]
            return Spent(granted=True, standings=standings, store=spent.store)
        return spent

    def _units(self, charge: Charge, now: int) -> int:
        lease = self._held.get(charge.key)
        return lease.most() if lease is not None and lease.reset_at > now else 1

    def _keep(self, standing: Standing, units: int, now: int) -> Standing:
        """Remember what the store has granted, and return how the counter stands for the request that asked."""
        charge = standing.charge
        if charge.strict:
            return standing
        before = self._held.get(charge.key)
        left = before.left if before is not None and before.reset_at == standing.reset_at else 0
        self._held[charge.key] = Lease(standing, units, left + units - 1, now)
        return self._without_left(standing)

    def _without_left(self, standing: Standing) -> Standing:
        charge, used, reset_at = standing
        lease = self._held.get(charge.key)
        if lease is None or lease.reset_at != reset_at:
            return standing
        return Standing(charge, used - lease.left, reset_at)

    def _put_back(self, standings: Iterable[Standing]) -> list[Standing]:
        """Return what was taken to the leases of the same windows, and name what has none."""
        rest = []
        with self._lock:
            for standing in standings:
                lease = self._held.get(standing.charge.key)
                if lease is None or lease.reset_at != standing.reset_at:
                    rest.append(standing)
                else:
                    lease.left += 1
        return rest
