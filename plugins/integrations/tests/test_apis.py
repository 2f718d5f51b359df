"""API integrations: calls go where they should, show who calls, are counted, paced and told without secrets."""

import json
import threading

import pytest
from sqlalchemy import select

from helpdesk_core.api import Outbound
from helpdesk_integrations.models import ApiIntegration, Credential
from plugins.integrations.tests.conftest import APIS

EXAMPLE = {
    "name": "Salesforce Integration",
    "api_type": "rest",
    "base_url": "https://api.salesforce.com",
    "version": "v1",
    "authentication_methods": ["oauth2", "api_key"],
    "rate_limits": {"requests_per_minute": 1000, "requests_per_day": 100000},
    "api_documentation": {"swagger_url": "https://api.salesforce.com/docs", "version": "1.0.0"},
}
KEY = {"kind": "api_key", "api_key": "the-key-of-the-other-system"}

DOCUMENT = {
    "openapi": "3.0.0",
    "paths": {
        "/things/": {
            "get": {"operationId": "listThings", "summary": "All things"},
            "parameters": [],
            "post": {"operationId": "makeThing"},
        },
        "/broken/": None,
    },
}


@pytest.fixture
def api(owner, receiver):
    """Makes integrations whose other side is the receiver, below a path."""

    def make(**fields):
        methods = ["api_key", "basic", "bearer", "oauth2"]
        body = {"name": "There", "base_url": f"{receiver.base}/v1", "authentication_methods": methods, **fields}
        reply = owner.post(APIS, json=body)
        assert reply.status_code == 201, reply.text
        return reply.json()

    return make


@pytest.fixture
def call(owner):
    def call(api, path="/things/", **body):
        return owner.post(f"{APIS}{api['id']}/requests/", json={"path": path, **body})

    return call


def code_of(reply):
    return reply.status_code, reply.json()["error"]["code"]


def field_of(reply):
    assert reply.status_code == 400, reply.text
    return reply.json()["error"]["details"]["field"]


class TestTheResource:
    def test_an_outsider_finds_nothing(self, outsider, api):
        path = f"{APIS}{api()['id']}/"
        assert outsider.get(APIS).json()["count"] == 0
        assert [getattr(outsider, method)(path).status_code for method in ("get", "delete")] == [404, 404]
        assert outsider.patch(path, json={"name": "Mine"}).status_code == 404
        assert outsider.put(f"{path}credentials/", json=KEY).status_code == 404
        assert outsider.delete(f"{path}credentials/").status_code == 404
        posts = ("requests/", "test/", "activate/", "deactivate/", "oauth/authorize/", "operations/refresh/")
        assert {outsider.post(path + each, json={}).status_code for each in posts} == {404}
        assert {outsider.get(path + each).status_code for each in ("requests/", "operations/")} == {404}

    @pytest.mark.parametrize("who", ["agent", "technician", "member"])
    def test_only_administrators_come_near_integrations(self, installation, api, who):
        path = f"{APIS}{api()['id']}/"
        client = installation.client(who)
        assert client.get(APIS).status_code == client.get(path).status_code == 403
        assert client.post(f"{path}requests/", json={}).status_code == 403

    def test_the_documented_example_is_answered_as_documented(self, owner):
        made = owner.post(APIS, json=EXAMPLE).json()
        counted = {"total_requests": 0, "successful_requests": 0, "failed_requests": 0, "average_response_time": 0}
        documented = {"id": made["id"], **EXAMPLE, **counted, "is_active": True}
        assert list(made) == [*documented, "created_at", "updated_at"]
        assert {name: made[name] for name in documented} == documented
        assert owner.get(APIS).json()["results"] == [made]

    def test_what_is_left_out_stays_and_what_was_read_can_be_saved(self, owner):
        made = owner.post(APIS, json=EXAMPLE).json()
        path = f"{APIS}{made['id']}/"
        assert owner.patch(path, json={"version": "v2"}).json() == {**made, "version": "v2"}
        read = owner.get(path)
        saved = owner.put(path, json=read.json(), headers={"If-Match": read.headers["ETag"]})
        assert saved.json() == read.json()
        limits = {"requests_per_minute": 5, "requests_per_day": 50}
        assert owner.patch(path, json={"rate_limits": limits}).json()["rate_limits"] == limits
        changed = owner.patch(path, json={"rate_limits": {"requests_per_day": 60}}).json()
        assert changed["rate_limits"] == {**limits, "requests_per_day": 60}

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"base_url": "https://10.0.0.1"}, "base_url"),
            ({"base_url": "https://169.254.169.254/latest"}, "base_url"),
            ({"base_url": "https://example.com/?a=b"}, "base_url"),
            ({"base_url": "https://user:password@example.com"}, "base_url"),
            ({"api_documentation": {"swagger_url": "https://10.0.0.1/docs"}}, "api_documentation.swagger_url"),
            ({"api_type": "carrier pigeon"}, "api_type"),
            ({"authentication_methods": ["handshake"]}, "authentication_methods.0"),
            ({"rate_limits": {"requests_per_minute": 0}}, "rate_limits"),
        ],
    )
    def test_bad_fields_are_refused(self, owner, fields, field):
        assert field_of(owner.post(APIS, json={**EXAMPLE, **fields})) == field


