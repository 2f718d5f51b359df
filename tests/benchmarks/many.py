"""Two hundred plugins: what each adds to the start of a process, and whether the last one answers like the first.

Each plugin is a distribution on disk with two tables, ten endpoints and a handler. Starts are measured in processes of
their own, requests within one; only processor time is looked at.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from helpdesk_core.garbage import keep_what_is_loaded, without_collecting
from helpdesk_core.plugins import load_plugins
from helpdesk_core.web.requests import Incoming
from tests.benchmarks import data
from tests.benchmarks.inside import Product
from tests.benchmarks.servers import HELPDESK
from tests.packages import install_package, write_package

PLUGINS = 200
BATCH, BATCHES = 50, 40
CODE = '''
"""One of many."""

from typing import ClassVar

from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from helpdesk_core.api import (
    ROLES, Context, DbInt, Event, HandlerContext, Message, Permission, Router, Schema, TenantScoped, hookimpl, metadata,
    on, tenant_key,
)

VIEW = Permission("{id}:thing:view", "See things", ROLES)
CHANGE = Permission("{id}:thing:change", "Change things", ROLES)
router = Router("{id}", tag="{id}")


class Base(DeclarativeBase):
    metadata = metadata


class Thing(Base, TenantScoped):
    __tablename__ = "{id}_thing"
    __table_args__ = (tenant_key(),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))


class Part(Base, TenantScoped):
    __tablename__ = "{id}_part"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))


class ThingChanged(Event):
    """A thing changed."""

    type: ClassVar[str] = "{id}.thing_changed"
    thing_id: int


class ThingRead(Schema):
    """A thing."""

    id: DbInt
    name: str


@on(ThingChanged)
def hear(ctx: HandlerContext, event: ThingChanged) -> None:
    """Nothing to do."""


@router.get("/", permission=VIEW)
def answer(ctx: Context) -> Message:
    """Answers."""
    return Message(message="well")


def declare(place: int) -> None:
    @router.get(f"/{{{{thing_id}}}}/{{place}}/", permission=VIEW)
    def show(ctx: Context, thing_id: DbInt) -> ThingRead:
        """Shows a thing."""
        return ThingRead(id=thing_id, name="thing")


for place in range(9):
    declare(place)


@hookimpl
def register_models():
    return [Base]


@hookimpl
def register_routes():
    return [router]


@hookimpl
def register_permissions():
    return [VIEW, CHANGE]


@hookimpl
def register_events():
    return [ThingChanged]


@hookimpl
def register_event_handlers():
    return [hear]
'''


@dataclass(frozen=True)
class Scale:
    """What many plugins cost.

    Attributes:
        each: milliseconds of processor time that each adds to a start.
        first: microseconds of a request to the first of them.
        last: microseconds of a request to the last of them.
        ratio: the median ratio of neighbouring batches, last to first.
        alone: microseconds of a request where there is no other plugin.
    """

    each: float
    first: float
    last: float
    ratio: float
    alone: float


def measure(path: Path, login: data.Login, rounds: int) -> Scale:
    """Start `rounds` times with all of them and with one, and compare, on a copy of the database at `path`."""
    copy = data.copy(path, "many")
    data.analyze(copy)
    with tempfile.TemporaryDirectory() as folder:
        ids = [_write(Path(folder), place) for place in range(PLUGINS)]
        starts: dict[int, list[float]] = {1: [], PLUGINS: []}
        found: dict[int, Any] = {}
        for _ in range(rounds):
            for count, spent in starts.items():
                found[count] = _started(folder, copy, login, ids[:count])
                spent.append(found[count]["start"])
    each = (median(starts[PLUGINS]) - median(starts[1])) / (PLUGINS - 1) * 1000
    full = found[PLUGINS]
    return Scale(each, full["first"], full["last"], full["ratio"], found[1]["first"])


def _write(folder: Path, place: int) -> str:
    """Write one plugin as if it were installed in `folder`, and return its id."""
    id = f"many{place:03d}"
    install_package(write_package(folder, id, CODE.format(id=id)))
    return id


def _started(folder: str, database: Path, login: data.Login, ids: list[str]) -> dict[str, Any]:
    """Start a process with these plugins; the first time Python compiles them, which is not counted."""
    told = json.dumps([str(database), login.id, login.user, login.organization, ids])
    command = [sys.executable, "-m", "tests.benchmarks.many", told]
    environment = {**os.environ, "PYTHONPATH": folder}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has been compiled
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def inside(database: str, login: data.Login, ids: list[str]) -> dict[str, float]:
    """Start with these plugins in this process; return processor seconds, and microseconds of requests."""
    began = time.process_time()
    with without_collecting():  # as `helpdesk serve` does
        host = load_plugins(ids)
        product = Product(Path(database), timed=False, host=host)
        keep_what_is_loaded()
    spent = time.process_time() - began
    missing = set(ids) - {plugin.id for plugin in host.active}
    if missing:
        raise RuntimeError(f"not active: {missing}")
    (token,) = HELPDESK.tokens([login])
    with closing(product):
        return {"start": spent, **_compared(product, *(product.request(token, f"/{id}/") for id in (ids[0], ids[-1])))}


def _compared(product: Product, first: Incoming, last: Incoming) -> dict[str, float]:
    """Ask for both in turns; return the medians, and that of the ratios of neighbours."""
    found: list[list[float]] = [[], []]
    for place in range(BATCHES + 5):
        for which in (0, 1) if place % 2 else (1, 0):
            began = time.process_time()
            for _ in range(BATCH):
                product.run((first, last)[which])
            if place >= 5:
                found[which].append((time.process_time() - began) / BATCH * 1e6)
    ratio = median(two / one for one, two in zip(*found, strict=True))
    return {"first": median(found[0]), "last": median(found[1]), "ratio": ratio}


if __name__ == "__main__":
    path, *of_login, wanted = json.loads(sys.argv[1])
    print(json.dumps(inside(path, data.Login(*of_login), wanted)))
