"""The plugin host: imports and registers plugins one by one, and contains those that fail."""

import importlib
import inspect
import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import pluggy

from helpdesk_core import hookspecs
from helpdesk_core.database import metadata
from helpdesk_core.events import Event, EventCatalogue
from helpdesk_core.permissions import Permission, RolePermissions
from helpdesk_core.plugins.discovery import BUILT_IN, Candidate, discover
from helpdesk_core.plugins.gate import Gate
from helpdesk_core.plugins.manifest import Manifest
from helpdesk_core.plugins.organization_settings import OrganizationSettings

log = logging.getLogger("helpdesk.plugins")


class State(StrEnum):
    """How far a plugin has come."""

    ACTIVE = "active"
    INVALID = "invalid"
    BLOCKED = "blocked"
    FAILED = "failed"


class EssentialPluginFailed(Exception):
    """A plugin without which the process must not run has failed."""


@dataclass
class Plugin:
    """One plugin in this process.

    Attributes:
        id: its id.
        package: import name.
        folder: where its package lies.
        manifest: nothing when it could not be read.
        state: whether it runs.
        phase: where it failed: `manifest`, `import`, `registration`.
        reason: why, in one sentence.
        version: of its distribution.
        declared: what its hooks returned, by hook.
    """

    id: str
    package: str
    folder: Path
    manifest: Manifest | None
    state: State = State.ACTIVE
    phase: str | None = None
    reason: str | None = None
    version: str = ""
    declared: dict[str, list[Any]] = field(default_factory=dict)

    def fail(self, phase: str, reason: str) -> None:
        """Take the plugin out, with the phase and the reason."""
        self.state, self.phase, self.reason, self.declared = State.FAILED, phase, reason, {}
        log.error("plugin failed", extra={"plugin": self.id, "phase": phase, "reason": reason})


REGISTRATION_HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("register_"))
OF_PLUGINS = "register_hookspecs"


class PluginHost:
    """Every plugin of the process, and what the active ones declared."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        """Keep the plugins in dependency order."""
        self.plugins = tuple(plugins)

    @property
    def active(self) -> Iterator[Plugin]:
        """Iterate over plugins that run, in dependency order."""
        return (plugin for plugin in self.plugins if plugin.state is State.ACTIVE)

    def declared(self, hook: str) -> Iterator[tuple[Plugin, Any]]:
        """Iterate over everything that active plugins returned from `hook`."""
        return ((plugin, item) for plugin in self.active for item in plugin.declared.get(hook, ()))

    @cached_property
    def gate(self) -> Gate:
        """The gate over the active plugins."""
        return Gate({plugin.id: plugin.manifest for plugin in self.active if plugin.manifest})

    @cached_property
    def roles(self) -> RolePermissions:
        """The permissions of each role."""
        return RolePermissions.of(permission for _, permission in self.declared("register_permissions"))

    @cached_property
    def catalogue(self) -> EventCatalogue:
        """Every event type, described."""
        return EventCatalogue((plugin.id, event) for plugin, event in self.declared("register_events"))

    @cached_property
    def organization_settings(self) -> OrganizationSettings:
        """What organisations can set: the core's keys, and those of each plugin under its id."""
        top, below = [], {}
        for plugin in self.active:
            schemas = plugin.declared["register_organization_settings"]
            if plugin.id in BUILT_IN:
                top += schemas
            else:
                below[plugin.id] = schemas
        return OrganizationSettings(top, below)

    @cached_property
    def event_types(self) -> dict[str, type[Event]]:
        """Declared events by their type."""
        return {event.type: event for _, event in self.declared("register_events")}


