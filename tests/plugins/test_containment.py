"""Whatever is wrong with one plugin: the host answers, the others stay active, the culprit is named with its phase."""

import json
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest
from click.testing import CliRunner

from helpdesk_core.cli import main
from helpdesk_core.plugins import PluginHealth, discovery, load_plugins
from helpdesk_core.pytest_plugin import logging_put_back
from helpdesk_core.testing import running
from tests.contract.steps import refused, served

API = "from helpdesk_core.api import *\nfrom helpdesk_core.api import hookimpl\n"
HOOK = "\n@hookimpl\ndef {name}(): {body}\n"


def hook(name, body, before=""):
    return f"{API}{before}{HOOK.format(name=name, body=body)}"


SOUND = """
from helpdesk_core.api import ROLES, Context, Message, Permission, Router, hookimpl

USE = Permission("able:use", "Use it", ROLES)
router = Router("able", tag="Able")


@router.get("/", permission=USE)
def answer(ctx: Context) -> Message:
    '''Answers.'''
    return Message(message="well")


@hookimpl
def register_routes():
    return [router]


@hookimpl
def register_permissions():
    return [USE]
"""

MODEL = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
class Base(DeclarativeBase):
    metadata = metadata
class Thing(Base, TenantScoped):
    __tablename__ = "{table}"
    id: Mapped[int] = mapped_column(primary_key=True)
    {more}
"""

TWICE = """
router = Router("bad", tag="Bad")
def answer(ctx: Context) -> Message:
    "Answers."
for _ in range(2):
    router.get("/", public=True)(answer)
