"""Code that does not come to an end is broken off; a thread that cannot be woken is done without."""

import threading

import pytest

from helpdesk_core.plugins import Hung, PluginHealth, Watchdog, watchdog
from helpdesk_core.web.lanes import Lane

SECONDS = 20
"""How long a test waits for what happens at once."""


@pytest.fixture
def blamed():
    return []


@pytest.fixture
def let_go():
    return []


@pytest.fixture
def dog(blamed, let_go, monkeypatch):
    """A watchdog that looks when it is told to, and has no patience."""
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(watchdog, "TOLD_EVERY_SECONDS", 0.0)

    class Health(PluginHealth):
        def __init__(self):
            pass

        def failed(self, plugin, phase, error):
            blamed.append((plugin, phase, type(error)))

    return Watchdog(Health(), let_go.append)


@pytest.fixture
def lane(dog):
    made = Lane(1, "test", dog)
    yield made
    made.close()


def endless(dog, began):
    with dog.watched("rota", "request", 0):
        began.set()
        while True:
            sum(range(100))


def test_a_loop_is_ended_by_an_error_where_it_runs(dog, lane, blamed):
    began = threading.Event()
    found = lane.submit(endless, dog, began)
    assert began.wait(SECONDS)
    dog.look()
    with pytest.raises(Hung):
        found.result(SECONDS)
    assert lane.submit(lambda: "next").result(SECONDS) == "next"
    assert blamed == []  # whoever called it does that


def test_what_ends_in_time_is_left_alone(dog, lane):
    def quick():
        with dog.watched("rota", "request", 3600):
            dog.look()
        return "well"

    assert lane.submit(quick).result(SECONDS) == "well"


def test_a_thread_that_waits_for_ever_is_done_without(dog, lane, blamed, let_go):
    began, going_on = threading.Event(), threading.Event()
    stuck = []

    def wait():
        with dog.watched("rota", "request", 0):
            stuck.append(threading.current_thread())
            began.set()
            going_on.wait()

    found = lane.submit(wait)
    assert began.wait(SECONDS)
    dog.look()
    dog.look()
    with pytest.raises(Hung):
        found.result(SECONDS)
    assert blamed == [("rota", "request", Hung)]
    assert let_go == [stuck[0].ident]
    assert lane.submit(lambda: "next").result(SECONDS) == "next"
    going_on.set()
    stuck[0].join(SECONDS)
    assert not stuck[0].is_alive()  # it found itself replaced


def test_who_waits_for_the_database_may_wait_for_what_somebody_else_holds(dog, lane, installation):
    database = installation.parts.services.database
    began, pause = threading.Event(), threading.Event()

    def wait():
        with dog.watched("rota", "request", 0), database.session(writes=True) as session:
            began.set()
            session.connection()

    with database.session(writes=True) as session:
        session.connection()
        found = lane.submit(wait)
        assert began.wait(SECONDS)
        if database.kind == "sqlite":  # which has one writer
            thread = next(iter(lane._threads)).ident
            while not watchdog._waits_for_database(thread):
                pause.wait(0.001)
            dog.look()
    found.result(SECONDS)


def test_what_a_stuck_thread_holds_in_the_database_is_let_go(installation, owner):
    database = installation.parts.services.database
    began, going_on, ended = threading.Event(), threading.Event(), []

    def hold():
        try:
            with database.session(writes=True) as session:
                session.connection()
                began.set()
                going_on.wait()
                session.commit()
        except Exception as error:  # noqa: BLE001 - whatever the driver raises
            ended.append(error)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    assert began.wait(SECONDS)
    database.let_go(thread.ident)
    assert owner.put("/users/profile/", json={"first_name": "Ada"}).status_code == 200
    going_on.set()
    thread.join(SECONDS)
    assert ended  # it cannot go on as if nothing had happened
