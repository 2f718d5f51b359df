"""Events reach their handlers after the commit, each in a transaction of its own, until they succeed."""

from datetime import timedelta

import pytest

from helpdesk_core.errors import Conflict
from helpdesk_core.events import Event, HandlerContext, on, publish
from helpdesk_core.jobs import Retries
from tests.jobs.conftest import MakeBench, SomethingHappened, ThingChanged


def test_a_handler_gets_each_event_once(bench: MakeBench) -> None:
    seen: list[str] = []

    @on(SomethingHappened)
    def note(_: HandlerContext, event: SomethingHappened) -> None:
        seen.append(event.what)

    made = bench(note)
    made.publish(SomethingHappened(what="one"), SomethingHappened(what="two"))
    assert made.runner.run_due() == 2
    assert made.runner.run_due() == 0
    assert seen == ["one", "two"]
    assert made.jobs() == []


def test_each_handler_of_an_event_has_a_delivery_of_its_own(bench: MakeBench) -> None:
    seen: list[str] = []

    @on(SomethingHappened)
    def fail(*_: object) -> None:
        raise ValueError("out of paper")

    @on(SomethingHappened)
    def note(_: HandlerContext, event: SomethingHappened) -> None:
        seen.append(event.what)

    made = bench(fail, note)
    made.publish(SomethingHappened(what="one"))
    made.runner.run_due()
    made.installation.clock.advance(seconds=10)
    made.runner.run_due()
    assert seen == ["one"]
    assert [(job.name, job.failures) for job in made.jobs()] == [("tests.fail", 2)]


def test_a_handler_of_every_event_gets_them_all(bench: MakeBench) -> None:
    seen: list[Event] = []

    @on(Event)
    def note(_: HandlerContext, event: Event) -> None:
        seen.append(event)

    made = bench(note)
    made.publish(SomethingHappened(what="one"), ThingChanged(thing_id=7))
    made.runner.run_due()
    assert seen == [SomethingHappened(what="one"), ThingChanged(thing_id=7)]


def test_no_delivery_is_made_that_nobody_wants(bench: MakeBench) -> None:
    asked: list[str] = []

    def wanted(_: object, event_type: str) -> bool:
        asked.append(event_type)
        return event_type == "thing.changed"

    @on(Event, when=wanted)
    def note(*_: object) -> None:
        """Nothing to do."""

    made = bench(note)
    made.publish(*(SomethingHappened(what="one") for _ in range(5)), ThingChanged(thing_id=7))
    assert made.runner.run_due() == 1
    assert sorted(asked) == ["something.happened", "thing.changed"], "asked once for each type"


def test_what_is_rolled_back_never_happened(bench: MakeBench) -> None:
    @on(SomethingHappened)
    def note(*_: object) -> None:
        """Nothing to do."""

    made = bench(note)
    with made.installation.session(made.organization) as session:
        publish(session, SomethingHappened(what="undone"))
        session.flush()
    assert made.runner.run_due() == 0
    assert made.outbox() == []


def test_a_failing_handler_is_tried_again_later_and_kept_when_it_gives_up(bench: MakeBench) -> None:
    @on(SomethingHappened)
    def fail(*_: object) -> None:
        raise ValueError("out of paper")

    made = bench(fail)
    made.publish(SomethingHappened(what="one"))
    for wait in Retries().delays:
        assert made.runner.run_due() == 1
        made.installation.clock.advance(seconds=wait.total_seconds() * 0.79)
        assert made.runner.run_due() == 0, "not before its time"
        made.installation.clock.advance(seconds=wait.total_seconds() * 0.41 + 2)
    assert made.runner.run_due() == 1
    (job,) = made.jobs()
    assert (job.state, job.due_at, job.failures) == ("dead", None, len(Retries().delays) + 1)
    assert job.last_error == "ValueError: out of paper"


def test_an_event_nobody_handles_is_history_and_never_due(bench: MakeBench) -> None:
    made = bench()
    made.publish(SomethingHappened(what="unheard"))
    assert [row.due_at for row in made.outbox()] == [None]


def test_effects_of_a_failed_handler_are_rolled_back(bench: MakeBench) -> None:
    @on(SomethingHappened)
    def write_and_fail(ctx: HandlerContext, event: SomethingHappened) -> None:
        if event.what == "one":
            publish(ctx.session, SomethingHappened(what="never"))
            raise ValueError

    made = bench(write_and_fail)
    made.publish(SomethingHappened(what="one"))
    made.runner.run_due()
    assert [row.payload for row in made.outbox()] == ['{"what":"one"}']


