"""What is checked of a plugin before it runs: its hooks, and that the names it takes are its own."""

import inspect
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from helpdesk_core import hookspecs
from helpdesk_core.database import metadata
from helpdesk_core.permissions import Permission
from helpdesk_core.plugins.discovery import BUILT_IN
from helpdesk_core.plugins.host import Plugin

REGISTRATION_HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("register_"))
"""Called once when a process starts."""

LIFE_CYCLE_HOOKS = ("on_enable", "on_disable", "on_uninstall", "forget_plugin")
"""Called when something happens to the plugin, or to another one."""

Claims = dict[tuple[str, str], str]
"""Which plugin has taken a name, by kind and name."""


def refuse_wrong_hooks(module: Any) -> None:
    """Refuse functions marked as hooks that no hook is called after, and such as cannot be called."""
    for name, function, options in implementations(module):
        if not hasattr(hookspecs, name) and not options.get("optionalhook"):
            near = get_close_matches(name, (*REGISTRATION_HOOKS, *LIFE_CYCLE_HOOKS), n=1)
            meant = f"did you mean {near[0]}?" if near else f"hooks are {', '.join(REGISTRATION_HOOKS)}"
            raise LookupError(f"there is no hook called {name}; {meant}")
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{name} is a coroutine function; hooks are plain functions")
        if options.get("wrapper") or options.get("hookwrapper"):
            raise TypeError(f"{name} is a wrapper; hooks are plain functions")


def refuse_unknown_hooks(module: Any, names: Sequence[str]) -> None:
    """Refuse an optional hook that comes near one that a plugin declares; others are of plugins that are not here."""
    for name, _, _ in implementations(module):
        near = get_close_matches(name, names, n=1, cutoff=0.85)
        if not hasattr(hookspecs, name) and name not in names and near:
            raise LookupError(f"there is no hook called {name}; did you mean {near[0]}?")


def implementations(module: Any) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Iterate over the functions of a module that are marked as hooks: name of the hook, function, options."""
    for name, value in vars(module).items():
        if is_hook(value):
            options = value.helpdesk_impl
            yield options.get("specname") or name, value, options


def is_hook(value: Any) -> bool:
    """Tell whether something is marked as a hook; objects that have every attribute one asks for are not."""
    return isinstance(getattr(value, "helpdesk_impl", None), dict)


def check_declared(plugin: Plugin, known_tables: set[str], claims: Claims) -> None:
    """Check what was declared: names begin with the plugin's id, and nobody else has claimed them."""
    prefix = "core" if plugin.id in BUILT_IN else plugin.id
    for base in plugin.declared["register_models"]:
        base.registry.configure(cascade=True)  # and those that it refers to
    for table in set(metadata.tables) - known_tables:
        if not table.startswith(f"{prefix}_"):
            raise ValueError(f"table {table} must be called {prefix}_...")
    codes = [permission.code for permission in plugin.declared["register_permissions"]]
    _refuse_twice("permission", codes)
    for permission in plugin.declared["register_permissions"]:
        _check_permission(plugin, permission)
        _claim(claims, "permission", permission.code, plugin)
    _refuse_twice("event", [event.type for event in plugin.declared["register_events"]])
    for kind, name in _names(plugin):
        _claim(claims, kind, name, plugin)
    _check_work(plugin, claims)
    _check_metrics(plugin, claims)
    if plugin.declared["register_authenticators"] and plugin.manifest and plugin.manifest.scope != "system":
        raise ValueError("only a plugin of the scope system can have authenticators; they are asked for everybody")
    _check_routes(plugin, claims)
    _check_pages(plugin, claims)


def _names(plugin: Plugin) -> Iterator[tuple[str, str]]:
    """Iterate over the names that the plugin takes, with their kind."""
    yield from (("event", event.type) for event in plugin.declared["register_events"])
    yield from (("resource", resource.name) for resource in plugin.declared["register_resources"])
    yield from (("notification kind", kind.name) for kind in plugin.declared["register_notification_kinds"])
    yield from (("organization setting", key) for key in _settings_keys(plugin))
    yield from (("command", command.name) for command in plugin.declared["register_commands"])


def _check_routes(plugin: Plugin, claims: Claims) -> None:
    prefixes = plugin.manifest.prefixes if plugin.manifest else ()
    for router in plugin.declared["register_routes"]:
        if router.prefix not in prefixes:
            raise ValueError(f"prefix {router.prefix!r} is not in the manifest")
    for hook in ("register_routes", "register_pages"):
        _refuse_endpoints_twice(plugin.declared[hook], prefixes if hook == "register_routes" else None)
    for segment in prefixes:
        _claim(claims, "prefix", segment, plugin)


def _refuse_endpoints_twice(routers: Sequence[Any], prefixes: Sequence[str] | None) -> None:
    """Refuse two endpoints of one method and path, and other paths of an endpoint outside the plugin's prefixes."""
    taken: set[tuple[str, str]] = set()
    for endpoint in (endpoint for router in routers for endpoint in router.endpoints):
        for path in (endpoint.path, *endpoint.aliases):
            if (endpoint.method, path) in taken:
                raise ValueError(f"{endpoint.method} {path} is declared twice")
            taken.add((endpoint.method, path))
            if prefixes is not None and not path[1:].startswith(tuple(f"{prefix}/" for prefix in prefixes)):
                raise ValueError(f"path {path} is under no prefix of the manifest")


def _check_work(plugin: Plugin, claims: Claims) -> None:
    """Check that handlers and jobs can be told apart by the names under which they are stored."""
    names = [each.name for hook in ("register_event_handlers", "register_jobs") for each in plugin.declared[hook]]
    _refuse_twice("handler or job", names)
    for name in names:
        _claim(claims, "handler or job", name, plugin)


def _check_metrics(plugin: Plugin, claims: Claims) -> None:
    for metric in plugin.declared["register_metrics"]:
        metric.refuse_unbounded()
        _claim(claims, "metric", f"{plugin.id}_{metric.shown}", plugin)
    _refuse_twice("metric", [metric.name for metric in plugin.declared["register_metrics"]])


def _refuse_twice(kind: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} is the name of more than one {kind}")


def _check_pages(plugin: Plugin, claims: Claims) -> None:
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


def _claim(claims: Claims, kind: str, name: str, plugin: Plugin) -> None:
    owner = claims.setdefault((kind, name), plugin.id)
    if owner != plugin.id:
        raise ValueError(f"{kind} {name!r} is already {owner}'s")
