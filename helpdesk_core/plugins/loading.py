"""Loading: imports and registers plugins one by one, and contains those that fail."""

import importlib
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pluggy

from helpdesk_core import hookspecs
from helpdesk_core.database import metadata
from helpdesk_core.garbage import without_collecting
from helpdesk_core.plugins.checking import (
    LIFE_CYCLE_HOOKS,
    REGISTRATION_HOOKS,
    Claims,
    check_declared,
    is_hook,
    refuse_unknown_hooks,
    refuse_wrong_hooks,
)
from helpdesk_core.plugins.deadline import deadline
from helpdesk_core.plugins.discovery import BUILT_IN, Candidate, discover
from helpdesk_core.plugins.host import Plugin, PluginHost, log
from helpdesk_core.plugins.states import Phase, State

OF_PLUGINS = "register_hookspecs"
START_SECONDS = 10.0
"""How long a plugin may take to be imported, and again to be registered."""


class EssentialPluginFailed(Exception):
    """A plugin without which the process must not run has failed."""


def load_plugins(wanted: Sequence[str] | None = None, *, seconds: float = START_SECONDS) -> PluginHost:
    """Discover, import and register plugins; whatever fails is contained and named.

    Args:
        wanted: ids; nothing means all installed ones, an empty sequence only the built-in ones.
        seconds: after how long the import or the registration of one plugin is broken off.
    """
    with without_collecting():
        return _load(wanted, seconds)


def _load(wanted: Sequence[str] | None, seconds: float) -> PluginHost:
    manager = pluggy.PluginManager("helpdesk")
    manager.add_hookspecs(hookspecs)
    plugins = [_plugin(candidate) for candidate in discover(wanted)]
    claims: Claims = {}
    usable: set[str] = set()
    for plugin in plugins:
        if plugin.reason is None and _requirements_run(plugin, usable):
            _register(manager, plugin, claims, seconds)
        if plugin.state is State.REGISTERED:
            usable.add(plugin.id)
    _contribute(manager, plugins)
    for plugin in plugins:
        if plugin.state is State.REGISTERED:
            plugin.state = State.ACTIVE
        elif plugin.id in BUILT_IN or (plugin.manifest and plugin.manifest.essential):
            _refuse_to_run_without(plugin)
    return PluginHost(plugins)


def _refuse_to_run_without(plugin: Plugin) -> None:
    is_impostor = plugin.id in BUILT_IN and plugin.state is State.INVALID
    if plugin.state is not State.DISCOVERED and not is_impostor:
        raise EssentialPluginFailed(f"plugin {plugin.id} failed at {plugin.phase}: {plugin.reason}")


def _plugin(candidate: Candidate) -> Plugin:
    found = (candidate.id, candidate.package, candidate.folder, candidate.manifest)
    plugin = Plugin(*found, state=candidate.state, reason=candidate.problem, version=candidate.version)
    if candidate.problem is not None and candidate.state is not State.DISCOVERED:
        plugin.phase = Phase.MANIFEST
        log.error("plugin not usable", extra={"plugin": plugin.id, "reason": plugin.reason})
    return plugin


def _requirements_run(plugin: Plugin, usable: set[str]) -> bool:
    """Tell whether every plugin that this one requires runs; it is blocked otherwise."""
    requires = plugin.manifest.requires if plugin.manifest else ()
    broken = [name for name in requires if name not in usable]
    if broken:
        plugin.state, plugin.reason = State.BLOCKED, f"requires {', '.join(broken)}, which failed"
    return not broken