def test_a_handler_that_calls_exit_has_failed_and_nothing_else_happens(bench: MakeBench) -> None:
    @on(SomethingHappened)
    def leave(*_: object) -> None:
        raise SystemExit(1)

    made = bench(leave)
    made.publish(SomethingHappened(what="one"))
    assert made.runner.run_due() == 1
    assert made.jobs()[0].failures == 1


def test_acts_outside_follow_the_commit_and_are_repeated_until_they_succeed(bench: MakeBench) -> None:
    outcomes = [OSError("no line"), None]
    acts: list[int] = []

    def act() -> None:
        acts.append(1)
        if problem := outcomes.pop(0):
            raise problem

    @on(SomethingHappened)
    def send(ctx: HandlerContext, _: SomethingHappened) -> None:
        ctx.then(act)

    made = bench(send)
    made.publish(SomethingHappened(what="one"))
    made.runner.run_due()
    made.installation.clock.advance(seconds=10)
    made.runner.run_due()
    assert len(acts) == 2
    assert made.jobs() == []


class TestOrder:
    def test_events_of_one_aggregate_wait_for_each_other(self, bench: MakeBench) -> None:
        seen: list[tuple[int, int]] = []
        failing = {(1, 1)}

        @on(ThingChanged)
        def note(_: HandlerContext, event: ThingChanged) -> None:
            if (event.thing_id, event.number) in failing:
                raise ValueError("not yet")
            seen.append((event.thing_id, event.number))

        made = bench(note)
        made.publish(*(ThingChanged(thing_id=thing, number=number) for number in (1, 2) for thing in (1, 2)))
        made.runner.run_due()
        assert seen == [(2, 1), (2, 2)]
        failing.clear()
        made.installation.clock.advance(seconds=10)
        made.runner.run_due()
        assert seen == [(2, 1), (2, 2), (1, 1), (1, 2)]

    def test_one_that_goes_on_failing_stops_holding_the_others_back(self, bench: MakeBench) -> None:
        seen: list[int] = []

        @on(ThingChanged)
        def note(_: HandlerContext, event: ThingChanged) -> None:
            if event.number == 1:
                raise ValueError("never")
            seen.append(event.number)

        made = bench(note)
        made.publish(ThingChanged(thing_id=1, number=1), ThingChanged(thing_id=1, number=2))
        for _ in range(3):
            assert not seen
            made.runner.run_due()
            made.installation.clock.advance(minutes=3)
        made.runner.run_due()
        assert seen == [2]


class TestCauses:
    def test_a_chain_of_events_knows_its_beginning_and_its_length(self, bench: MakeBench) -> None:
        @on(SomethingHappened)
        def go_on(ctx: HandlerContext, event: SomethingHappened) -> None:
            if len(event.what) < 3:
                publish(ctx.session, SomethingHappened(what=event.what + "x"))

        made = bench(go_on)
        made.publish(SomethingHappened(what="x"))
        made.runner.run_due()
        first, second, third = made.outbox()
        assert [row.depth for row in (first, second, third)] == [0, 1, 2]
        assert [row.cause_id for row in (first, second, third)] == [None, first.id, second.id]
        assert [row.root_id for row in (first, second, third)] == [None, first.id, first.id]


class TestWithinTheTransaction:
    def test_a_refusal_undoes_everything(self, bench: MakeBench) -> None:
        @on(SomethingHappened, within=True)
        def refuse(_: HandlerContext, event: SomethingHappened) -> None:
            if event.what == "bad":
                raise Conflict("Not like this.")

        made = bench(refuse)
        with pytest.raises(Conflict):
            made.publish(SomethingHappened(what="good"), SomethingHappened(what="bad"))
        assert made.outbox() == []
        made.publish(SomethingHappened(what="good"))
        assert [row.due_at for row in made.outbox()] == [None]

    def test_it_sees_and_joins_the_transaction(self, bench: MakeBench) -> None:
        @on(SomethingHappened, within=True)
        def add(ctx: HandlerContext, event: SomethingHappened) -> None:
            publish(ctx.session, ThingChanged(thing_id=ctx.event_id, number=len(event.what)))

        made = bench(add)
        made.publish(SomethingHappened(what="good"))
        happened, changed = made.outbox()
        assert changed.payload == f'{{"thing_id":{happened.id},"number":4}}'


