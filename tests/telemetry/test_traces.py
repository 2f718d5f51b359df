"""Traces: what a request and a job did, without what people wrote."""

import json
import logging
import socket
import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from helpdesk_core.app import create_app
from helpdesk_core.assembly import assemble
from helpdesk_core.http.outbound import Outbound
from helpdesk_core.logs import JsonLines
from helpdesk_core.settings import BadSetting, Settings
from helpdesk_core.telemetry.otel import OpenTelemetry
from helpdesk_core.telemetry.traces import tracing_of
from helpdesk_core.testing import PASSWORD
from helpdesk_core.tracing import NO_TRACES
from tests.http.servers import Server, answering, ok

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Traced:
    """An installation that traces, and what it has traced."""

    def __init__(self, installation, parts, http, exporter):
        self.parts = parts
        self.http = http
        self._exporter = exporter
        account = installation.accounts["member"]
        self.login = {"username": account.username, "password": PASSWORD}

    @property
    def spans(self):
        return self._exporter.get_finished_spans()

    def named(self, name):
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter):
    found = OpenTelemetry(SimpleSpanProcessor(exporter), ("inventory.example.com",))
    yield found
    found.stop()


@pytest.fixture
def traced(installation, exporter, tracing, monkeypatch):
    monkeypatch.setattr("helpdesk_core.assembly.tracing_of", lambda *_: tracing)
    given = installation.parts
    settings = given.settings.model_copy(update={"log_requests": True})
    parts = assemble(settings, clock=installation.clock, host=given.host, files=installation.files)
    with TestClient(create_app(parts.settings, parts=parts, background=False)) as http:
        yield Traced(installation, parts, http, exporter)


def parents(span):
    return span.parent.span_id if span.parent else None


class TestRequests:
    def test_are_named_by_their_route_and_hold_their_statements(self, traced, member):
        answer = traced.http.get(
            f"/api/v1/users/{member.user.id}/", headers={"Authorization": f"Bearer {member.token}"}
        )
        assert answer.status_code == 200
        (span,) = (each for each in traced.spans if each.kind.name == "SERVER")
        assert span.name == f"GET {span.attributes['http.route']}"
        assert span.attributes["http.route"].startswith("/api/v1/users/{")
        assert span.attributes["http.response.status_code"] == 200
        assert span.attributes["helpdesk.request_id"] == answer.headers["x-request-id"]
        statements = [each for each in traced.spans if each.kind.name == "CLIENT"]
        assert "SELECT" in {each.name for each in statements}
        assert {parents(each) for each in statements} == {span.context.span_id}

    def test_go_on_with_the_trace_of_their_sender(self, traced):
        traced.http.get("/api/v1/users/", headers={"traceparent": PARENT})
        (span,) = (each for each in traced.spans if each.kind.name == "SERVER")
        assert f"{span.context.trace_id:032x}" == PARENT.split("-")[1]
        assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]

    @pytest.mark.parametrize(
        "wrong", ["", "00-0-0-01", "nonsense", f"{PARENT}-more", "00-" + "0" * 32 + "-" + "0" * 16]
    )
    def test_begin_one_where_the_sender_names_none(self, traced, wrong):
        traced.http.get("/api/v1/users/", headers={"traceparent": wrong})
        (span,) = (each for each in traced.spans if each.kind.name == "SERVER")
        assert span.parent is None

    def test_hold_nothing_that_anybody_sent(self, traced):
        traced.http.post("/api/v1/auth/login/?token=hush", json={**traced.login, "password": "wrong guess"})
        traced.http.get("/nowhere/ada@acme.com")
        told = json.dumps([json.loads(span.to_json()) for span in traced.spans])
        assert traced.spans
        for secret in ("hush", "wrong guess", traced.login["username"], "ada@acme.com"):
            assert secret not in told

    def test_that_fail_say_so(self, traced, monkeypatch):
        monkeypatch.setattr("helpdesk_core.web.unit_of_work.UnitOfWork._attempt", _fail)
        traced.http.get("/api/v1/users/")
        (span,) = (each for each in traced.spans if each.kind.name == "SERVER")
        assert (span.status.status_code.name, span.attributes["error.type"]) == ("ERROR", "KeyError")
        assert "what ada wrote" not in span.to_json()

    def test_of_probes_are_left_out(self, traced):
        for path in ("/healthz", "/readyz", "/metrics"):
            traced.http.get(path)
        assert not traced.spans

    def test_tell_their_trace_in_the_log(self, traced, caplog):
        with caplog.at_level(logging.INFO, "helpdesk.web"):
            traced.http.get("/api/v1/users/", headers={"traceparent": PARENT})
        (line,) = (record for record in caplog.records if record.message == "request")
        assert json.loads(JsonLines().format(line))["trace_id"] == PARENT.split("-")[1]


