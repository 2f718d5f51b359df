"""`helpdesk jobs`: what waits, what is dead, and bringing it back."""

import sqlite3

import orjson
import pytest

INSERT = (
    "INSERT INTO core_job (name, arguments, order_key, slow, state, due_at, attempts, begun, failures, last_error,"
    " created_at) VALUES (?, '{}', '', 0, ?, ?, 11, 0, 10, ?, '2026-01-01T00:00:00Z')"
)


@pytest.fixture
def queue(migrated):
    """One job that waits, two that are dead and one that is parked."""
    connection = sqlite3.connect(migrated / "helpdesk-data" / "helpdesk.db")
    for name, state, due_at, error in (
        ("helpdesk_sample.wait", "waiting", "2026-01-02T00:00:00Z", None),
        ("helpdesk_sample.fail", "dead", None, "OSError: no line"),
        ("helpdesk_sample.fail", "dead", None, "OSError: no line"),
        ("helpdesk_sample.gone", "parked", None, "nobody knows helpdesk_sample.gone here"),
    ):
        connection.execute(INSERT, (name, state, due_at, error))
    connection.commit()
    connection.close()


@pytest.mark.usefixtures("queue")
def test_everything_is_listed_with_its_error_and_counted(helpdesk):
    told = helpdesk("jobs", "list").stdout.splitlines()
    assert told[0] == "1  waiting  helpdesk_sample.wait, failed 10 times due 2026-01-02T00:00:00Z"
    assert told[1:3] == ["2  dead  helpdesk_sample.fail, failed 10 times", "    OSError: no line"]
    assert told[-1] == "1 waiting, 2 dead, 1 parked, 0 events to pass on"


@pytest.mark.usefixtures("queue")
def test_a_state_and_a_name_can_be_asked_for_as_json(helpdesk):
    rows = orjson.loads(helpdesk("jobs", "list", "--state", "dead", "--name", "helpdesk_sample.fail", "--json").stdout)
    assert [(row["id"], row["state"], row["last_error"]) for row in rows] == [
        (2, "dead", "OSError: no line"),
        (3, "dead", "OSError: no line"),
    ]


@pytest.mark.usefixtures("queue")
def test_a_dead_job_runs_again_with_all_its_tries(helpdesk, rows):
    assert helpdesk("jobs", "retry", "2").stdout == "1 run again.\n"
    assert rows("SELECT id, failures FROM core_job WHERE state = 'waiting' AND due_at IS NOT NULL") == [(1, 10), (2, 0)]


@pytest.mark.usefixtures("queue")
def test_all_of_a_name_run_again(helpdesk, rows):
    assert helpdesk("jobs", "retry", "--all", "--name", "helpdesk_sample.fail").stdout == "2 run again.\n"
    assert rows("SELECT state, count(*) FROM core_job GROUP BY state") == [("parked", 1), ("waiting", 3)]


@pytest.mark.usefixtures("queue")
def test_what_is_not_dead_is_not_retried(refused):
    assert refused("jobs", "retry", "1", "2") == "1 of 2 run again; the others are not dead or parked."


@pytest.mark.usefixtures("migrated")
def test_ids_or_all_are_asked_for(refused):
    assert refused("jobs", "retry") == "Give the ids of jobs, or --all."
    assert refused("jobs", "retry", "1", "--all") == "Give the ids of jobs, or --all."