class TestCredentials:
    def test_they_are_never_shown_and_stored_encrypted(self, owner, api, installation):
        made = api()
        reply = owner.put(f"{APIS}{made['id']}/credentials/", json=KEY)
        assert reply.status_code == 200, reply.text
        assert (reply.json()["kind"], reply.json()["is_ready"]) == ("api_key", True)
        answers = [reply.text, owner.get(f"{APIS}{made['id']}/").text, owner.get(APIS).text]
        assert not [each for each in answers if KEY["api_key"] in each]
        with installation.session() as session:
            stored = session.scalars(select(Credential)).one()
            assert KEY["api_key"] not in f"{stored.secret} {stored.settings}"
        assert owner.get(f"{APIS}{made['id']}/credentials/").status_code == 405

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"kind": "api_key"}, "api_key"),
            ({"kind": "basic", "username": "us"}, "password"),
            ({"kind": "bearer"}, "token"),
            ({"kind": "oauth2"}, "grant"),
            ({"kind": "oauth2", "grant": "client_credentials", "client_id": "us"}, "client_secret"),
            ({"kind": "oauth2", "grant": "authorization_code", "client_id": "us"}, "token_url"),
            ({**KEY, "header": "X-Key: x\r\nHost"}, "header"),
            ({**KEY, "header": "Host"}, "header"),
        ],
    )
    def test_what_is_missing_is_named(self, owner, api, body, field):
        assert field_of(owner.put(f"{APIS}{api()['id']}/credentials/", json=body)) == field

    def test_only_kinds_that_the_integration_lists_are_taken(self, owner, api):
        made = api(authentication_methods=["basic"])
        assert field_of(owner.put(f"{APIS}{made['id']}/credentials/", json=KEY)) == "kind"

    @pytest.mark.parametrize(
        ("body", "header", "value"),
        [
            ({**KEY, "header": "X-Their-Key"}, "x-their-key", KEY["api_key"]),
            ({"kind": "basic", "username": "us", "password": "pässword"}, "authorization", "Basic dXM6cMOkc3N3b3Jk"),
            ({"kind": "bearer", "token": "a-long-token"}, "authorization", "Bearer a-long-token"),
        ],
    )
    def test_each_kind_is_shown_to_the_other_side(self, *, owner, api, call, receiver, body, header, value):
        made = api()
        owner.put(f"{APIS}{made['id']}/credentials/", json=body)
        assert call(made).status_code == 200
        assert receiver.received[0].headers[header] == value

    def test_they_are_gone_when_they_are_removed(self, owner, api, call, receiver):
        made = api()
        path = f"{APIS}{made['id']}/credentials/"
        owner.put(path, json=KEY)
        assert owner.delete(path).status_code == 204
        assert owner.delete(path).status_code == 404
        call(made)
        assert "x-api-key" not in receiver.received[0].headers

    def test_they_do_not_follow_the_integration_to_another_host(self, *, owner, api, call, receiver, installation):
        made = api()
        path = f"{APIS}{made['id']}/"
        owner.put(f"{path}credentials/", json=KEY)
        assert owner.patch(path, json={"base_url": f"{receiver.base}/v2"}).status_code == 200
        with installation.session() as session:
            assert session.scalars(select(Credential)).all()
        assert owner.patch(path, json={"base_url": receiver.base.replace("127.0.0.1", "127.0.0.2")}).status_code == 200
        with installation.session() as session:
            assert not session.scalars(select(Credential)).all()