def _fail(*_, **__):
    raise KeyError("what ada wrote")


def test_a_job_is_linked_to_the_request_that_published_its_event(traced, member):
    answer = traced.http.post("/api/v1/users/password-reset/", json={"email": member.user.email})
    assert answer.status_code < 300
    (request,) = (each for each in traced.spans if each.kind.name == "SERVER")
    published = [each for each in request.events if each.name == "published"]
    traced.parts.runner.run_due()
    jobs = [each for each in traced.spans if each.kind.name == "CONSUMER"]
    assert published
    assert jobs
    assert all("helpdesk.plugin" in each.attributes for each in jobs)
    linked = [each for each in jobs if request.context.span_id in {link.context.span_id for link in each.links}]
    assert {each.attributes["helpdesk.event.id"] for each in linked} <= {
        each.attributes["helpdesk.event.id"] for each in published
    }
    assert linked


@pytest.mark.parametrize(("host", "told"), [("inventory.example.com", True), ("stranger.example.com", False)])
def test_only_hosts_of_the_operators_choosing_hear_of_the_trace(tracing, exporter, host, told):
    allowed = Settings(outbound_allow=("127.0.0.1/32",))
    outbound = Outbound(allowed, lambda *_: ["127.0.0.1"], tracing=tracing)
    with Server(answering(ok())).running() as server, tracing.request("req_1", "POST", {"traceparent": PARENT}):
        assert outbound.request("POST", f"http://{host}:{server.port}/hooks/hush", content=b"{}").status == 200
    (span,) = (each for each in exporter.get_finished_spans() if each.kind.name == "CLIENT")
    assert (span.attributes["server.address"], span.attributes["http.response.status_code"]) == (host, 200)
    assert "hush" not in span.to_json()
    head = server.requests[0][0].lower()
    assert ("traceparent: " in head) == told
    assert (PARENT.split("-")[1] in head) == told


class TestWhetherThereAreAny:
    @pytest.mark.parametrize(
        "environment",
        [
            {},
            {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"},
            {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"},
            {"OTEL_SERVICE_NAME": "desk"},
        ],
        ids=["nothing", "none", "disabled", "only a name"],
    )
    def test_not_unless_they_are_asked_for(self, environment):
        assert tracing_of(Settings(), environment) is NO_TRACES

    @pytest.mark.parametrize(
        ("environment", "told"),
        [
            ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER: use one of otlp, console, none"),
            (
                {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
                "OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf",
            ),
        ],
        ids=["exporter", "protocol"],
    )
    def test_what_there_is_not_is_refused(self, environment, told):
        with pytest.raises(BadSetting, match=told):
            tracing_of(Settings(), environment)

    def test_without_the_extra_there_are_none_and_the_log_says_so(self, monkeypatch, caplog):
        monkeypatch.setitem(sys.modules, "helpdesk_core.telemetry.otel", None)
        assert tracing_of(Settings(), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}) is NO_TRACES
        assert "helpdesk-core[otel]" in caplog.text

    def test_nothing_is_imported_for_those_who_want_none(self):
        code = (
            "import helpdesk_core.cli.serve, sys; print([m for m in sys.modules if m.startswith(('opentel', 'prom'))])"
        )
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_collector_that_is_away_keeps_no_process_from_ending(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and never answers
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        monkeypatch.setattr("helpdesk_core.telemetry.otel.FLUSH_SECONDS", 0.05)
        tracing = tracing_of(Settings(), {"OTEL_TRACES_EXPORTER": "otlp"})
        with tracing.request("req_1", "GET", {}):
            pass
        tracing.stop()  # would wait for ten seconds by itself