def load_plugins(wanted: Sequence[str] | None = None) -> PluginHost:
    """Discover, import and register plugins; whatever fails is contained and named.

    Args:
        wanted: ids; nothing means all installed ones, an empty sequence only the built-in ones.
    """
    manager = pluggy.PluginManager("helpdesk")
    manager.add_hookspecs(hookspecs)
    plugins = [_plugin(candidate) for candidate in discover(wanted)]
    claims: dict[tuple[str, str], str] = {}
    usable: set[str] = set()
    for plugin in plugins:
        requires = plugin.manifest.requires if plugin.manifest else ()
        broken = [name for name in requires if name not in usable]
        if plugin.state is State.ACTIVE and broken:
            plugin.state, plugin.reason = State.BLOCKED, f"requires {', '.join(broken)}, which failed"
        if plugin.state is State.ACTIVE:
            _register(manager, plugin, claims)
        if plugin.state is State.ACTIVE:
            usable.add(plugin.id)
        elif plugin.id in BUILT_IN or (plugin.manifest and plugin.manifest.essential):
            raise EssentialPluginFailed(f"plugin {plugin.id} failed at {plugin.phase}: {plugin.reason}")
    _contribute(manager, plugins)
    return PluginHost(plugins)


def _contribute(manager: pluggy.PluginManager, plugins: Sequence[Plugin]) -> None:
    """Call the hooks that plugins declare, once all of them are there; whoever fails at it is taken out."""
    modules = [module for plugin in plugins for module in plugin.declared.get(OF_PLUGINS, ())]
    names = [name for module in modules for name, value in vars(module).items() if hasattr(value, "helpdesk_spec")]
    for plugin in [each for each in plugins if each.state is State.ACTIVE]:
        with suppress(_Contained), _phase(plugin, "registration"):
            _refuse_unknown_hooks(manager.get_plugin(plugin.id), names)
            plugin.declared |= {hook: _call(manager, plugin, hook) for hook in names}


def _plugin(candidate: Candidate) -> Plugin:
    found = (candidate.id, candidate.package, candidate.folder, candidate.manifest)
    plugin = Plugin(*found, version=candidate.version)
    if candidate.problem is not None:
        plugin.state = State.BLOCKED if "requires" in candidate.problem else State.INVALID
        plugin.phase, plugin.reason = "manifest", candidate.problem
        log.error("plugin not usable", extra={"plugin": plugin.id, "reason": plugin.reason})
    return plugin


def _register(manager: pluggy.PluginManager, plugin: Plugin, claims: dict[tuple[str, str], str]) -> None:
    known_tables = set(metadata.tables)
    claimed = set(claims)
    try:
        with _phase(plugin, "import"):
            module = importlib.import_module(f"{plugin.package}.plugin")
        with _phase(plugin, "registration"):
            _refuse_misspelt_hooks(module)
            manager.register(module, name=plugin.id)
            for hook in REGISTRATION_HOOKS:
                plugin.declared[hook] = _call(manager, plugin, hook)
            _check(plugin, known_tables, claims)
    except _Contained:
        for name in set(metadata.tables) - known_tables:
            metadata.remove(metadata.tables[name])
        for claim in set(claims) - claimed:
            del claims[claim]
        if manager.has_plugin(plugin.id):
            manager.unregister(name=plugin.id)


class _Contained(Exception):
    """The plugin has been marked as failed."""


@contextmanager
def _phase(plugin: Plugin, phase: str) -> Iterator[None]:
    try:
        yield
    except (Exception, SystemExit) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        plugin.fail(phase, f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})")
        raise _Contained from error


def _refuse_misspelt_hooks(module: Any) -> None:
    for name, options in _implementations(module):
        if not hasattr(hookspecs, name) and not options.get("optionalhook"):
            raise LookupError(f"there is no hook called {name}; hooks are {', '.join(REGISTRATION_HOOKS)}")


def _refuse_unknown_hooks(module: Any, names: Sequence[str]) -> None:
    """Refuse an optional hook that comes near one that a plugin declares; others are of plugins that are not here."""
    for name, _ in _implementations(module):
        near = get_close_matches(name, names, n=1, cutoff=0.85)
        if not hasattr(hookspecs, name) and name not in names and near:
            raise LookupError(f"there is no hook called {name}; did you mean {near[0]}?")


