"""How large the benchmark is."""

from dataclasses import dataclass

from tests.benchmarks.rounds import Effort

CONNECTIONS = 16


@dataclass(frozen=True)
class Size:
    """How much data there is, and how long it is measured.

    Attributes:
        name: of it, and of its data.
        organizations: of the first database.
        tickets: of each of them; django-helpdesk has those of one.
        tenants: tickets of each organisation of the second database: a small one, one to compare searches with, a
            middling and a large one.
        effort: of measuring.
        trial: of choosing among several ways to serve the same.
        patience: seconds of each round, at least, of what takes a large part of a second.
        batches: of lists, with accounting and without.
        refusals: logins of each kind.
        searches: times that each search is repeated.
        sockets: open at once.
        told: tickets whose way to a handler or a socket is timed.
    """

    name: str
    organizations: int
    tickets: int
    tenants: tuple[int, int, int, int]
    effort: Effort
    trial: Effort
    patience: float
    batches: int
    refusals: int
    searches: int
    sockets: int
    told: int


FULL = Size(
    name="full",
    organizations=20,
    tickets=5_000,
    tenants=(1_000, 10_000, 100_000, 1_000_000),
    effort=Effort(rounds=5, seconds=2.5, warm_up=0.5),
    trial=Effort(rounds=1, seconds=3, warm_up=1),
    patience=5,
    batches=600,
    refusals=60,
    searches=25,
    sockets=100,
    told=200,
)
QUICK = Size(
    name="quick",
    organizations=20,
    tickets=1_000,
    tenants=(1_000, 2_000, 10_000, 50_000),
    effort=Effort(rounds=2, seconds=0.7, warm_up=0.2),
    trial=Effort(rounds=1, seconds=0.5, warm_up=0.2),
    patience=2,
    batches=60,
    refusals=10,
    searches=5,
    sockets=100,
    told=20,
)
