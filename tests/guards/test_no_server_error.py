"""Whatever the OpenAPI document allows, and what it forbids, is answered as documented and never crashed on."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, assume, settings
from sqlalchemy import inspect, update

from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.app import declared_endpoints
from helpdesk_core.plugins import PluginHost, load_plugins
from helpdesk_core.settings import Settings
from helpdesk_core.testing import Client, Installation, running
from helpdesk_core.web.openapi import build_document

EXAMPLES = int(os.environ.get("HELPDESK_TEST_EXAMPLES", "100"))
COMMON = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def document() -> dict[str, Any]:
    """Return the OpenAPI document; made when tests are collected, so that each operation is a test of its own."""
    host = load_plugins()
    return build_document(declared_endpoints(host), host, Settings())


# A body may fit its schema and still name a row that does not exist (400, as everywhere for references in bodies), or
# not fit the state (422); a schema cannot tell.
ACCEPTED = ["2xx", "3xx", 400, 401, 403, 404, 409, 412, 422]
REFUSED = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422]
CONFIG = schemathesis.Config.from_dict(
    {
        "generation": {"with-security-parameters": False},  # every case is sent with a good credential
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ACCEPTED},
            "negative_data_rejection": {"expected-statuses": REFUSED},
        },
    }
)
schema = schemathesis.openapi.from_dict(document(), config=CONFIG)


def facts(model: Any) -> dict[str, Any]:
    return {column.key: getattr(model, column.key) for column in inspect(type(model)).column_attrs}


@dataclass(frozen=True)
class Target:
    url: str
    installation: Installation
    before: list[tuple[Any, dict[str, Any]]]

    def sign_in(self) -> dict[str, str]:
        """Return the header of a new login of the administrator, whatever was done to their account meanwhile."""
        with self.installation.session() as session:
            for model, values in self.before:
                session.execute(update(model).where(model.id == values["id"]).values(values))
            self.installation.commit(session)
        owner = Client(self.installation.http, self.installation.clock, self.installation.accounts["owner"])
        return {"Authorization": f"Bearer {owner.token}"}


@pytest.fixture(scope="module")
def target(
    helpdesk_databases: Any, helpdesk_host: PluginHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """A real server on loopback, for all operations."""
    home = tmp_path_factory.mktemp("fuzzed")
    with running(helpdesk_databases, helpdesk_host, home, "fuzzed") as installation:
        config = uvicorn.Config(installation.app, port=0, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        account = installation.accounts["owner"]
        with installation.session() as session:
            rows = [session.get_one(Organization, account.organization_id), session.get_one(User, account.id)]
            before = [(type(row), facts(row)) for row in rows]
        yield Target(f"http://127.0.0.1:{port}", installation, before)
        server.should_exit = True
        thread.join()


def vanishes(value: Any) -> bool:
    """Tell whether a query parameter leaves no trace in the URL: a wrong one that is never sent is not accepted."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or (isinstance(value, dict | list) and all(vanishes(each) for each in inner))


@pytest.fixture
def credential(target: Target) -> dict[str, str]:
    return target.sign_in()


@pytest.mark.timeout(600)
@schema.parametrize()
@COMMON
def test_every_operation_answers_as_documented(
    case: schemathesis.Case, target: Target, credential: dict[str, str]
) -> None:
    assume(not any(vanishes(value) for value in (case.query or {}).values()))
    if "logout" in case.path:  # ends the login it is called with
        credential = target.sign_in()
    case.call_and_validate(base_url=target.url, headers=credential)