def _register(manager: pluggy.PluginManager, plugin: Plugin, claims: Claims, seconds: float) -> None:
    known_tables, known_modules = set(metadata.tables), set(sys.modules)
    claimed = set(claims)
    began = time.perf_counter()
    try:
        with _phase(plugin, Phase.IMPORT), deadline(seconds):
            module = importlib.import_module(f"{plugin.package}.plugin")
        plugin.state = State.IMPORTED
        with _phase(plugin, Phase.REGISTRATION), deadline(seconds):
            refuse_wrong_hooks(module)
            manager.register(_Hooks(module), name=plugin.id)
            for hook in REGISTRATION_HOOKS:
                plugin.declared[hook] = _call(manager, plugin, hook)
            plugin.life_cycle = _life_cycle(manager, plugin)
            check_declared(plugin, known_tables, claims)
        plugin.state = State.REGISTERED
    except _Contained:
        for name in set(metadata.tables) - known_tables:
            metadata.remove(metadata.tables[name])
        for name in [name for name in set(sys.modules) - known_modules if name.startswith(f"{plugin.package}.")]:
            del sys.modules[name]  # half of a plugin is none
        for claim in set(claims) - claimed:
            del claims[claim]
        if manager.has_plugin(plugin.id):
            manager.unregister(name=plugin.id)
    plugin.seconds = time.perf_counter() - began


def _contribute(manager: pluggy.PluginManager, plugins: Sequence[Plugin]) -> None:
    """Call the hooks that plugins declare, once all of them are there; whoever fails at it is taken out."""
    modules = [module for plugin in plugins for module in plugin.declared.get(OF_PLUGINS, ())]
    names = [name for module in modules for name, value in vars(module).items() if hasattr(value, "helpdesk_spec")]
    for plugin in [each for each in plugins if each.state is State.REGISTERED]:
        with suppress(_Contained), _phase(plugin, Phase.REGISTRATION):
            refuse_unknown_hooks(manager.get_plugin(plugin.id), names)
            plugin.declared |= {hook: _call(manager, plugin, hook) for hook in names}


class _Hooks:
    """The hooks of a module and nothing else: pluggy looks closely at every name that it is given."""

    def __init__(self, module: Any) -> None:
        vars(self).update({name: each for name, each in vars(module).items() if is_hook(each)})

    def __dir__(self) -> list[str]:
        """Leave out what every object has, which pluggy would look at as closely."""
        return list(vars(self))


class _Contained(Exception):
    """The plugin has been marked as failed."""


@contextmanager
def _phase(plugin: Plugin, phase: Phase) -> Iterator[None]:
    try:
        yield
    except (Exception, SystemExit) as error:
        plugin.fail(phase, blamed(error))
        raise _Contained from error


def blamed(error: BaseException) -> str:
    """Return what went wrong and where, in one line: `ValueError: what (file.py:12)`."""
    told = f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    return f"{told} ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else told


def _implementation(manager: pluggy.PluginManager, plugin: Plugin, hook: str) -> pluggy.HookImpl | None:
    caller = getattr(manager.hook, hook, None)  # of a plugin's own hook, nothing when nobody implements it
    found = caller.get_hookimpls() if caller else ()
    return next((each for each in found if each.plugin_name == plugin.id), None)


def _call(manager: pluggy.PluginManager, plugin: Plugin, hook: str) -> list[Any]:
    implementation = _implementation(manager, plugin, hook)
    if implementation is None:
        return []
    result: Any = implementation.function()
    if not isinstance(result, (list, tuple)):
        raise TypeError(f"{hook} must return a list, not {type(result).__name__}")
    return list(result)


def _life_cycle(manager: pluggy.PluginManager, plugin: Plugin) -> dict[str, Callable[..., None]]:
    found = {hook: _implementation(manager, plugin, hook) for hook in LIFE_CYCLE_HOOKS}
    return {hook: _taking(implementation) for hook, implementation in found.items() if implementation is not None}


def _taking(implementation: pluggy.HookImpl) -> Callable[..., None]:
    """Return the function with the arguments that it asks for; hooks get more of them over time."""
    names, function = implementation.argnames, implementation.function

    def call(**arguments: Any) -> None:
        function(**{name: arguments[name] for name in names})

    return call
