"""What one request has taken."""

from collections.abc import Collection, Sequence

from helpdesk_core.limits.buckets import Charge, Standing
from helpdesk_core.limits.leases import Leases
from helpdesk_core.limits.stores import Store


class Spending:
    """The charges of one request.

    Attributes:
        now: when it arrived, in seconds since 1970.
        standings: of every counter that it was told about, as they were then.
        free: the organisation of the caller, if it has no quota.
    """

    __slots__ = ("_leases", "_taken", "free", "now", "standings")

    def __init__(self, leases: Leases, now: int) -> None:
        """Begin with nothing taken."""
        self._leases = leases
        self._taken: list[tuple[Store | None, list[Standing]]] = []
        self.now = now
        self.standings: list[Standing] = []
        self.free: int | None = None

    def take(self, charges: Sequence[Charge]) -> tuple[bool, list[Standing]]:
        """Take every charge, or none; tell whether the request may go on, and how the counters stand."""
        granted, standings, store = self._leases.spend(charges, self.now)
        self.standings += standings
        if granted:
            self._taken.append((store, standings))
        return granted, standings

    def look(self, charges: Sequence[Charge]) -> None:
        """See how counters stand without taking anything."""
        self.standings += self._leases.look(charges, self.now)

    def give_back(self, names: Collection[str] | None = None) -> None:
        """Undo what was taken from the buckets of these names; from all when none are given."""
        for store, standings in self._taken:
            taken = [each for each in standings if names is None or each.charge.name in names]
            if taken:
                self._leases.give_back(store, taken)