"""


@dataclass(frozen=True)
class Fault:
    """One mistake: the code, or the manifest, that makes it, and what is told of it."""

    told: str
    phase: str | None = "manifest"
    code: str = ""
    manifest: str | None = None
    more: str = ""


def named(**lines):
    return "".join(
        f"{name} = {json.dumps(value)}\n" for name, value in {"id": "bad", "name": "Bad", "api": 1, **lines}.items()
    )


FAULTS = {
    "manifest is no TOML": Fault("cannot be read", manifest="id = "),
    "manifest has an unknown key": Fault("colour", manifest=named(colour="red")),
    "manifest has another id": Fault("the entry point is called 'bad'", manifest=named(id="other")),
    "written for another contract": Fault("written for plugin contract 99", manifest=named(api=99)),
    "written for another core": Fault("needs core >=900", manifest=named(core=">=900")),
    "requires what is missing": Fault("requires missing", manifest=named(requires=["missing"])),
    "requires itself": Fault("circular dependency: bad -> bad", manifest=named(requires=["bad"])),
    "imports what is missing": Fault("ModuleNotFoundError", "import", "import nothing_of_that_name"),
    "raises when imported": Fault("ZeroDivisionError", "import", "1 / 0"),
    "exits when imported": Fault("SystemExit: 3", "import", "import sys\nsys.exit(3)"),
    "hangs when imported": Fault("TookTooLong", "import", "while True: pass"),
    "is no Python": Fault("SyntaxError", "import", "def ("),
    "misspells a hook": Fault("did you mean register_routes?", "registration", hook("register_rotes", "return []")),
    "takes what a hook does not give": Fault(
        "PluginValidationError", "registration", f"{API}@hookimpl\ndef register_routes(app): return []"
    ),
    "has a coroutine for a hook": Fault(
        "coroutine function", "registration", f"{API}@hookimpl\nasync def register_routes(): return []"
    ),
    "has a coroutine for a hook of its life": Fault(
        "coroutine function", "registration", f"{API}@hookimpl\nasync def on_enable(ctx): pass"
    ),
    "wraps a hook": Fault(
        "is a wrapper", "registration", f"{API}@hookimpl(wrapper=True)\ndef register_routes(): return (yield)"
    ),
    "returns no list": Fault("must return a list", "registration", hook("register_routes", "return None")),
    "returns what is no router": Fault("AttributeError", "registration", hook("register_routes", "return [1]")),
    "raises in a hook": Fault("KeyError", "registration", hook("register_events", "raise KeyError('x')")),
    "exits in a hook": Fault("SystemExit", "registration", hook("register_events", "raise SystemExit(0)")),
    "hangs in a hook": Fault(
        "TookTooLong", "registration", hook("register_events", "\n    while True: pass")
    ),
    "has a broken mapper": Fault(
        "InvalidRequestError", "registration",
        hook("register_models", "return [Base]",
             MODEL.format(table="bad_thing", more='other: Mapped["Nobody"] = relationship()')),
    ),
    "has a table of another's name": Fault(
        "must be called bad_", "registration",
        hook("register_models", "return [Base]", MODEL.format(table="core_thing", more="")),
    ),
    "takes a prefix of another": Fault("'able' is already able's", "registration", manifest=named(prefixes=["able"])),
    "takes a prefix of the core": Fault(
        "'users' is already accounts's", "registration", manifest=named(prefixes=["users"])
    ),
    "has a permission of another's name": Fault(
        "must be called bad:", "registration", hook("register_permissions", "return [Permission('able:use', 'x')]")
    ),
    "has a permission twice": Fault(
        "bad:x is the name of more than one permission", "registration",
        hook("register_permissions", "return [Permission('bad:x', 'x'), Permission('bad:x', 'y')]"),
    ),
    "has an endpoint twice": Fault(
        "GET /bad/ is declared twice", "registration", hook("register_routes", "return [router]", TWICE)
    ),
    "would let people in": Fault(
        "only a plugin of the scope system", "registration", hook("register_authenticators", "return [print]")
    ),
    "has a setting without a default": Fault(
        "ValidationError", "registration",
        hook("register_organization_settings", "return [Bad]", "class Bad(Schema):\n    days: int\n"),
    ),
}  # fmt: skip


@pytest.fixture(params=FAULTS.values(), ids=FAULTS.keys())
def fault(request, write_plugin):
    """A sound plugin, and one with a mistake."""
    write_plugin("able", SOUND)
    write_plugin("bad", code=request.param.code, manifest=request.param.manifest, more=request.param.more)
    return request.param


def test_a_mistake_costs_nobody_else(fault, helpdesk_databases, tmp_path):
    host = load_plugins(seconds=0.2)
    with running(helpdesk_databases, host, tmp_path) as installation:
        served(installation.client("member").get("/able/"))
        answer = installation.http.get("/healthz")
        (told,) = (each for each in served(answer)["plugins"] if each["id"] == "bad")
        served(installation.http.get("/api/openapi.json"))
    assert fault.told in told["reason"]
    assert told["phase"] == fault.phase
    assert "able" in [plugin.id for plugin in host.active]


def test_in_strict_mode_it_ends_the_command(fault, monkeypatch, tmp_path):
    monkeypatch.setenv("HELPDESK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HELPDESK_PLUGIN_START_SECONDS", "0.2")
    with logging_put_back():
        shown = CliRunner().invoke(main, ["plugin", "list", "--json"])
        strict = CliRunner().invoke(main, ["--strict-plugins", "openapi"])
    (row,) = (row for row in json.loads(shown.stdout) if row["id"] == "bad")
    assert fault.told in row["reason"]
    assert (strict.exit_code, "plugin bad" in strict.stderr) == (1, True)


def test_two_packages_of_one_name_are_both_refused(write_plugin, monkeypatch):
    write_plugin("bad")
    entries = [*discovery.entry_points(group=""), EntryPoint("bad", "sample_other", discovery.ENTRY_POINTS)]
    monkeypatch.setattr(discovery, "entry_points", lambda group: entries)
    (found,) = (plugin for plugin in load_plugins().plugins if plugin.id == "bad")
    assert (found.state, found.phase) == ("invalid", "manifest")
    assert found.reason == "sample_bad and sample_other both call themselves 'bad'; uninstall one"


def test_nobody_can_stand_in_for_a_plugin_of_the_core(write_plugin):
    write_plugin("accounts", "raise SystemExit(9)")
    first, *_, impostor = load_plugins().plugins
    assert (first.package, first.state) == ("helpdesk_core.accounts", "active")
    assert (impostor.package, impostor.state) == ("sample_accounts", "invalid")
    assert impostor.reason == "accounts is a plugin of the core"


RUNNING = """
from datetime import timedelta
from typing import ClassVar
import click
from helpdesk_core.api import *
from helpdesk_core.api import hookimpl