class TestSwitchedOff:
    def test_a_delivery_ends_where_the_plugin_is_off(self, bench: MakeBench) -> None:
        @on(SomethingHappened)
        def note(*_: object) -> None:
            raise AssertionError

        made = bench(note, enabled=lambda *_: False)
        made.publish(SomethingHappened(what="one"))
        made.runner.run_due()
        assert made.jobs() == []


def test_who_has_nothing_to_do_gets_no_delivery(bench: MakeBench) -> None:
    seen: list[str] = []

    @on(SomethingHappened, only=lambda event: event.what != "nothing")
    def note(_: HandlerContext, event: SomethingHappened) -> None:
        seen.append(event.what)

    made = bench(note)
    made.publish(SomethingHappened(what="nothing"), SomethingHappened(what="one"))
    made.runner.pass_on()
    assert len(made.jobs()) == 1
    made.runner.run_due()
    assert seen == ["one"]


def test_who_cannot_tell_whether_there_is_anything_to_do_gets_the_delivery(bench: MakeBench) -> None:
    seen: list[str] = []

    @on(SomethingHappened, only=lambda event: event.colour == "red")  # type: ignore[attr-defined]
    def note(_: HandlerContext, event: SomethingHappened) -> None:
        seen.append(event.what)

    made = bench(note)
    made.publish(SomethingHappened(what="one"))
    made.runner.run_due()
    assert seen == ["one"]


@pytest.mark.parametrize(("event", "within"), [(Event, False), (SomethingHappened, True)])
def test_only_is_refused_where_nobody_would_ask(event: type[Event], within: bool) -> None:
    with pytest.raises(TypeError, match="only is asked"):
        on(event, within=within, only=lambda _: True)


def test_a_worker_that_lost_its_lease_commits_nothing(bench: MakeBench) -> None:
    seen: list[str] = []

    @on(SomethingHappened)
    def dawdle(ctx: HandlerContext, event: SomethingHappened) -> None:
        seen.append(event.what)
        if len(seen) == 1:  # so long that another worker takes over, and finishes first
            made.installation.clock.advance(seconds=20)
            assert made.make().run_some(slow=False) == 1
        publish(ctx.session, ThingChanged(thing_id=1))

    made = bench(dawdle)
    made.publish(SomethingHappened(what="one"))
    made.runner.run_due()
    assert seen == ["one", "one"]
    assert [row.type for row in made.outbox()] == ["something.happened", "thing.changed"]


def test_a_worker_that_lost_its_lease_does_nothing_outside(bench: MakeBench) -> None:
    called: list[str] = []
    acts: list[str] = []

    @on(SomethingHappened)
    def dawdle(ctx: HandlerContext, event: SomethingHappened) -> None:
        called.append(event.what)
        if len(called) == 1:
            made.installation.clock.advance(seconds=20)
            assert made.make().run_some(slow=False) == 1
        publish(ctx.session, ThingChanged(thing_id=1))
        ctx.then(lambda: acts.append(event.what))

    made = bench(dawdle)
    made.publish(SomethingHappened(what="one"))
    made.runner.run_due()
    assert (called, acts) == (["one", "one"], ["one"])
    assert [row.type for row in made.outbox()] == ["something.happened", "thing.changed"]


def test_a_running_job_is_held_by_signs_of_life(bench: MakeBench) -> None:
    seen: list[str] = []

    @on(SomethingHappened)
    def dawdle(_: HandlerContext, event: SomethingHappened) -> None:
        seen.append(event.what)
        for _ in range(4):
            made.installation.clock.advance(seconds=10)
            made.runner.renew()
            assert made.make().run_some(slow=False) == 0

    made = bench(dawdle)
    made.publish(SomethingHappened(what="one"))
    assert made.runner.run_due() == 1
    assert seen == ["one"]


def test_what_takes_too_long_has_failed(bench: MakeBench) -> None:
    @on(SomethingHappened)
    def hang(ctx: HandlerContext, _: SomethingHappened) -> None:
        made.runner.renew()
        publish(ctx.session, ThingChanged(thing_id=1))

    made = bench(hang)
    object.__setattr__(made.registry.by_name["tests.hang"].what, "timeout", timedelta(0))
    made.publish(SomethingHappened(what="one"))
    made.runner.run_due()
    (job,) = made.jobs()
    assert (job.failures, job.last_error) == (1, "TookTooLong: took longer than 0:00:00")
    assert [row.type for row in made.outbox()] == ["something.happened"]
