"""A worker hears of what is committed, runs it in its threads, and stops in order."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from huey.registry import Message

from helpdesk_core.events import HandlerContext, on
from helpdesk_core.jobs import Bell, JobContext, Pool, job
from helpdesk_core.jobs.pool import LEAST_REST_SECONDS
from helpdesk_core.jobs.rings import JsonSerializer
from tests.jobs.conftest import Bench, MakeBench, SomethingHappened

PATIENCE = 30


@pytest.fixture
def started(bench: MakeBench) -> Iterator[object]:
    """Start pools, and stop them at the end."""
    pools: list[Pool] = []

    def start(made: Bench, **changes: object) -> Pool:
        settings = made.installation.parts.settings.model_copy(update=changes)
        bell = Bell(settings)
        object.__setattr__(made.installation.parts.services.bus, "wake", bell.ask)
        pool = Pool(made.runner, bell, 3, one_writer=True)
        pools.append(pool)
        pool.start()
        return pool

    yield start
    for pool in pools:
        pool.stop()


def test_a_worker_delivers_what_is_published(bench: MakeBench, started: object) -> None:
    heard = threading.Event()

    @on(SomethingHappened)
    def note(_: HandlerContext, _event: SomethingHappened) -> None:
        heard.set()

    made = bench(note)
    started(made)  # type: ignore[operator]
    made.publish(SomethingHappened(what="one"))
    assert heard.wait(PATIENCE)


def test_a_worker_whose_queue_cannot_be_opened_works_all_the_same(
    bench: MakeBench, started: object, tmp_path: Path
) -> None:
    heard = threading.Event()

    @on(SomethingHappened)
    def note(_: HandlerContext, _event: SomethingHappened) -> None:
        heard.set()

    made = bench(note)
    (tmp_path / "taken").touch()
    started(made, home=tmp_path / "taken")  # type: ignore[operator]
    made.publish(SomethingHappened(what="one"))
    assert heard.wait(PATIENCE)


def test_a_worker_gives_way_while_its_process_is_busy(bench: MakeBench) -> None:
    rests: list[float] = []

    class Noting(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            rests.append(timeout or 0)
            return super().wait(0)

    @on(SomethingHappened)
    def note(_: HandlerContext, _event: SomethingHappened) -> None:
        """Take hardly any time."""

    made = bench(note)
    for busy in (False, True):
        bell = Bell(made.installation.parts.settings)
        pool = Pool(made.runner, bell, 3, one_writer=True, busy=lambda busy=busy: busy)  # type: ignore[misc]
        pool._stopping = Noting()
        made.publish(SomethingHappened(what="one"))
        pool.answer("quick")
        assert made.jobs() == []
        assert bool(rests) is busy
    assert min(rests) >= LEAST_REST_SECONDS


def test_a_slow_job_holds_up_no_quick_one(bench: MakeBench, started: object) -> None:
    begun, heard, end = threading.Barrier(3, timeout=PATIENCE), threading.Event(), threading.Event()

    @job(slow=True)
    def dawdle(_: JobContext) -> None:
        begun.wait()
        end.wait(PATIENCE)

    @on(SomethingHappened)
    def note(_: HandlerContext, _event: SomethingHappened) -> None:
        heard.set()

    made = bench(dawdle, note)
    started(made)  # type: ignore[operator]
    made.enqueue(dawdle)
    made.enqueue(dawdle)
    begun.wait()  # both are running, in two of three threads
    made.publish(SomethingHappened(what="one"))
    assert heard.wait(PATIENCE)
    end.set()


def test_a_worker_that_stops_finishes_what_it_has_begun(bench: MakeBench, started: object) -> None:
    begun, stopping, done = threading.Event(), threading.Event(), threading.Event()

    @job(slow=True)
    def dawdle(_: JobContext) -> None:
        begun.set()
        stopping.wait(PATIENCE)
        done.set()

    made = bench(dawdle)
    pool = started(made)  # type: ignore[operator]
    made.enqueue(dawdle)
    assert begun.wait(PATIENCE)
    threading.Timer(0.05, stopping.set).start()
    pool.stop(PATIENCE)
    assert done.is_set()
    assert made.jobs() == []


def test_the_clock_of_the_queue_makes_schedules_run(bench: MakeBench, tmp_path: Path) -> None:
    """Its messages go through the queue like all others."""
    made = bench()
    heard: list[str] = []
    bell = Bell(made.installation.parts.settings.model_copy(update={"home": tmp_path}))
    bell.start(heard.append)
    bell.stop()
    assert bell.queue is not None
    bell.queue.flush()
    for task in bell.queue.read_periodic(made.installation.clock.now()):
        bell.queue.enqueue(task)
    bell.queue.execute(bell.queue.dequeue())
    assert heard[-1] == "tick"


def test_messages_are_json_and_nothing_but_rings_is_read() -> None:
    serializer = JsonSerializer()
    ring = Message("id", "helpdesk_core.jobs.rings.ring", None, 0, 0, None, ("quick",), {})
    assert serializer.serialize(ring) == b'["id","helpdesk_core.jobs.rings.ring",null,["quick"]]'
    assert serializer.deserialize(serializer.serialize(ring)).args == ("quick",)
    for bad in (b'["id","os.system",null,["rm"]]', b"\x80\x04cos\nsystem\n."):
        with pytest.raises(ValueError):  # noqa: PT011 - of one kind or another
            serializer.deserialize(bad)
