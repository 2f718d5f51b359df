"""The test kit as pytest sees it: fixtures by name, in every environment that has the core installed.

pytest imports this whenever it starts there, also for projects that have nothing to do with Helpdesk. It therefore
loads nothing of the core before a test asks for a fixture.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from click.testing import Result

    from helpdesk_core.plugins import PluginHost
    from helpdesk_core.testing import (
        Check,
        Client,
        Databases,
        Installation,
        PluginConformance,
        Published,
        Scratch,
        TestClock,
    )

OPTION = "helpdesk_plugins"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that says which plugins tests see."""
    parser.addini(
        OPTION,
        "Plugins that tests see, besides the built-in ones: ids. What they require comes with them. Empty means none, "
        "left out means every installed one.",
        type="args",
        default=None,
    )


def _kit() -> Any:
    """Return the part of the kit that costs something to load."""
    return import_module("helpdesk_core.testing")


def _wanted(config: pytest.Config) -> list[str] | None:
    found: list[str] | None = config.getini(OPTION)
    return found


@pytest.fixture(scope="session")
def helpdesk_host(request: pytest.FixtureRequest) -> "PluginHost":
    """The plugins, loaded once.

    The built-in ones, and those that the option `helpdesk_plugins` names with what they require; without the option
    every installed one. A plugin that could not be loaded is among them, with the reason.

        def test_the_plugin_is_active(helpdesk_host):
            assert "oncall" in [plugin.id for plugin in helpdesk_host.active]
    """
    host: PluginHost = _kit().load_selected(_wanted(request.config))
    return host


