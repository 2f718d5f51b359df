"""Measure the product beside its floor, beside Django REST framework and beside django-helpdesk.

uv run --group benchmarks python -m tests.benchmarks [--quick] [--only NAME ...] [--profile list|create]
"""

import argparse
import sys
from contextlib import closing
from random import Random

from tests.benchmarks import data, databases, postgresql, report, results, speed
from tests.benchmarks.bodies import tickets
from tests.benchmarks.inside import Product, profile
from tests.benchmarks.page import write_page
from tests.benchmarks.servers import HELPDESK
from tests.benchmarks.size import FULL, QUICK, Size

PROFILED = 4_000
KEPT = data.FOLDER / "results.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure how fast Helpdesk is.")
    parser.add_argument("--quick", action="store_true", help="less data and shorter rounds; docs/ stays as it is")
    parser.add_argument(
        "--only", nargs="+", choices=speed.CHOICES, default=(), help="measure these again, keep the rest"
    )
    parser.add_argument("--profile", choices=("list", "create"), help="show where the time of one request goes instead")
    parser.add_argument("--database", choices=databases.KINDS, default=databases.SQLITE, help="of the profile")
    chosen = parser.parse_args()
    size = QUICK if chosen.quick else FULL
    if chosen.profile:
        show_profile(size, chosen.profile, chosen.database)
        return
    goals = []
    for part, found in speed.measured(size, chosen.only, say):
        goals += found.goals
        if not chosen.quick:
            results.keep(KEPT, part, found)
    say(report.goals_table(goals))
    if not chosen.quick:
        write_page(size, results.kept(KEPT), say)
    sys.exit(any(not goal.met for goal in goals))


def say(text: str) -> None:
    print(text, end="\n\n", flush=True)


def show_profile(size: Size, what: str, kind: str) -> None:
    path = data.database(f"{size.name}_main", [size.tickets] * size.organizations, say)
    if kind == databases.POSTGRESQL:
        postgresql.database(path, say)
    tokens = HELPDESK.tokens(data.logins(path))
    bodies = [body.encode() for body in tickets(PROFILED)]
    Random(1).shuffle(tokens)
    with databases.copied(kind, path, "profile", analyzed=True) as url, closing(Product(url)) as product:
        requests = [
            product.request(tokens[i % len(tokens)], "/tickets/", "status=open&page_size=20")
            if what == "list"
            else product.request(tokens[i % len(tokens)], "/tickets/", body=bodies[i])
            for i in range(PROFILED)
        ]
        profile(product, requests)


if __name__ == "__main__":
    main()
