"""How large the benchmark is."""

from dataclasses import dataclass

from tests.benchmarks.rounds import Effort

CONNECTIONS = 16


@dataclass(frozen=True)
class Size:
    """How much data there is, and how long it is measured.

    Attributes:
        organizations: of the first database.
        tickets: of each of them; django-helpdesk has those of one.
        tenants: tickets of each organisation of the second database: a small one, one to compare searches with, a
            middling and a large one.
        effort: of measuring.
        batches: of lists, with accounting and without.
        refusals: logins of each kind.
        searches: times that each search is repeated.
        sockets: open at once.
        told: tickets whose way to a handler or a socket is timed.
    """

    organizations: int
    tickets: int
    tenants: tuple[int, int, int, int]
    effort: Effort
    batches: int
    refusals: int
    searches: int
    sockets: int
    told: int


FULL = Size(
    organizations=20,
    tickets=5_000,
    tenants=(1_000, 10_000, 100_000, 1_000_000),
    effort=Effort(rounds=5, seconds=4, warm_up=1),
    batches=600,
    refusals=60,
    searches=25,
    sockets=100,
    told=200,
)
QUICK = Size(
    organizations=20,
    tickets=1_000,
    tenants=(1_000, 2_000, 10_000, 50_000),
    effort=Effort(rounds=2, seconds=1, warm_up=0.3),
    batches=60,
    refusals=10,
    searches=5,
    sockets=100,
    told=20,
)
