"""Measure the product beside its floor and beside Django REST framework.

uv run --group benchmarks python -m tests.benchmarks [--quick] [--profile list|create]
"""

import argparse
import sys
from contextlib import closing
from pathlib import Path
from random import Random

from tests.benchmarks import data, machine, report, speed
from tests.benchmarks.inside import Product, profile
from tests.benchmarks.servers import HELPDESK

PROFILED = 4_000
TEMPLATE = Path(__file__).with_name("page.md")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure how fast Helpdesk is.")
    parser.add_argument("--quick", action="store_true", help="less data and shorter rounds; docs/ stays as it is")
    parser.add_argument("--profile", choices=("list", "create"), help="show where the time of one request goes instead")
    chosen = parser.parse_args()
    size = speed.QUICK if chosen.quick else speed.FULL
    if chosen.profile:
        show_profile(size, chosen.profile)
        return
    results = speed.run(size, say)
    say(report.goals_table(results.goals))
    if not chosen.quick:
        write_page(size, results)
    sys.exit(any(not goal.met for goal in results.goals))


def say(text: str) -> None:
    print(text, end="\n\n", flush=True)


def show_profile(size: speed.Size, what: str) -> None:
    path = data.database("main", [size.tickets] * size.organizations, say)
    logins = data.logins(path)
    tokens = HELPDESK.tokens(logins)
    bodies = [body.encode() for body in speed.bodies(PROFILED)]
    Random(1).shuffle(tokens)
    copy = data.copy(path, "profile")
    data.analyze(copy)
    with closing(Product(copy)) as product:
        requests = [
            product.request(tokens[i % len(tokens)], "/tickets/", "status=open&page_size=20")
            if what == "list"
            else product.request(tokens[i % len(tokens)], "/tickets/", body=bodies[i])
            for i in range(PROFILED)
        ]
        profile(product, requests)


def write_page(size: speed.Size, results: speed.Results) -> None:
    facts = {**machine.description(), **results.notes}
    text = TEMPLATE.read_text(encoding="utf-8").format(
        machine=report.small_table(("what", "which"), list(facts.items())),
        goals=report.goals_table(results.goals),
        organizations=size.organizations,
        tickets=f"{size.tickets:,}",
        connections=speed.CONNECTIONS,
        callers=size.organizations * 10,
        rounds=size.effort.rounds,
        seconds=size.effort.seconds,
        **results.tables,
    )
    report.PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
