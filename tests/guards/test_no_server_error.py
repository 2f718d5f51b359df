"""Whatever the OpenAPI document allows, and what it forbids, is answered as documented and never crashed on."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings, strategies
from hypothesis.stateful import Bundle, initialize
from schemathesis.generation import GenerationMode
from schemathesis.generation.stateful.state_machine import StepInput, StepOutput
from schemathesis.schemas import APIOperation
from sqlalchemy import inspect, update

from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.assembly import declared_endpoints
from helpdesk_core.plugins import PluginHost, load_plugins
from helpdesk_core.settings import Settings
from helpdesk_core.testing import Client, Installation, running
from helpdesk_core.web.openapi import build_document

EXAMPLES = int(os.environ.get("HELPDESK_TEST_EXAMPLES", "20"))
"""For each operation; what they take is half of the suite's time, and a few hundred are worth an hour now and then."""

COMMON = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
TOLD = settings(COMMON, max_examples=max(EXAMPLES // 4, 5), stateful_step_count=12, phases=[Phase.generate])
"""How many stories are told of each kind of thing that can be created, and how long they are."""


def document() -> dict[str, Any]:
    """Return the OpenAPI document; made when tests are collected, so that each operation is a test of its own."""
    host = load_plugins()
    return build_document(declared_endpoints(host), host, Settings())


# A body may fit its schema and still name a row that does not exist (400, as everywhere for references in bodies), or
# not fit the state (422); a schema cannot tell.
ACCEPTED = ["2xx", "3xx", 400, 401, 403, 404, 409, 412, 422, 429]
REFUSED = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429]
CONFIG = schemathesis.Config.from_dict(
    {
        "generation": {"with-security-parameters": False},  # every case is sent with a good credential
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ACCEPTED},
            "negative_data_rejection": {"expected-statuses": REFUSED},
        },
        # What is still there once it is deleted: the closed account of a user, to be looked at and to be opened again,
        # and the words that a plugin gives a template, where an organisation's own were deleted.
        "operations": [
            {"include-path-regex": rf"^/api/v1/{path}/", "checks": {"use_after_free": {"enabled": False}}}
            for path in (r"users/\{user_id\}", r"notification-templates/\{name\}")
        ],
    }
)
DOCUMENT = document()
schema = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)


def creating() -> Iterator[APIOperation]:
    """Iterate over what creates a resource from a body, which other operations then work on."""
    for path, operations in DOCUMENT["paths"].items():
        post = operations.get("post", {})
        body = post.get("requestBody", {}).get("content", {}).get("application/json")
        if body and "links" in post["responses"].get("201", {}):
            yield schema[path]["POST"]


def least(operation: APIOperation, body: dict[str, Any]) -> dict[str, Any]:
    """Return what is required of a body alone: most of what may be added names rows that do not exist."""
    content = DOCUMENT["paths"][operation.path]["post"]["requestBody"]["content"]["application/json"]
    declared = DOCUMENT["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    spellings = [[each["required"][0] for each in rule["anyOf"]] for rule in declared.get("allOf", ())]
    required = [*declared.get("required", ()), *(next(name for name in names if name in body) for names in spellings)]
    return {name: body[name] for name in required}


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


class Server(uvicorn.Server):
    """A real server on loopback, for one installation after the other."""

    def __init__(self) -> None:
        options: dict[str, Any] = {"port": 0, "log_config": None, "access_log": False, "lifespan": "off"}
        super().__init__(uvicorn.Config(self.serve_present, interface="asgi3", **options))
        self.present: Installation | None = None
        self.listens = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    async def serve_present(self, scope: Any, receive: Any, send: Any) -> None:
        await self.present.app(scope, receive, send)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.listens.wait(timeout=30)
    yield server
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def fuzzed(
    server: Server, helpdesk_databases: Any, helpdesk_host: PluginHost, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], AbstractContextManager[Target]]:
    """Return what runs a fresh installation behind the server."""
    home = tmp_path_factory.mktemp("fuzzed")

    @contextmanager
    def begin() -> Iterator[Target]:
        with running(helpdesk_databases, helpdesk_host, home, "fuzzed") as installation:
            server.present = installation
            account = installation.accounts["owner"]
            with installation.session() as session:
                rows = [session.get_one(Organization, account.organization_id), session.get_one(User, account.id)]
                before = [(type(row), facts(row)) for row in rows]
            yield Target(server.url, installation, before)

    return begin


@pytest.fixture
def target(fuzzed: Callable[[], AbstractContextManager[Target]]) -> Iterator[Target]:
    """An installation for all examples of one operation."""
    with fuzzed() as target:
        yield target


def vanishes(value: Any) -> bool:
    """Tell whether a query parameter leaves no trace in the URL: a wrong one that is never sent is not accepted."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or (isinstance(value, dict | list) and all(vanishes(each) for each in inner))


@schema.hook
def filter_query(context: schemathesis.HookContext, query: dict[str, Any] | None) -> bool:
    return not any(vanishes(value) for value in (query or {}).values())


@pytest.fixture
def credential(target: Target) -> dict[str, str]:
    return target.sign_in()


@pytest.mark.timeout(600)
@schema.parametrize()
@COMMON
def test_every_operation_answers_as_documented(
    case: schemathesis.Case, target: Target, credential: dict[str, str]
) -> None:
    if "logout" in case.path:  # ends the login it is called with
        credential = target.sign_in()
    case.call_and_validate(base_url=target.url, headers=credential)


class Stories(schema.as_state_machine()):  # type: ignore[misc]
    """What is created is worked on, along the document's links: answers must fit what happened before as well.

    Every story begins with the same data, or Hypothesis could not tell one from another.
    """

    begin: ClassVar[Callable[[], AbstractContextManager[Target]]]
    first: ClassVar[APIOperation]

    def setup(self) -> None:
        self.running = ExitStack()
        self.target = self.running.enter_context(self.begin())
        self.credential = self.target.sign_in()

    def teardown(self) -> None:
        self.running.close()

    @initialize(target=Bundle("catch_all"), data=strategies.data())
    def create(self, data: Any) -> StepOutput | None:
        case = data.draw(self.first.as_strategy(generation_mode=GenerationMode.POSITIVE))
        case.body = least(self.first, case.body)
        self.recorder.record_case(case=case)
        self.control.record_step(StepInput.initial(case), self.recorder)
        return self._step(StepInput.initial(case))

    def before_call(self, case: schemathesis.Case) -> None:
        if "logout" in case.path:
            self.credential = self.target.sign_in()

    def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
        return {"base_url": self.target.url, "headers": self.credential}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("operation", list(creating()), ids=lambda operation: operation.path)
def test_what_is_done_with_something_new_is_answered_as_documented(
    operation: APIOperation, fuzzed: Callable[[], AbstractContextManager[Target]]
) -> None:
    class TheseStories(Stories):
        begin = staticmethod(fuzzed)
        first = operation

    TheseStories.run(settings=TOLD)