class TestCalls:
    def test_a_call_is_made_and_told(self, api, call, receiver):
        receiver.answers["/v1/things/7"] = (201, {"Content-Type": "application/json", "X-Page": "1"}, b'{"a": [1]}')
        reply = call(api(), "/things/7", method="POST", query={"q": "a b", "deep": True}, body={"name": "Ä"},
                     headers={"X-Trace": "7"})  # fmt: skip
        assert reply.status_code == 200, reply.text
        told = reply.json()
        assert (told["status"], told["body"], told["truncated"]) == (201, {"a": [1]}, False)
        assert told["headers"]["x-page"] == "1"
        assert told["duration_ms"] >= 0
        (request,) = receiver.received
        assert (request.method, request.path) == ("POST", "/v1/things/7?q=a+b&deep=true")
        assert (request.json, request.headers["x-trace"]) == ({"name": "Ä"}, "7")
        assert request.headers["content-type"] == "application/json"

    def test_text_is_sent_and_shown_as_text(self, api, call, receiver):
        receiver.answers["/v1"] = (200, {"Content-Type": "text/plain"}, b"x" * 70_000)
        told = call(api(), "", method="PUT", body="plain", headers={"content-type": "text/csv"}).json()
        assert (len(told["body"]), told["truncated"]) == (65_536, True)
        assert receiver.received[0].headers["content-type"] == "text/csv"

    @pytest.mark.parametrize(
        "path",
        [
            "../admin",
            "/../admin",
            "/things/../../admin",
            "/things/%2e%2e/%2e%2e/admin",
            "/things/%252e%252e/%252e%252e/admin",
            "/things/..%2f..%2fadmin",
            "/things/..;/admin",
            "..\\admin",
            "/%5c..%5cadmin",
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "/x?y=z",
            "/x#y",
            "/x\r\nHost: evil",
            "/x\u2028y",
            "/%00",
            ".",
            "/%",
        ],
    )
    def test_no_path_leads_out_of_the_base(self, api, call, receiver, path):
        reply = call(api(), path)
        if path == "/%":  # harmless, and the other side's to refuse
            assert reply.status_code == 200
            return
        assert field_of(reply) == "path"
        assert not receiver.received

    @pytest.mark.parametrize("body", [2**63, [2**63], {"a": [2**64 - 1]}], ids=["number", "list", "object"])
    def test_bodies_that_nobody_can_write_are_refused(self, api, call, receiver, body):
        assert field_of(call(api(), method="POST", body=body)) == "body"
        assert not receiver.received

    @pytest.mark.parametrize("path", ["things", "/a//b", "/a b/ü", "/:x/@y", ""])
    def test_other_paths_are_below_the_base(self, api, call, receiver, path):
        assert call(api(), path).status_code == 200
        assert receiver.received[0].path.startswith("/v1")

    @pytest.mark.parametrize(
        "headers",
        [
            {"Host": "evil.example"},
            {"authorization": "Bearer mine"},
            {"Connection": "upgrade"},
            {"Transfer-Encoding": "chunked"},
            {"Content-Length": "5"},
            {"Cookie": "a=b"},
            {"Proxy-Anything": "x"},
            {"X-Api-Key": "mine"},
            {"X-A": "b\r\nX-C: d"},
            {"X A": "b"},
            {"X-A": "ü"},
            {"X-A": "1", "x-a": "2"},
        ],
    )
    def test_headers_that_are_not_the_callers_are_refused(self, *, owner, api, call, receiver, headers):
        made = api()
        owner.put(f"{APIS}{made['id']}/credentials/", json=KEY)
        assert field_of(call(made, headers=headers)) == "headers"
        assert not receiver.received

    def test_credentials_follow_no_redirect(self, owner, api, call, receiver):
        made = api()
        owner.put(f"{APIS}{made['id']}/credentials/", json=KEY)
        receiver.answers["/v1/things/"] = (302, {"Location": f"{receiver.base}/elsewhere"}, b"")
        told = call(made).json()
        assert told["status"] == 302
        assert [each.path for each in receiver.received] == ["/v1/things/"]

    def test_an_address_is_checked_again_when_it_is_called(self, *, owner, api, call, installation, receiver):
        """The name server tells a public address while the integration is saved, and one of ours afterwards."""
        answers = iter([["93.184.215.14"], ["10.0.0.1"], ["169.254.169.254"]])
        settings = installation.parts.settings
        installation.parts.services.extra[Outbound] = Outbound(settings, lambda host, port: next(answers))
        made = api(base_url="https://rebinding.example")
        for _ in range(2):
            assert code_of(call(made)) == (422, "NO_ANSWER")
        assert not receiver.received

    def test_an_integration_that_is_off_calls_nobody(self, owner, api, call, receiver):
        made = api()
        path = f"{APIS}{made['id']}/"
        assert owner.post(f"{path}deactivate/").json()["is_active"] is False
        assert code_of(call(made)) == code_of(owner.post(f"{path}test/")) == (409, "INTEGRATION_INACTIVE")
        assert not receiver.received
        owner.post(f"{path}activate/")
        assert call(made).status_code == 200

    def test_a_test_tells_whether_the_other_side_knows_us(self, owner, api, receiver):
        path = f"{APIS}{api()['id']}/test/"
        assert owner.post(path).json()["ok"] is True
        receiver.answers["/v1"] = (401, {}, b"")
        told = owner.post(path).json()
        assert (told["ok"], told["status"], told["error"]) == (False, 401, "The other system answered 401.")
        receiver.failures["/v1"] = 100
        del receiver.answers["/v1"]
        receiver.mode = "reset"
        told = owner.post(path).json()
        assert (told["ok"], told["status"]) == (False, None)


