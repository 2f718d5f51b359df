"""Plugins let each other contribute, by hooks that one of them declares."""

from pathlib import Path

import pytest

from helpdesk_core.plugins import Contributions, PluginHost, State, load_plugins
from tests.plugins.conftest import WritePlugin

DECLARES = """
from helpdesk_core.api import hookimpl
from sample_pager import hooks

@hookimpl
def register_hookspecs():
    return [hooks]

@hookimpl(optionalhook=True)
def register_pagers():
    return ["bell"]
"""
HOOKS = """
from helpdesk_core.api import hookspec

@hookspec
def register_pagers():
    '''Return what can page somebody.'''
"""
CONTRIBUTES = """
from helpdesk_core.api import hookimpl

@hookimpl(optionalhook=True)
def register_{name}():
    return ["horn"]
"""


@pytest.fixture
def pager(write_plugin: WritePlugin, tmp_path: Path) -> str:
    """A plugin that declares a hook and implements it itself."""
    name = write_plugin("pager", code=DECLARES)
    (tmp_path / "sample_pager" / "hooks.py").write_text(HOOKS)
    return name


def contributed(host: PluginHost) -> list[tuple[str, object]]:
    return Contributions(host, lambda _: ("free", frozenset())).all("register_pagers")


def test_contributions_come_in_plugin_order_wherever_the_hook_is_declared(
    write_plugin: WritePlugin, pager: str
) -> None:
    write_plugin("alpha", code=CONTRIBUTES.format(name="pagers"))
    write_plugin("zebra", code=CONTRIBUTES.format(name="pagers"))
    assert contributed(load_plugins()) == [("alpha", "horn"), (pager, "bell"), ("zebra", "horn")]


def test_a_hook_of_a_plugin_that_is_not_there_is_no_mistake(write_plugin: WritePlugin) -> None:
    write_plugin("alpha", code=CONTRIBUTES.format(name="pagers"))
    host = load_plugins()
    assert [plugin.state for plugin in host.plugins if plugin.id == "alpha"] == [State.ACTIVE]
    assert contributed(host) == []


@pytest.mark.usefixtures("pager")
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (CONTRIBUTES.format(name="pager"), "did you mean register_pagers?"),
        (CONTRIBUTES.format(name="pagers").replace('["horn"]', "None"), "must return a list"),
        (CONTRIBUTES.format(name="pagers").replace('["horn"]', "1 / 0"), "ZeroDivisionError"),
        (CONTRIBUTES.format(name="pagers").replace("def", "async def"), "coroutine"),
    ],
)
def test_a_bad_contribution_is_its_plugins_failure_alone(write_plugin: WritePlugin, code: str, reason: str) -> None:
    write_plugin("alpha", code=code)
    host = load_plugins()
    alpha = next(plugin for plugin in host.plugins if plugin.id == "alpha")
    assert (alpha.state, alpha.phase) == (State.FAILED, "registration")
    assert reason in (alpha.reason or "")
    assert contributed(host) == [("pager", "bell")]


def test_two_handlers_of_one_name_are_refused(write_plugin: WritePlugin) -> None:
    code = """
from helpdesk_core.api import Event, hookimpl, on

def tell(ctx, event): ...

@hookimpl
def register_event_handlers():
    return [on(Event)(tell), on(Event)(tell)]
"""
    write_plugin("alpha", code=code)
    (alpha,) = (plugin for plugin in load_plugins().plugins if plugin.id == "alpha")
    assert "sample_alpha.tell is the name of more than one" in (alpha.reason or "")
