"""Jobs run once, in order where that is asked for, and wait where they must."""

from datetime import UTC, datetime, timedelta

import pytest

from helpdesk_core.events import HandlerContext, on, publish
from helpdesk_core.jobs import JobContext, Retries, enqueue, job, last_slot
from tests.jobs.conftest import MakeBench, SomethingHappened, ThingChanged


def test_a_job_runs_once_with_its_arguments_in_its_organisation(bench: MakeBench) -> None:
    seen: list[object] = []

    @job()
    def work(ctx: JobContext, word: str, numbers: list[int]) -> None:
        seen.append((ctx.organization_id, ctx.attempt, word, numbers))

    made = bench(work)
    made.enqueue(work, word="one", numbers=[1, 2])
    made.runner.run_due()
    made.runner.run_due()
    assert seen == [(made.organization, 1, "one", [1, 2])]
    assert made.jobs() == []


def test_a_job_that_is_rolled_back_is_not_enqueued(bench: MakeBench) -> None:
    @job()
    def work(_: JobContext) -> None:
        raise AssertionError

    made = bench(work)
    with made.installation.session(made.organization) as session:
        enqueue(session, work)
        session.flush()
    assert made.runner.run_due() == 0


def test_a_job_for_later_waits(bench: MakeBench) -> None:
    seen: list[int] = []

    @job()
    def work(_: JobContext) -> None:
        seen.append(1)

    made = bench(work)
    made.enqueue(work, at=made.installation.clock.now() + timedelta(hours=1))
    made.installation.clock.advance(minutes=59)
    made.runner.run_due()
    assert not seen
    made.installation.clock.advance(minutes=1)
    made.runner.run_due()
    assert seen == [1]


def test_only_one_job_with_a_key_is_stored(bench: MakeBench) -> None:
    seen: list[int] = []

    @job()
    def work(_: JobContext, number: int) -> None:
        seen.append(number)

    made = bench(work)
    for number in range(3):
        made.enqueue(work, once="the one", number=number)
    made.runner.run_due()
    made.enqueue(work, once="the one", number=7)
    made.runner.run_due()
    assert seen == [0, 7]


def test_jobs_in_order_wait_for_each_other(bench: MakeBench) -> None:
    seen: list[int] = []

    @job(retries=Retries((timedelta(seconds=5),), jitter=0))
    def work(ctx: JobContext, number: int) -> None:
        if number == 0 and ctx.attempt == 1:
            raise ValueError
        seen.append(number)

    made = bench(work)
    for number in range(3):
        made.enqueue(work, order="queue", number=number)
    made.runner.run_due()
    assert seen == []
    made.installation.clock.advance(seconds=6)
    made.runner.run_due()
    assert seen == [0, 1, 2]


def test_a_job_can_keep_what_it_wrote_and_run_again(bench: MakeBench) -> None:
    @job()
    def work(ctx: JobContext) -> None:
        publish(ctx.session, SomethingHappened(what=str(ctx.attempt)))
        if ctx.attempt < 3:
            ctx.again(ctx.now + timedelta(minutes=1), "not yet")

    made = bench(work)
    made.enqueue(work)
    for _ in range(4):
        made.runner.run_due()
        made.installation.clock.advance(minutes=1)
    assert [row.payload for row in made.outbox()] == [f'{{"what":"{number}"}}' for number in (1, 2, 3)]
    assert made.jobs() == []


def test_a_job_can_give_up_and_keep_what_it_wrote(bench: MakeBench) -> None:
    @job()
    def work(ctx: JobContext) -> None:
        publish(ctx.session, SomethingHappened(what="written"))
        ctx.give_up("nobody is there")

    made = bench(work)
    made.enqueue(work)
    made.runner.run_due()
    assert [(each.state, each.last_error) for each in made.jobs()] == [("dead", "nobody is there")]
    assert len(made.outbox()) == 1


def test_a_job_of_a_handler_knows_its_cause(bench: MakeBench) -> None:
    @job()
    def work(ctx: JobContext) -> None:
        publish(ctx.session, ThingChanged(thing_id=ctx.event_id or 0))

    @on(SomethingHappened)
    def ask(ctx: HandlerContext, _: SomethingHappened) -> None:
        enqueue(ctx.session, work)

    made = bench(work, ask)
    made.publish(SomethingHappened(what="one"))
    made.runner.run_due()
    first, second = made.outbox()
    assert (second.cause_id, second.root_id, second.depth) == (first.id, first.id, 1)


def test_a_job_can_read_without_being_a_writer(bench: MakeBench) -> None:
    seen: list[bool] = []

    @job(slow=True)
    def work(ctx: JobContext) -> None:
        with ctx.reading() as session:
            seen.append(session.info["writes"])

    made = bench(work)
    made.enqueue(work)
    assert made.runner.run_some(slow=False) == 0, "slow ones run apart"
    made.runner.run_due()
    assert seen == [False]