class TestCounting:
    def test_calls_are_counted_by_how_they_ended_and_timed(self, owner, api, call, receiver):
        made = api()
        receiver.answers["/v1/bad"] = (404, {}, b"")
        receiver.failures["/v1/broken"], receiver.mode = 1, "reset"
        assert call(made, "/things/").status_code == 200
        assert call(made, "/bad").json()["status"] == 404
        assert code_of(call(made, "/broken")) == (422, "NO_ANSWER")
        shown = owner.get(f"{APIS}{made['id']}/").json()
        counted = [shown[f"{name}_requests"] for name in ("total", "successful", "failed")]
        assert counted == [3, 1, 2]
        log = owner.get(f"{APIS}{made['id']}/requests/").json()["results"]
        assert [each["response_status"] for each in log] == [None, 404, 200]
        answered = [each["duration_ms"] for each in log if each["response_status"]]
        assert shown["average_response_time"] == pytest.approx(sum(answered) / 2)
        assert log[0]["actor"]["email"] == "owner@acme.com"

    def test_the_log_shows_no_secret(self, owner, api, call, receiver):
        made = api()
        secret = KEY["api_key"]
        owner.put(f"{APIS}{made['id']}/credentials/", json=KEY)
        receiver.answers["/v1/echo"] = (200, {"X-Echo": secret}, f"you sent {secret}".encode())
        told = call(made, "/echo", query={"access_token": "in-the-query", "page": "2", "q": secret}, headers={"X-Session-Token": "in-a-header"})  # noqa: E501  # fmt: skip
        log = owner.get(f"{APIS}{made['id']}/requests/")
        for text in (told.text, log.text):
            assert not [each for each in (secret, "in-the-query", "in-a-header") if each in text]
        (row,) = log.json()["results"]
        assert row["url"].endswith("/v1/echo?access_token=***&page=2&q=***")
        assert row["response_body"] == "you sent ***"
        assert row["request_headers"] == {"X-Session-Token": "***", "X-API-Key": "***"}

    def test_the_log_is_filtered(self, owner, api, call):
        made = api()
        call(made)
        call(made, method="POST")
        path = f"{APIS}{made['id']}/requests/"
        assert owner.get(path, params={"method": "POST"}).json()["count"] == 1
        assert owner.get(path, params={"status": "500"}).json()["count"] == 0

    def test_calls_in_a_minute_and_in_a_day_are_limited(self, api, call, receiver, clock):
        made = api(rate_limits={"requests_per_minute": 2, "requests_per_day": 3})
        clock.advance(seconds=15)
        assert [call(made).status_code for _ in range(2)] == [200, 200]
        refused = call(made)
        assert code_of(refused) == (429, "RATE_LIMIT_EXCEEDED")
        assert refused.headers["Retry-After"] == "45"
        details = {"limit": 2, "remaining": 0, "reset_time": "2026-03-02T10:01:00Z"}
        assert refused.json()["error"]["details"] == details
        clock.advance(seconds=45)
        assert [call(made).status_code for _ in range(2)] == [200, 429]
        assert call(made).headers["Retry-After"] == str(13 * 3600 + 59 * 60)
        clock.advance(hours=14)
        assert call(made).status_code == 200
        assert len(receiver.received) == 4

    def test_limits_are_exact_however_many_call_at_once(self, owner, api, receiver, installation):
        made = api(rate_limits={"requests_per_minute": 5, "requests_per_day": 100})
        assert owner.token
        statuses = []

        def work():
            statuses.extend(owner.post(f"{APIS}{made['id']}/requests/", json={}).status_code for _ in range(3))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] * 5 + [429] * 7
        assert len(receiver.received) == 5
        with installation.session() as session:
            assert session.scalars(select(ApiIntegration.total_requests)).one() == 5

    def test_a_system_that_fails_is_left_alone_for_a_while(self, api, call, receiver, clock):
        made = api()
        receiver.failures["/v1/things/"] = 6
        assert [call(made).json()["status"] for _ in range(5)] == [500] * 5
        refused = call(made)
        assert code_of(refused) == (409, "CIRCUIT_OPEN")
        assert refused.headers["Retry-After"] == "30"
        clock.advance(seconds=30)
        assert call(made).json()["status"] == 500
        assert code_of(call(made)) == (409, "CIRCUIT_OPEN")
        clock.advance(seconds=30)
        assert [call(made).json()["status"] for _ in range(3)] == [200] * 3


