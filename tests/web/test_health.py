"""Probes tell whether the process runs, and whether it may get requests; they tell no secret."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from helpdesk_core.database import Database
from helpdesk_core.plugins import Plugin, PluginHost, State
from helpdesk_core.web.health import health_routes


@pytest.fixture
def probe(installation):
    """Return a client of the probes of an installation with these plugins."""

    def make(*plugins):
        host = PluginHost([*installation.parts.host.plugins, *plugins])
        return TestClient(Starlette(routes=health_routes(installation.parts.services, host)))

    return make


def test_a_process_that_answers_is_healthy(probe):
    answer = probe().get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_plugins_that_do_not_run_are_named_with_phase_and_reason_but_without_credentials(probe):
    reason = "OSError: cannot reach https://me:hunter2@example.com/"
    broken = Plugin("broken", "helpdesk_broken", Path(), None, State.FAILED, "import", reason)
    (told,) = (each for each in probe(broken).get("/healthz").json()["plugins"] if each["id"] == "broken")
    assert (told["state"], told["phase"]) == ("failed", "import")
    assert told["reason"] == "OSError: cannot reach https://***@example.com/"


def test_a_migrated_database_is_ready(probe):
    assert probe().get("/readyz").status_code == 200


def test_a_database_that_is_behind_is_not_ready(probe, installation):
    with installation.parts.services.database.engine.begin() as connection:
        connection.execute(text("DROP TABLE helpdesk_version_core"))
    answer = probe().get("/readyz")
    assert (answer.status_code, answer.json()["pending"]) == (503, ["core"])


def test_a_database_that_does_not_answer_is_not_ready(installation, tmp_path):
    nowhere = Database(f"sqlite:///{tmp_path}/missing/helpdesk.db")
    services = replace(installation.parts.services, database=nowhere)
    http = TestClient(Starlette(routes=health_routes(services, installation.parts.host)))
    answer = http.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "does not answer")
    assert str(tmp_path) not in answer.text
