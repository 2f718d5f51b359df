"""Which thread a request runs in."""

from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from helpdesk_core.api import Filters, QueryBool
from helpdesk_core.app import create_app
from helpdesk_core.assembly import assemble
from helpdesk_core.plugins import Watchdog
from helpdesk_core.testing import Installation
from helpdesk_core.web.lanes import Lane, Lanes
from helpdesk_core.web.routing import Endpoint
from helpdesk_core.web.serving.interleaved import Interleaved
from helpdesk_core.web.serving.turns import Turns


class ShiftFilters(Filters):
    slow = frozenset({"search", "report"})

    report: QueryBool | None = None


QUICK = Endpoint("GET", "/rotas/", print, "On-call", query=ShiftFilters)


@pytest.fixture
def lanes(installation: Installation):
    dog = installation.parts.services.get(Watchdog)
    made = [Lanes(1, 1, reads_here=here, watchdog=dog) for here in (True, False)]
    yield made
    for each in made:
        each.close()


def test_only_quick_reads_may_take_no_thread(lanes: list[Lanes]) -> None:
    here, apart = lanes
    assert here.choose(QUICK, "") is here.reading
    assert here.reading is not here.quick
    assert here.choose(replace(QUICK, method="POST"), "") is here.quick
    assert here.choose(replace(QUICK, slow=True), "") is here.slow
    assert apart.choose(QUICK, "") is apart.quick


@pytest.mark.parametrize("query", ["search=printer", "page=2&report=true", "%73earch=printer"])
def test_a_parameter_can_make_a_request_slow(lanes: list[Lanes], query: str) -> None:
    for each in lanes:
        assert each.choose(QUICK, query) is each.slow


@pytest.mark.parametrize("threads", [0, 2])
def test_quick_reads_take_a_thread_only_where_threads_are_asked_for(
    installation: Installation, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Lanes] = []

    class Seen(Lanes):
        def __init__(self, *sizes: int, **others: Any) -> None:
            super().__init__(*sizes, **others)
            made.append(self)

    monkeypatch.setattr("helpdesk_core.app.Lanes", Seen)
    settings = installation.parts.settings.model_copy(update={"database_threads": threads})
    parts = assemble(settings, host=installation.parts.host)
    create_app(settings, parts=parts)
    parts.services.database.dispose()
    on_the_loop = Turns if settings.database.startswith("sqlite") else Interleaved
    assert [type(lanes.reading) for lanes in made] == [Lane if threads else on_the_loop]


def test_nothing_waits_behind_what_runs_while_there_could_be_another_thread(installation: Installation) -> None:
    lane = Lane(2, "quick", installation.parts.services.get(Watchdog))
    for _ in range(200):
        both = Barrier(2, timeout=10)
        for done in [lane.submit(both.wait) for _ in range(2)]:
            done.result(10)
    lane.close()