def test_a_job_whose_plugin_is_off_waits_until_it_is_on(bench: MakeBench) -> None:
    seen: list[int] = []
    on_or_off = [False]

    @job()
    def work(_: JobContext) -> None:
        seen.append(1)

    made = bench(work, enabled=lambda *_: on_or_off[0])
    made.enqueue(work)
    for _ in range(48):
        made.runner.run_due()
        made.installation.clock.advance(hours=1)
    assert not seen
    on_or_off[0] = True
    made.runner.run_due()
    assert seen == [1]


def test_a_job_nobody_knows_is_parked_until_somebody_does(bench: MakeBench) -> None:
    seen: list[int] = []

    @job()
    def work(_: JobContext) -> None:
        seen.append(1)

    absent = bench()
    absent.enqueue(work)
    absent.runner.run_due()
    made = bench(work)
    assert [each.state for each in made.jobs()] == ["parked"]
    made.runner.tick()
    made.runner.run_due()
    assert seen == [1]


def test_a_job_that_kills_its_worker_each_time_is_given_up(bench: MakeBench) -> None:
    class Killed(BaseException):
        """The process ends here."""

    @job()
    def work(_: JobContext) -> None:
        raise Killed

    made = bench(work)
    made.enqueue(work)
    for _ in range(20):
        with pytest.raises(Killed):
            made.make().run_due()
        made.installation.clock.advance(seconds=20)
    made.runner.run_due()
    assert [(each.state, each.last_error) for each in made.jobs()] == [("dead", "was begun 21 times and never ended")]


def test_a_stopping_worker_gives_back_what_it_has_not_begun(bench: MakeBench) -> None:
    seen: list[int] = []

    @job()
    def work(_: JobContext, number: int) -> None:
        seen.append(number)
        made.runner.stop()

    made = bench(work)
    for number in range(3):
        made.enqueue(work, number=number)
    made.runner.run_some(slow=False)
    assert seen == [0]
    assert [(each.held_by, each.failures) for each in made.jobs()] == [(None, 0), (None, 0)]
    made.make().run_some(slow=False)
    assert seen == [0, 1, 2], "no lease has to end first"


class TestSchedules:
    def test_it_runs_once_however_many_workers_there_are(self, bench: MakeBench) -> None:
        seen: list[object] = []

        @job(schedule="*/5 * * * *", per="installation")
        def work(ctx: JobContext) -> None:
            seen.append(ctx.organization_id)

        made = bench(work)
        workers = [made.make() for _ in range(3)]
        for _ in range(10):
            for worker in workers:
                worker.tick()
                worker.run_due()
            made.installation.clock.advance(minutes=1)
        assert seen == [None, None]

    def test_it_runs_for_each_organisation_that_has_the_plugin_on(self, bench: MakeBench) -> None:
        seen: list[object] = []

        @job(schedule="0 * * * *")
        def work(ctx: JobContext) -> None:
            seen.append(ctx.organization_id)

        made = bench(work, enabled=lambda session, _: session.info["organization"] == made.organization)
        made.runner.tick()
        made.runner.run_due()
        assert seen == [made.organization]

    def test_missed_times_count_as_one_and_a_waiting_run_is_not_joined(self, bench: MakeBench) -> None:
        seen: list[int] = []

        @job(schedule="* * * * *", per="installation")
        def work(_: JobContext) -> None:
            seen.append(1)

        made = bench(work)
        made.runner.tick()
        made.installation.clock.advance(hours=3)
        made.runner.tick()
        made.runner.run_due()
        assert seen == [1]

    def test_a_wrong_schedule_is_refused_when_it_is_declared(self) -> None:
        with pytest.raises(ValueError, match="five fields"):
            job(schedule="* * *")
        with pytest.raises(ValueError, match="no schedule"):
            job(schedule="61 * * * *")

    def test_the_last_slot_may_be_now(self) -> None:
        now = datetime(2026, 3, 2, 10, 5, 0, tzinfo=UTC)
        assert last_slot("*/5 * * * *", now) == now
        assert last_slot("*/5 * * * *", now - timedelta(seconds=1)) == now - timedelta(minutes=5)


def test_what_a_job_writes_apart_is_there_at_once_and_stays_when_it_fails(bench: MakeBench) -> None:
    seen: list[int] = []

    @job(retries=Retries(()))
    def work(ctx: JobContext) -> None:
        with ctx.apart() as session:
            publish(session, SomethingHappened(what="apart"))
        seen.append(len(made.outbox()))
        publish(ctx.session, SomethingHappened(what="with the job"))
        raise ValueError

    made = bench(work)
    made.enqueue(work)
    made.runner.run_due()
    assert seen == [1]
    assert [event.organization_id for event in made.outbox()] == [made.organization]
