"""One of several processes that spend from the same counters at once; started by a test, begins on a line of input."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from helpdesk_core.limits.buckets import Charge
from helpdesk_core.limits.leases import Leases
from helpdesk_core.limits.stores import Chain, Counts, Store, StoreUnavailable
from tests.limits.conftest import KINDS


class Patient:
    """A store that is asked again where a request would be served uncounted, for the machine may be busy."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def spend(self, charges: Sequence[Charge], now: int, units: int = 1) -> tuple[bool, Counts]:
        for _ in range(20):
            try:
                return self._store.spend(charges, now, units)
            except StoreUnavailable as error:
                print(error, file=sys.stderr)
        raise SystemExit("the store never answered")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def main(kind: str, where: str, attempts: str, charges: str) -> None:
    leases = Leases(Chain([Patient(KINDS[kind](where))]))
    wanted = [Charge(*each) for each in json.loads(charges)]
    leases.look(wanted, 1_000)  # connects
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(leases.spend(wanted, 1_000).granted for _ in range(int(attempts))), flush=True)
    leases.close(1_000)


if __name__ == "__main__":
    main(*sys.argv[1:])
