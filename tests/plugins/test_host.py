"""One plugin's mistake is that plugin's alone, and the host says whose and where."""

import pytest

from helpdesk_core.database import metadata
from helpdesk_core.plugins import Plugin, PluginHost, State, load_plugins
from helpdesk_core.plugins.discovery import BUILT_IN
from tests.plugins.conftest import WritePlugin

HOOK = "from helpdesk_core.api import hookimpl\n"


def plugin(host: PluginHost, id: str) -> Plugin:
    return next(plugin for plugin in host.plugins if plugin.id == id)


def test_a_sound_plugin_is_active_after_those_it_requires(write_plugin: WritePlugin) -> None:
    write_plugin("alpha", more='requires = ["omega"]\n')
    write_plugin("omega")
    assert [plugin.id for plugin in load_plugins().active] == [
        "accounts",
        "changefeed",
        "notifications",
        "omega",
        "alpha",
    ]


def test_only_wanted_plugins_are_looked_at(write_plugin: WritePlugin) -> None:
    write_plugin("alpha")
    left_out = plugin(load_plugins(()), "alpha")
    assert [plugin.id for plugin in load_plugins(()).active] == list(BUILT_IN)
    assert (left_out.state, left_out.reason) == (State.DISCOVERED, "left out by HELPDESK_PLUGINS")
    assert plugin(load_plugins(("nowhere",)), "nowhere").reason == "no plugin 'nowhere' is installed"


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("id = ", "plugin.toml cannot be read"),
        ('id = "bad"\nname = "x"\napi = 1\ncolour = 1\n', "colour"),
        ('id = "Bad_Id"\nname = "x"\napi = 1\n', "id:"),
        ('id = "other"\nname = "x"\napi = 1\n', "the entry point is called 'bad'"),
        ('id = "bad"\nname = "x"\napi = 99\n', "written for plugin contract 99"),
        ('id = "bad"\nname = "x"\napi = 1\ncore = ">=900"\n', "needs core >=900"),
        ('id = "bad"\nname = "x"\napi = 1\ncore = "what"\n', "core:"),
        ('id = "bad"\nname = "x"\napi = 1\nprefixes = ["a/b"]\n', "path segment"),
        ('id = "bad"\nname = "x"\napi = 1\nprefixes = ["meta"]\n', "path segment"),
        ('id = "bad"\nname = "x"\napi = 1\nrequires = ["missing"]\n', "requires missing"),
    ],
)
def test_a_bad_manifest_is_told_and_no_code_of_it_runs(write_plugin: WritePlugin, manifest: str, reason: str) -> None:
    write_plugin("bad", code="raise SystemExit(9)", manifest=manifest)
    write_plugin("good")
    host = load_plugins()
    assert reason in (plugin(host, "bad").reason or "")
    assert plugin(host, "bad").state in {State.INVALID, State.INCOMPATIBLE, State.BLOCKED}
    assert plugin(host, "good").state is State.ACTIVE


@pytest.mark.parametrize(
    ("code", "phase", "reason"),
    [
        ("import nothing_of_that_name", "import", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "import", "SystemExit"),
        ("def (", "import", "SyntaxError"),
        (HOOK + "@hookimpl\ndef register_rotes(): return []", "registration", "no hook called register_rotes"),
        (HOOK + "@hookimpl\ndef register_routes(app): return []", "registration", "PluginValidationError"),
        (HOOK + "@hookimpl\nasync def register_routes(): return []", "registration", "coroutine"),
        (HOOK + "@hookimpl\ndef register_routes(): return None", "registration", "must return a list"),
        (HOOK + "@hookimpl\ndef register_routes(): raise ValueError('broken')", "registration", "broken"),
        (
            HOOK + "from helpdesk_core.api import Router\n@hookimpl\ndef register_routes(): return [Router('x', 'X')]",
            "registration",
            "prefix 'x' is not in the manifest",
        ),
        (
            HOOK + "from helpdesk_core.api import Permission\n"
            "@hookimpl\ndef register_permissions(): return [Permission('accounts:x', 'x')]",
            "registration",
            "must be called bad:",
        ),
        (
            HOOK + "from helpdesk_core.api import Schema\n"
            "class Bad(Schema):\n    days: int\n"
            "@hookimpl\ndef register_organization_settings(): return [Bad]",
            "registration",
            "days",
        ),
    ],
)
def test_a_fault_is_contained_and_named_with_its_phase(
    write_plugin: WritePlugin, code: str, phase: str, reason: str
) -> None:
    write_plugin("bad", code=code)
    write_plugin("good")
    host = load_plugins()
    failed = plugin(host, "bad")
    assert (failed.state, failed.phase) == (State.FAILED, phase)
    assert reason in (failed.reason or "")
    assert plugin(host, "good").state is State.ACTIVE


def test_who_requires_a_failed_plugin_is_blocked(write_plugin: WritePlugin) -> None:
    write_plugin("bad", code="raise ValueError")
    write_plugin("child", more='requires = ["bad"]\n')
    blocked = plugin(load_plugins(), "child")
    assert (blocked.state, blocked.reason) == (State.BLOCKED, "requires bad, which failed")


def test_a_circle_is_told(write_plugin: WritePlugin) -> None:
    write_plugin("alpha", more='requires = ["omega"]\n')
    write_plugin("omega", more='requires = ["alpha"]\n')
    write_plugin("good")
    host = load_plugins()
    assert "circular dependency" in (plugin(host, "alpha").reason or "")
    assert plugin(host, "good").state is State.ACTIVE


def test_two_claims_to_one_prefix_name_both(write_plugin: WritePlugin) -> None:
    write_plugin("alpha", manifest='id = "alpha"\nname = "x"\napi = 1\nprefixes = ["things"]\n')
    write_plugin("omega", manifest='id = "omega"\nname = "x"\napi = 1\nprefixes = ["things"]\n')
    assert plugin(load_plugins(), "omega").reason is not None
    assert "'things' is already alpha's" in (plugin(load_plugins(), "omega").reason or "")


def test_a_failed_plugin_leaves_no_table_behind(write_plugin: WritePlugin) -> None:
    code = HOOK + (
        "from helpdesk_core.api import metadata\n"
        "from sqlalchemy import Column, Integer, Table\n"
        "Table('elsewhere_thing', metadata, Column('id', Integer, primary_key=True))\n"
    )
    write_plugin("bad", code=code)
    failed = plugin(load_plugins(), "bad")
    assert "must be called bad_" in (failed.reason or "")
    assert "elsewhere_thing" not in metadata.tables


def test_no_plugin_takes_a_setting_of_the_core(write_plugin: WritePlugin) -> None:
    code = HOOK + (
        "from helpdesk_core.api import Schema\n"
        "class Language(Schema):\n    spoken: bool = True\n"
        "@hookimpl\ndef register_organization_settings(): return [Language]"
    )
    write_plugin("language", code=code)
    write_plugin("spoken", code=code)
    host = load_plugins()
    assert "'language' is already accounts's" in (plugin(host, "language").reason or "")
    assert host.organization_settings.effective({})["spoken"] == {"spoken": True}
    assert "language" in host.organization_settings.effective({})


def test_what_has_every_attribute_is_no_hook(write_plugin: WritePlugin) -> None:
    write_plugin("counts", code="from sqlalchemy import func\n")
    assert plugin(load_plugins(), "counts").state is State.ACTIVE