USE = Permission("bad:use", "Use it", ROLES)
router = Router("bad", tag="Bad")
pages = Router("bad", tag="Bad")


class Happened_(Event):
    "It did."

    type: ClassVar[str] = "bad.happened"
    fails_within: bool = False


def fail(ctx=None, *_, **__):
    FAULT


@router.get("/raises/", permission=USE)
def raises(ctx: Context) -> Message:
    "Raises."
    return fail()


@router.get("/unserialisable/", permission=USE)
def unserialisable(ctx: Context) -> Message:
    "Returns what is no answer."
    return object()


@router.post("/publishes/", permission=USE)
def publishes(ctx: Context) -> Message:
    "Publishes."
    publish(ctx.session, Happened_())
    enqueue(ctx.session, work)
    return Message(message="published")


@router.post("/within/", permission=USE)
def within(ctx: Context) -> Message:
    "Publishes what fails at once."
    publish(ctx.session, Happened_(fails_within=True))
    return Message(message="published")


@pages.get("/", public=True)
def page(ctx: Context) -> Html:
    "A page."
    return Html("bad/broken.html", {"fail": fail})


@on(Happened_)
def handle(ctx: HandlerContext, event: Happened_) -> None:
    fail()


@on(Happened_, within=True, name="inside")
def inside(ctx: HandlerContext, event: Happened_) -> None:
    if event.fails_within:
        fail()


@job()
def work(ctx: JobContext) -> None:
    fail()


@job(schedule="* * * * *")
def sweep(ctx: JobContext) -> None:
    fail()


@click.command("spoil")
def spoil():
    fail()


@hookimpl
def register_routes():
    return [router]


@hookimpl
def register_pages():
    return [pages]


@hookimpl
def register_permissions():
    return [USE]


@hookimpl
def register_events():
    return [Happened_]


@hookimpl
def register_event_handlers():
    return [handle, inside]


@hookimpl
def register_jobs():
    return [work, sweep]


@hookimpl
def register_commands():
    return [spoil]
"""


@pytest.fixture(params=["raise KeyError('x')", "raise SystemExit(3)", "raise RecursionError", "assert False"])
def host(request, write_plugin):
    """A sound plugin, and one of which everything fails while it runs."""
    write_plugin("able", SOUND)
    write_plugin("bad", RUNNING.replace("FAULT", request.param), more='pages = ["bad"]\n')
    host = load_plugins()
    bad = next(plugin for plugin in host.plugins if plugin.id == "bad")
    assert bad.state == "active", bad.reason
    (bad.folder / "templates").mkdir()
    (bad.folder / "templates" / "broken.html").write_text("{{ fail() }}")
    return host


@pytest.fixture
def installation(host, helpdesk_databases, tmp_path):
    with running(helpdesk_databases, host, tmp_path) as installation:
        yield installation


def fail_in_request(installation, member):
    refused(member.get("/bad/raises/"), 500)


def answer_with_nonsense(installation, member):
    refused(member.get("/bad/unserialisable/"), 500)


def fail_in_page(installation, member):
    assert installation.http.get("/bad/").status_code == 500


def fail_within(installation, member):
    refused(member.post("/bad/within/"), 500)
    assert not [kind for kind, _ in installation.events() if kind == "bad.happened"]


def fail_in_handler_and_job(installation, member):
    served(member.post("/bad/publishes/"))
    installation.run_jobs()


def fail_on_schedule(installation, member):
    installation.run_schedules()


@pytest.mark.parametrize(
    ("act", "phases"),
    [
        (fail_in_request, {"request"}),
        (answer_with_nonsense, {"request"}),
        (fail_in_page, {"page"}),
        (fail_within, {"event"}),
        (fail_in_handler_and_job, {"event", "job"}),
        (fail_on_schedule, {"job"}),
    ],
)
def test_a_failure_while_it_runs_is_the_plugins_alone(installation, member, platform, act, phases):
    act(installation, member)
    served(member.get("/able/"))
    served(member.get("/users/profile/"))
    installation.parts.services.get(PluginHealth).refresh()
    (found,) = (each for each in served(platform.get("/plugins/")) if each["id"] == "bad")
    assert {fault["phase"] for fault in found["faults"]} == phases
    assert all("plugin.py" in fault["reason"] or "at " in fault["reason"] for fault in found["faults"])


def test_a_failing_command_is_told_in_a_sentence(host, installation, monkeypatch, tmp_path):
    monkeypatch.setenv("HELPDESK_HOME", str(tmp_path / "home"))
    with logging_put_back():
        told = CliRunner().invoke(main, ["spoil"])
    if told.exit_code == 3:
        return  # a command may exit
    assert (told.exit_code, "plugin bad failed at command" in told.stderr) == (1, True)


@pytest.fixture
def helpdesk(monkeypatch, tmp_path):
    """Run commands on an installation of their own."""
    for name, value in {"HOME": tmp_path / "home", "DATABASE_URL": f"sqlite:///{tmp_path}/commands.db"}.items():
        monkeypatch.setenv(f"HELPDESK_{name}", str(value))
    with logging_put_back():
        yield lambda *arguments: CliRunner().invoke(main, arguments)


def test_operators_see_which_commands_failed(write_plugin, helpdesk):
    write_plugin("bad", RUNNING.replace("FAULT", "raise KeyError('x')").replace("return [pages]", "return []"))
    assert helpdesk("migrate").exit_code == 0
    helpdesk("spoil")
    (row,) = (row for row in json.loads(helpdesk("plugin", "list", "--json").stdout) if row["id"] == "bad")
    assert [(fault["phase"], fault["times"]) for fault in row["faults"]] == [("command", 1)]


REVISION = """
from alembic import op
import sqlalchemy as sa