class TestOperations:
    def test_operations_are_read_from_the_document(self, owner, api, receiver):
        receiver.answers["/openapi.json"] = (200, {}, json.dumps(DOCUMENT).encode())
        made = api(api_documentation={"swagger_url": f"{receiver.base}/openapi.json", "version": "3"})
        owner.put(f"{APIS}{made['id']}/credentials/", json=KEY)
        path = f"{APIS}{made['id']}/operations/"
        assert owner.get(path).json()["count"] == 0
        reply = owner.post(f"{path}refresh/")
        assert reply.status_code == 200, reply.text
        listed = reply.json()["results"]
        assert [(each["method"], each["operation_id"]) for each in listed] == [
            ("GET", "listThings"),
            ("POST", "makeThing"),
        ]
        assert owner.get(path).json() == reply.json()
        assert "x-api-key" not in receiver.received[0].headers

    @pytest.mark.parametrize(
        "answer", [(200, {}, b"<html>"), (200, {}, b"[]"), (200, {}, b'{"paths": 1}'), (404, {}, b""), (302, {}, b"")]
    )
    def test_what_is_no_document_is_refused(self, owner, api, receiver, answer):
        receiver.answers["/docs"] = answer
        made = api(api_documentation={"swagger_url": f"{receiver.base}/docs", "version": ""})
        reply = owner.post(f"{APIS}{made['id']}/operations/refresh/")
        assert code_of(reply) == (422, "UNREADABLE_DOCUMENT")

    def test_without_an_address_there_is_nothing_to_read(self, owner, api):
        reply = owner.post(f"{APIS}{api()['id']}/operations/refresh/")
        assert code_of(reply) == (422, "UNREADABLE_DOCUMENT")


def test_old_calls_are_forgotten(owner, api, call, installation):
    made = api()
    call(made)
    installation.clock.advance(days=31)
    call(made)
    installation.run_schedules()
    assert owner.get(f"{APIS}{made['id']}/requests/").json()["count"] == 1
    assert owner.get(f"{APIS}{made['id']}/").json()["total_requests"] == 2
