"""Metrics that plugins declare."""

import pytest

from helpdesk_core.plugins import load_plugins
from helpdesk_core.telemetry.collecting import Telemetry
from helpdesk_core.testing import running
from tests.contract.steps import served
from tests.telemetry.conftest import read

CODE = """
from helpdesk_core.api import ROLES, Context, Counter, JobContext, Message, Metrics, Permission, Router
from helpdesk_core.api import enqueue, hookimpl, job

USE = Permission("bell:use", "Use it", ROLES)
router = Router("bell", tag="bell")
rings = Counter("rings", "How often it rang.", {"how": ("loud", "soft")})


@job()
def echo(ctx: JobContext, fails: bool) -> None:
    ctx.get(Metrics).count(rings, how="soft")
    if fails:
        raise KeyError("what ada@acme.com wrote")


@router.post("/", permission=USE)
def ring(ctx: Context) -> Message:
    '''Ring it.'''
    ctx.services.get(Metrics).count(rings, how="loud")
    enqueue(ctx.session, echo, fails=False)
    enqueue(ctx.session, echo, fails=True)
    return Message(message="well")


@hookimpl
def register_routes():
    return [router]


@hookimpl
def register_permissions():
    return [USE]


@hookimpl
def register_jobs():
    return [echo]


@hookimpl
def register_metrics():
    return [rings]
"""
DECLARED = """
from helpdesk_core.api import Counter, hookimpl


@hookimpl
def register_metrics():
    return [{metrics}]
"""


def test_what_a_plugin_counts_and_how_its_jobs_fare_is_shown(write_plugin, helpdesk_databases, tmp_path):
    write_plugin("bell", CODE)
    with running(helpdesk_databases, load_plugins(), tmp_path) as installation:
        served(installation.client("member").post("/bell/"))
        telemetry = installation.parts.services.get(Telemetry)
        waiting = read(telemetry.answer()[0].decode())
        installation.run_jobs()
        found = read(telemetry.answer()[0].decode())
    assert waiting["helpdesk_jobs", "quick", "ready"] == 2
    assert found["helpdesk_plugin_bell_rings_total", "loud"] == 1
    assert found["helpdesk_plugin_bell_rings_total", "soft"] == 2
    runs = {key[2]: value for key, value in found.items() if key[:1] + key[3:] == (RUNS, "bell") and key[1] == "job"}
    assert runs == {"done": 1, "failed": 1}
    assert found["helpdesk_plugin_failures_total", "job", "bell"] == 1


RUNS = "helpdesk_job_duration_seconds_count"


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        ('Counter("rings", "Rings.", {"who": ()})', "every value that the label who can have"),
        ('Counter("rings", "Rings."), Counter("rings", "More.")', "rings is the name of more than one metric"),
        ('Counter("Rings", "Rings.")', "'Rings' is no name of a metric"),
    ],
)
def test_a_plugin_whose_metrics_cannot_be_shown_fails_with_the_reason(write_plugin, metrics, told):
    write_plugin("bell", DECLARED.format(metrics=metrics))
    (plugin,) = (each for each in load_plugins().plugins if each.id == "bell")
    assert plugin.state == "failed"
    assert told in plugin.reason