@pytest.fixture(scope="session")
def helpdesk_databases(
    request: pytest.FixtureRequest, helpdesk_host: "PluginHost", tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Databases]":
    """Databases for tests, one at a time for each worker; other fixtures ask for them."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", f"alone_{os.getpid()}")
    databases: Databases = _kit().Databases(tmp_path_factory.mktemp("database"), helpdesk_host, worker)
    yield databases
    databases.drop()


@pytest.fixture
def installation(
    request: pytest.FixtureRequest, helpdesk_host: "PluginHost", helpdesk_databases: "Databases", tmp_path: Path
) -> "Iterator[Installation]":
    """A running helpdesk of its own, with its database, clock, files and mails.

        def test_whoever_is_on_call_is_told(installation, shift):
            installation.run_jobs()
            assert [mail.to for mail in installation.mails] == ["agent@acme.com"]

    `installation.disable("oncall")` switches a plugin off for Acme and `enable` on again, `subscribe("free")` puts Acme
    into another tier, and `installation.session(organization_id)` looks behind the API.
    """
    kit = _kit()
    kit.refuse_unusable(helpdesk_host, _wanted(request.config) or ())
    with kit.running(helpdesk_databases, helpdesk_host, tmp_path) as running:
        yield running


@pytest.fixture
def clock(installation: "Installation") -> "TestClock":
    """The clock of the installation, which stands still until it is told to move.

    def test_an_hour_passes(clock):
        before = clock.now()
        assert clock.advance(hours=1) - before == timedelta(hours=1)
    """
    return installation.clock


@pytest.fixture
def run_jobs(installation: "Installation") -> Callable[[], None]:
    """Deliver every event, and run every job, that is due.

    def test_the_handler_has_run(owner, run_jobs):
        owner.post("/rotas/", json={...})
        run_jobs()
    """
    return installation.run_jobs


@pytest.fixture
def run_schedules(installation: "Installation") -> Callable[[], None]:
    """Run what its schedule says to have been due since it last ran, and everything that follows from it.

    def test_shifts_begin_by_themselves(clock, run_schedules):
        clock.advance(minutes=5)
        run_schedules()
    """
    return installation.run_schedules


@pytest.fixture
def events(installation: "Installation") -> "Published":
    """What has been published since the test asked for this: a list of `(type, payload)`, the oldest first.

        def test_a_shift_is_announced(events, owner):
            owner.post("/rotas/", json={...})
            assert [payload["shift_id"] for payload in events.of("oncall.shift_planned")] == [1]

    It is up to date whenever it is looked at; `events.clear()` begins anew.
    """
    published: Published = _kit().Published(installation)
    return published


@pytest.fixture
def migrate(helpdesk_host: "PluginHost", helpdesk_databases: "Databases") -> "Scratch":
    """An empty database, in which the migrations of a plugin are done and undone.

        def test_the_second_revision_keeps_shifts(migrate):
            migrate.up("oncall", "0001")
            ...
            migrate.up("oncall")
            migrate.down("oncall")
            assert migrate.tables("oncall") == []

    What the plugin requires is brought to its newest revision first. `migrate.url` is for an engine of one's own.
    """
    scratch: Scratch = _kit().Scratch(helpdesk_databases.empty("scratch"), helpdesk_host)
    return scratch


@pytest.fixture
def helpdesk(
    request: pytest.FixtureRequest, installation: "Installation", monkeypatch: pytest.MonkeyPatch
) -> "Iterator[Callable[..., Result]]":
    """The command `helpdesk`, as a function, for the installation of the test.

        def test_the_rota_can_be_printed(helpdesk):
            result = helpdesk("rota", "--week", "10")
            assert (result.exit_code, result.stdout) == (0, "nobody")

    What it returns is a `Result` of `click.testing`; an exception that the command does not expect fails the test.
    """
    for name, value in _kit().environment(installation, _wanted(request.config)).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(installation.parts.settings.home)
    main, runner = import_module("helpdesk_core.cli").main, import_module("click.testing").CliRunner()

    def run(*arguments: str, **options: Any) -> "Result":
        used = import_module("helpdesk_core.cli.installation").Installation()
        result: Result = runner.invoke(main, arguments, obj=used, **options)
        if "parts" in vars(used):  # what the end of the process would do
            used.services.database.dispose()
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    with logging_put_back():
        yield run


@contextmanager
def logging_put_back() -> Iterator[None]:
    """Undo afterwards what commands change of the logging of this process."""
    root, access = logging.getLogger(), logging.getLogger("uvicorn.access")
    handlers, level, silent = root.handlers[:], root.level, access.disabled
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        access.disabled = silent
        logging.disable(logging.NOTSET)
        logging.captureWarnings(capture=False)
        logging.logThreads = logging.logProcesses = logging.logMultiprocessing = True


@pytest.fixture
def owner(installation: "Installation") -> "Client":
    """The administrator of Acme.

    def test_the_owner_sees_acme(owner):
        assert owner.get("/organizations/").json()["count"] == 1
    """
    return installation.client("owner")


@pytest.fixture
def agent(installation: "Installation") -> "Client":
    """An agent of Acme.

    def test_agents_answer_tickets(agent):
        assert agent.user.role == "agent"
    """
    return installation.client("agent")


@pytest.fixture
def technician(installation: "Installation") -> "Client":
    """A technician of Acme.

    def test_technicians_go_out(technician):
        assert technician.user.role == "technician"
    """
    return installation.client("technician")


@pytest.fixture
def member(installation: "Installation") -> "Client":
    """A customer of Acme.

    def test_members_ask(member):
        assert member.user.role == "customer"
    """
    return installation.client("member")


@pytest.fixture
def second_member(installation: "Installation") -> "Client":
    """Another customer of Acme, who must not see what is the first one's.

    def test_members_are_two(member, second_member):
        assert member.user.id != second_member.user.id
    """
    return installation.client("second_member")


@pytest.fixture
def outsider(installation: "Installation") -> "Client":
    """The administrator of another organisation, who must not see anything of Acme's.

    def test_the_outsider_finds_no_colleague_of_the_owner(outsider, owner):
        assert outsider.get(f"/users/{owner.user.id}/").status_code == 404
    """
    return installation.client("outsider")


@pytest.fixture
def anonymous(installation: "Installation") -> "Client":
    """Somebody without an account.

    def test_strangers_see_no_users(anonymous):
        assert anonymous.get("/users/").status_code == 401
    """
    return installation.client("anonymous")


@pytest.fixture
def helpdesk_conformance(
    request: pytest.FixtureRequest, helpdesk_host: "PluginHost", tmp_path: Path
) -> "Callable[[type[PluginConformance], Check], None]":
    """Run one check of the conformance suite; `PluginConformance` asks for it."""

    def databases() -> "Databases":
        found: Databases = request.getfixturevalue("helpdesk_databases")
        return found

    def run(suite: "type[PluginConformance]", check: "Check") -> None:
        kit = _kit()
        if check.name in suite.exceptions:
            pytest.skip(suite.exceptions[check.name])
        outcome = kit.outcome_of(check, suite.plugin, helpdesk_host, databases, tmp_path)
        if outcome.verdict == kit.NOT_APPLICABLE:
            pytest.skip(outcome.text)
        if outcome.verdict == kit.WRONG:
            pytest.fail(outcome.text, pytrace=False)

    return run
