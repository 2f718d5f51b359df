"""What an installation shows of itself: requests by route, work, limits, plugins, the database."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import column, select, text
from sqlalchemy.exc import DBAPIError

from helpdesk_core.api import Counter, Gauge, Histogram, JobContext, Metrics, UndeclaredMetric, job
from helpdesk_core.database import Database
from helpdesk_core.statements import Prepared
from helpdesk_core.telemetry.assembling import job_watcher, watch_transactions
from helpdesk_core.telemetry.collecting import Telemetry
from helpdesk_core.telemetry.metrics import REQUESTS as REQUESTS_KEPT
from helpdesk_core.telemetry.queue import QueueFigures
from helpdesk_core.tenancy import set_unscoped
from helpdesk_core.testing import running
from tests.contract.steps import refused, served
from tests.jobs.conftest import bench as bench  # noqa: PLC0414 - a fixture
from tests.telemetry.conftest import read

REQUESTS = "helpdesk_http_requests_total"
SECONDS = "helpdesk_http_request_duration_seconds"


class TestRequests:
    def test_are_counted_by_the_template_of_their_path(self, member, outsider, shown):
        served(member.get(f"/users/{member.user.id}/"))
        refused(member.get(f"/users/{outsider.user.id}/"), 404)
        found = shown()
        route = next(key[2] for key in found if key[0] == REQUESTS and key[2].startswith("/api/v1/users/{"))
        assert found[REQUESTS, "GET", route, "200"] == found[REQUESTS, "GET", route, "404"] == 1
        assert found[f"{SECONDS}_count", "GET", route, "2xx"] == 1
        assert found[f"{SECONDS}_bucket", "+Inf", "GET", route, "4xx"] == 1

    def test_to_paths_that_strangers_make_up_are_one_series(self, anonymous, shown):
        for path in ("/nowhere/1", "/nowhere/2", "/api/v1/users/abc/def/ghi/", "/account/nothing/", "/%00"):
            anonymous.raw("GET", path)
        anonymous.raw("BREW", "/pot")
        routes = {key[2] for key in shown() if key[0] == REQUESTS}
        assert routes <= {"unmatched", "/account/{rest:path}"} | {each for each in routes if "{" in each}
        assert shown()[REQUESTS, "GET", "unmatched", "404"] == 5
        assert shown()[REQUESTS, "other", "unmatched", "404"] == 1

    def test_that_are_refused_are_counted_by_the_code_of_the_error(self, anonymous, shown):
        refused(anonymous.get("/users/"), 401)
        assert shown()["helpdesk_http_errors_total", "AUTHENTICATION_REQUIRED"] == 1

    def test_name_nobody(self, owner, member, shown):
        served(owner.get(f"/organizations/{owner.organization_id}/"))
        served(member.get("/users/profile/"))
        words = {word for key in shown() for word in key[1:]}
        assert not [word for word in words if "acme" in word.lower() or "@" in word or word == str(member.user.id)]

    def test_that_meet_an_empty_bucket_are_counted_by_its_name(self, helpdesk_databases, helpdesk_host, tmp_path):
        with running(helpdesk_databases, helpdesk_host, tmp_path, limits="enforce", limit_general=1) as installation:
            member = installation.client("member")
            served(member.get("/users/profile/"))
            refused(member.get("/users/profile/"), 429)
            found = read(installation.parts.services.get(Telemetry).answer()[0].decode())
        assert found["helpdesk_limits_refused_total", "general"] == 1
        assert found["helpdesk_http_errors_total", "RATE_LIMIT_EXCEEDED"] == 1

    def test_that_were_timed_by_other_bounds_are_left_out(self):
        metrics = Metrics()
        metrics.samples.place((REQUESTS_KEPT, "/", "GET", "200"), 3)
        assert not [key for key in read(Telemetry(metrics, [], lambda _: None).answer()[0].decode()) if REQUESTS in key]


class TestTheDatabase:
    def test_is_up_and_its_transactions_are_measured(self, member, shown):
        served(member.get("/users/profile/"))
        found = shown()
        assert found["helpdesk_database_up",] == 1
        assert found["helpdesk_database_transaction_seconds_count", "read"] >= 1
        assert found["helpdesk_database_connections", "in_use"] == 0

    def test_that_does_not_answer_is_down_and_the_rest_is_told(self, installation, shown, monkeypatch):
        monkeypatch.setattr("helpdesk_core.telemetry.queue.waiting_jobs", _fail)
        found = shown()
        assert found["helpdesk_database_up",] == 0
        assert found["helpdesk_processes",] == 1

    def test_that_does_not_come_to_an_end_holds_nobody_up(self, installation, monkeypatch):
        let_go = threading.Event()
        monkeypatch.setattr("helpdesk_core.telemetry.queue.PATIENCE_SECONDS", 0.01)
        monkeypatch.setattr("helpdesk_core.telemetry.queue.waiting_jobs", lambda *_: let_go.wait() and {})
        metrics = Metrics()
        figures = QueueFigures(installation.parts.services.database, installation.clock)
        figures.tell(metrics)
        assert metrics.samples.own()["helpdesk_database_up",] == [0]
        let_go.set()
        figures._asking.join()

    def test_counts_statements_that_it_refuses(self, tmp_path):
        database, metrics = Database(f"sqlite:///{tmp_path / 'new.db'}"), Metrics()
        watch_transactions(database, metrics)
        with database.session(writes=True) as session:
            set_unscoped(session)
            for run in (
                lambda: session.execute(text("SELECT a")),
                lambda: Prepared(select(column("a"))).rows(session, {}),
            ):
                with pytest.raises(DBAPIError):
                    run()
        database.dispose()
        assert metrics.samples.own()["helpdesk_database_errors_total", "OperationalError"] == [2]


def _fail(*_):
    raise DBAPIError("SELECT", None, OSError("away"))


class TestTheQueue:
    def test_is_counted_and_so_is_what_comes_of_it(self, anonymous, member, run_jobs, shown):
        served(anonymous.post("/users/password-reset/", json={"email": member.user.email}))
        before = shown()
        assert sum(value for key, value in before.items() if key[0] in {"helpdesk_jobs", "helpdesk_events_undelivered"})
        run_jobs()
        done = {key: value for key, value in shown().items() if key[0] == "helpdesk_job_duration_seconds_count"}
        assert done
        assert {key[2] for key in done} == {"done"}

    def test_tells_what_came_of_each_run(self, bench):
        @job()
        def works(ctx: JobContext) -> None:
            pass

        @job()
        def comes_again(ctx: JobContext) -> None:
            ctx.again(ctx.now + timedelta(hours=1), "not yet")

        @job()
        def gives_up(ctx: JobContext) -> None:
            ctx.give_up("nobody is there")

        @job()
        def fails(ctx: JobContext) -> None:
            raise ValueError

        made, metrics = bench(works, comes_again, gives_up, fails), Metrics()
        made.runner.ran = job_watcher(metrics)
        for each in (works, comes_again, gives_up, fails):
            made.enqueue(each)
        made.runner.run_due()
        runs = [series[2:] for series in metrics.samples.own() if series[0] == "helpdesk_job_duration_seconds"]
        assert sorted(runs) == [("job", "again"), ("job", "done"), ("job", "failed"), ("job", "given_up")]


class TestPlugins:
    def test_that_pause_are_not_active(self, installation, shown, helpdesk_host):
        pausing = [each.id for each in helpdesk_host.active if each.manifest and not each.manifest.essential]
        if not pausing:
            pytest.skip("the core is alone, and pauses nothing of its own")
        plugin = pausing[0]
        assert shown()["helpdesk_plugin_active", plugin] == 1
        installation.suspend(plugin)
        assert shown()["helpdesk_plugin_active", plugin] == 0
        assert shown()["helpdesk_plugin_failures_total", "request", plugin] == 1


SENT = Counter("sent", "Letters that were sent.", {"outcome": ("well", "badly")})
OPEN = Gauge("open", "Doors that are open.")
TOOK = Histogram("took_seconds", "How long it took.", bounds=(0.1, 1.0))


class TestWhatPluginsCount:
    def test_is_added_up_by_label(self):
        metrics = Metrics([("oncall", SENT), ("oncall", OPEN), ("oncall", TOOK)])
        metrics.count(SENT, outcome="well")
        metrics.count(SENT, 2.5, outcome="well")
        metrics.set(OPEN, 3)
        metrics.set(OPEN, 2)
        for seconds in (0.05, 0.1, 0.5, 7):
            metrics.observe(TOOK, seconds)
        found = read(Telemetry(metrics, [], lambda _: None).answer()[0].decode())
        assert found["helpdesk_plugin_oncall_sent_total", "well"] == 3.5
        assert found["helpdesk_plugin_oncall_open",] == 2
        buckets = {key[1]: value for key, value in found.items() if key[0].endswith("took_seconds_bucket")}
        assert buckets == {"0.1": 2, "1.0": 3, "+Inf": 4}
        assert found["helpdesk_plugin_oncall_took_seconds_sum",] == pytest.approx(7.65)

    def test_with_a_value_that_was_not_declared_is_other(self):
        metrics = Metrics([("oncall", SENT)])
        metrics.count(SENT, outcome="what somebody entered")
        found = read(Telemetry(metrics, [], lambda _: None).answer()[0].decode())
        assert found["helpdesk_plugin_oncall_sent_total", "other"] == 1
        assert "somebody" not in str(found)

    def test_is_told_although_a_process_of_another_version_has_other_bounds_and_labels(self, tmp_path):
        before = Metrics([("oncall", Counter("sent", "Letters.")), ("oncall", Histogram("took_seconds", "Time."))])
        after = Metrics([("oncall", SENT), ("oncall", TOOK)])
        old_sent, old_took = [metric for metric in before.names if metric.name in {"sent", "took_seconds"}]
        before.share(tmp_path)
        after.share(tmp_path)
        before.count(old_sent, 5)
        before.observe(old_took, 0.5)
        after.count(SENT, outcome="well")
        after.observe(TOOK, 0.5)
        found = read(Telemetry(after, [], lambda _: None).answer()[0].decode())
        for metrics in (before, after):
            metrics.samples.close()
        assert {key: value for key, value in found.items() if "sent" in key[0]} == {
            ("helpdesk_plugin_oncall_sent_total", "well"): 1
        }
        assert found["helpdesk_plugin_oncall_took_seconds_count",] == 1
        assert found["helpdesk_plugin_oncall_took_seconds_bucket", "1.0"] == 1

    def test_must_be_registered_and_have_its_labels_and_only_grow(self):
        metrics = Metrics([("oncall", SENT)])
        with pytest.raises(UndeclaredMetric):
            metrics.set(OPEN, 1)
        with pytest.raises(ValueError, match="has the labels outcome"):
            metrics.count(SENT)
        with pytest.raises(ValueError, match="only grows"):
            metrics.count(SENT, -1, outcome="well")

    def test_loses_nothing_between_threads(self):
        metrics = Metrics([("oncall", SENT)])
        threads = [
            threading.Thread(target=lambda: [metrics.count(SENT, outcome="well") for _ in range(2000)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert metrics.samples.own()["helpdesk_plugin_oncall_sent_total", "well"] == [8000]


@pytest.mark.parametrize(
    ("declare", "told"),
    [
        (lambda: Counter("Sent", "Letters."), "no name"),
        (lambda: Counter("sent_total", "Letters."), "_total"),
        (lambda: Counter("sent", ""), "a sentence"),
        (lambda: Counter("sent", "Letters.", {"to whom": ("a",)}), "'to whom' is no name"),
        (lambda: Histogram("took", "How long."), "unit"),
        (lambda: Histogram("took_seconds", "How long.", bounds=(2, 1)), "ascending"),
        (lambda: Counter("sent", "Letters.", {"to": ()}).refuse_unbounded(), "every value"),
        (lambda: Counter("sent", "Letters.", {"to": tuple(map(str, range(501)))}).refuse_unbounded(), "502 series"),
    ],
)
def test_a_metric_that_prometheus_would_not_understand_is_refused(declare, told):
    with pytest.raises(ValueError, match=told):
        declare()