def _implementations(module: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in vars(module).items():
        options = getattr(value, "helpdesk_impl", None)
        if options:
            yield options.get("specname") or name, options


def _call(manager: pluggy.PluginManager, plugin: Plugin, hook: str) -> list[Any]:
    caller = getattr(manager.hook, hook, None)  # of a plugin's own hook, nothing when nobody implements it
    for implementation in caller.get_hookimpls() if caller else ():
        if implementation.plugin_name == plugin.id:
            function: Callable[[], Sequence[Any]] = implementation.function
            if inspect.iscoroutinefunction(function):
                raise TypeError(f"{hook} is a coroutine function; hooks are plain functions")
            result = function()
            if not isinstance(result, (list, tuple)):
                raise TypeError(f"{hook} must return a list, not {type(result).__name__}")
            return list(result)
    return []


def _check(plugin: Plugin, known_tables: set[str], claims: dict[tuple[str, str], str]) -> None:
    """Check what was declared: names begin with the plugin's id, and nobody else has claimed them."""
    prefix = "core" if plugin.id in BUILT_IN else plugin.id
    for base in plugin.declared["register_models"]:
        base.registry.configure(cascade=True)  # and those that it refers to
    for table in set(metadata.tables) - known_tables:
        if not table.startswith(f"{prefix}_"):
            raise ValueError(f"table {table} must be called {prefix}_...")
    for permission in plugin.declared["register_permissions"]:
        _check_permission(plugin, permission)
        _claim(claims, "permission", permission.code, plugin)
    for kind, name in _names(plugin):
        _claim(claims, kind, name, plugin)
    _check_work(plugin, claims)
    prefixes = plugin.manifest.prefixes if plugin.manifest else ()
    for router in plugin.declared["register_routes"]:
        if router.prefix not in prefixes:
            raise ValueError(f"prefix {router.prefix!r} is not in the manifest")
    for segment in prefixes:
        _claim(claims, "prefix", segment, plugin)
    _check_pages(plugin, claims)


def _names(plugin: Plugin) -> Iterator[tuple[str, str]]:
    """Iterate over the names that the plugin takes, with their kind."""
    yield from (("event", event.type) for event in plugin.declared["register_events"])
    yield from (("resource", resource.name) for resource in plugin.declared["register_resources"])
    yield from (("notification kind", kind.name) for kind in plugin.declared["register_notification_kinds"])
    yield from (("organization setting", key) for key in _settings_keys(plugin))


def _check_work(plugin: Plugin, claims: dict[tuple[str, str], str]) -> None:
    """Check that handlers and jobs can be told apart by the names under which they are stored."""
    names = [each.name for hook in ("register_event_handlers", "register_jobs") for each in plugin.declared[hook]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} is the name of more than one handler or job; give them names")
    for name in names:
        _claim(claims, "handler or job", name, plugin)


def _check_pages(plugin: Plugin, claims: dict[tuple[str, str], str]) -> None:
    segments = plugin.manifest.pages if plugin.manifest else ()
    for router in plugin.declared["register_pages"]:
        if router.prefix not in segments:
            raise ValueError(f"{router.prefix!r} is not among the pages of the manifest")
        for endpoint in router.endpoints:
            if endpoint.method != "GET":
                raise ValueError(f"page {endpoint.path} must answer GET alone; what writes is an endpoint")
    for segment in segments:
        _claim(claims, "page", segment, plugin)


def _check_permission(plugin: Plugin, permission: Permission) -> None:
    if not permission.code.startswith(f"{plugin.id}:"):
        raise ValueError(f"permission {permission.code} must be called {plugin.id}:...")


def _settings_keys(plugin: Plugin) -> list[str]:
    """Return the keys that the plugin's settings of organisations take; it fails if a field has no default."""
    fields = [name for schema in plugin.declared["register_organization_settings"] for name in schema().model_dump()]
    return fields if plugin.id in BUILT_IN else [plugin.id] * bool(fields)


def _claim(claims: dict[tuple[str, str], str], kind: str, name: str, plugin: Plugin) -> None:
    owner = claims.setdefault((kind, name), plugin.id)
    if owner != plugin.id:
        raise ValueError(f"{kind} {name!r} is already {owner}'s")
