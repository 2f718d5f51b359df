"""Who may read metrics: programs on the same machine, or whoever has the token."""

import urllib.error
import urllib.request

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from helpdesk_core.app import create_app
from helpdesk_core.telemetry.collecting import Telemetry
from helpdesk_core.telemetry.port import MetricsServer

TOKEN = "a token of some length"


@pytest.fixture
def reader(installation):
    """Return a client at `address` of an installation with these settings."""

    def make(address="127.0.0.1", **settings):
        changed = installation.parts.settings.model_copy(update=settings)
        app = create_app(changed, parts=installation.parts, background=False)
        return TestClient(app, client=(address, 5000))

    return make


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_programs_on_this_machine_read_without_a_token(reader, address):
    answer = reader(address).get("/metrics")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "helpdesk_processes 1.0" in answer.text


@pytest.mark.parametrize("address", ["10.0.0.7", "192.0.2.1", "2001:db8::1", "testclient", ""])
def test_others_do_not(reader, address):
    answer = reader(address).get("/metrics")
    assert answer.status_code == 404
    assert "helpdesk_" not in answer.text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Proto"])
def test_nobody_does_through_a_proxy_on_this_machine(reader, header):
    assert reader().get("/metrics", headers={header: "x"}).status_code == 404


@pytest.mark.parametrize("setting", [{"public_url": "https://help.example.com"}, {"trusted_proxies": ("10.0.0.1",)}])
def test_nobody_does_where_a_proxy_is_to_be_expected(reader, setting):
    assert reader(**setting).get("/metrics").status_code == 404


@pytest.mark.parametrize(
    ("given", "status"),
    [(f"Bearer {TOKEN}", 200), ("Bearer other", 401), (TOKEN, 401), ("", 401), ("é", 401)],
)
def test_the_token_is_what_counts_where_there_is_one(reader, given, status):
    client = reader("192.0.2.1", metrics_token=SecretStr(TOKEN), public_url="https://help.example.com")
    answer = client.get("/metrics", headers={"Authorization": given.encode()})
    assert answer.status_code == status
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_this_machine_needs_the_token_as_well_where_there_is_one(reader):
    assert reader(metrics_token=SecretStr(TOKEN)).get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("accept", "media_type", "last"),
    [
        ("", "text/plain; version=0.0.4", ""),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version=1.0.0", "# EOF\n"),
        ("text/plain;version=1.0.0;q=0.5", "text/plain; version=1.0.0", ""),
    ],
)
def test_the_format_is_that_which_is_asked_for(reader, accept, media_type, last):
    answer = reader().get("/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.text.endswith(last)


def test_nothing_but_reading_is_answered(reader):
    assert reader().post("/metrics").status_code == 405


@pytest.fixture
def port(installation):
    """A port of its own, as a worker has one, for an installation with these settings."""
    servers = []

    def listen(**settings):
        changed = installation.parts.settings.model_copy(update=settings)
        server = MetricsServer("127.0.0.1", 0, changed, installation.parts.services.get(Telemetry))
        server.start()
        servers.append(server)
        return f"http://127.0.0.1:{server.port}"

    yield listen
    for server in servers:
        server.stop()


def fetched(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_port_of_its_own_has_the_same_rules(port):
    here, guarded = port(), port(metrics_token=SecretStr(TOKEN))
    status, text = fetched(f"{here}/metrics")
    assert status == 200
    assert "helpdesk_processes 1.0" in text
    assert fetched(f"{here}/")[0] == 404
    assert fetched(f"{here}/metrics", **{"X-Forwarded-For": "192.0.2.1"})[0] == 404
    assert fetched(f"{guarded}/metrics")[0] == 401
    assert fetched(f"{guarded}/metrics", Authorization=f"Bearer {TOKEN}")[0] == 200
