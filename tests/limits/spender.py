"""One of several processes that spend from the same counters at once; started by a test, begins on a line of input."""

import json
import sys

from helpdesk_core.limits.buckets import Charge
from helpdesk_core.limits.stores import Store, StoreUnavailable
from tests.limits.conftest import KINDS


def spend(store: Store, charges: list[Charge]) -> bool:
    """Spend; ask again where a request would be served uncounted, for the machine may be busy."""
    for _ in range(20):
        try:
            return store.spend(charges, 1_000)[0]
        except StoreUnavailable as error:
            print(error, file=sys.stderr)
    raise SystemExit("the store never answered")


def main(kind: str, where: str, attempts: str, charges: str) -> None:
    store = KINDS[kind](where)
    wanted = [Charge(*each) for each in json.loads(charges)]
    store.look(wanted, 1_000)  # connects
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(spend(store, wanted) for _ in range(int(attempts))), flush=True)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