revision = "0001"
down_revision = None


def upgrade():
    op.create_table("{id}_thing", sa.Column("id", sa.Integer(), primary_key=True))
    {fault}


def downgrade():
    op.drop_table("{id}_thing")
"""


def test_a_broken_migration_is_named_and_keeps_only_those_waiting_that_need_it(write_plugin, helpdesk, tmp_path):
    for id, fault, more in (
        ("able", "", ""), ("bad", "1 / 0", ""), ("behind", "", 'requires = ["bad"]\n'), ("last", "", ""),
    ):  # fmt: skip
        write_plugin(id, more=more)
        folder = tmp_path / f"sample_{id}" / "migrations"
        folder.mkdir()
        (folder / "0001.py").write_text(REVISION.format(id=id, fault=fault))
    told = helpdesk("migrate")
    assert told.exit_code == 1
    assert "bad: ZeroDivisionError" in told.stderr
    assert "behind: waits for bad" in told.stderr
    assert [line.partition(":")[0] for line in told.stdout.splitlines()] == ["core", "able", "last"]
    rows = {row["id"]: row for row in json.loads(helpdesk("plugin", "list", "--json").stdout)}
    assert (rows["bad"]["state"], rows["bad"]["phase"]) == ("needs_migration", "migration")
    assert (rows["behind"]["state"], rows["able"]["state"]) == ("needs_migration", "active")
    assert helpdesk("--strict-plugins", "plugin", "list").exit_code == 1


@pytest.mark.parametrize("hook", ["register_services", "register_authenticators"])
def test_what_cannot_be_made_at_start_takes_its_plugin_out(hook, write_plugin, helpdesk_databases, tmp_path):
    write_plugin("able", SOUND)
    code = f"{API}def broken(*_): raise OSError('no way')\n{HOOK.format(name=hook, body='return [broken]')}"
    write_plugin("bad", code, more='scope = "system"\n')
    with running(helpdesk_databases, load_plugins(), tmp_path) as installation:
        served(installation.client("member").get("/able/"))
        (told,) = (each for each in served(installation.http.get("/healthz"))["plugins"] if each["id"] == "bad")
    assert (told["state"], told["phase"], told["reason"]) == ("failed", "start", "OSError: no way")


def test_an_authenticator_that_fails_finds_nobody_and_keeps_nobody_out(write_plugin, helpdesk_databases, tmp_path):
    code = "def ask(session, incoming): raise OSError('no way')\ndef make(services): return ask\n"
    code = API + code + HOOK.format(name="register_authenticators", body="return [make]")
    write_plugin("bad", code, more='scope = "system"\n')
    with running(helpdesk_databases, load_plugins(), tmp_path) as installation:
        served(installation.client("member").get("/users/profile/"))
        refused(installation.client("anonymous").get("/users/profile/"), 401)
