"""What the host knows of the plugin: its manifest, its distribution, what its hooks return."""

import inspect
from collections.abc import Callable
from importlib.metadata import requires
from typing import Any

import click
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel

from helpdesk_core.events import Event, Handler
from helpdesk_core.jobs import Job
from helpdesk_core.notifications.kinds import NotificationKind
from helpdesk_core.permissions import Permission
from helpdesk_core.plugins import State
from helpdesk_core.resources import Resource
from helpdesk_core.testing.conformance.case import Case, Finding, Findings, NotApplicable
from helpdesk_core.web.routing import Router

CORE = "helpdesk-core"
EXPECTED: dict[str, type] = {
    "register_routes": Router,
    "register_pages": Router,
    "register_permissions": Permission,
    "register_event_handlers": Handler,
    "register_jobs": Job,
    "register_resources": Resource,
    "register_notification_kinds": NotificationKind,
    "register_commands": click.Command,
}
"""What hooks return lists of."""
CLASSES: dict[str, type] = {"register_events": Event, "register_organization_settings": BaseModel}
"""What hooks return lists of subclasses of."""
CALLED: dict[str, int] = {"register_authenticators": 1, "register_services": 2, "register_demo_data": 2}
"""With how many arguments the core calls what hooks return."""


def it_loads(case: Case) -> Findings:
    """The plugin is found, its manifest is valid, and importing and registering it succeeds."""
    plugin = case.found
    if plugin is None:
        yield Finding(
            f"no plugin {case.id!r} is installed",
            "entry points of the group helpdesk.plugins",
            "install the distribution (`pip install -e .`), and check the name of the entry point in pyproject.toml",
        )
    elif plugin.state is not State.ACTIVE:
        where = f"{plugin.package}, phase {plugin.phase}" if plugin.phase else plugin.package
        yield Finding(f"the plugin is {plugin.state.value}: {plugin.reason}", where, "mend what the reason names")


def it_starts(case: Case) -> Findings:
    """Whatever it registers to be made at start, services and authenticators, can be made."""
    case.installation  # noqa: B018 - what starts is looked at
    outage = case.host.outages.get(case.plugin.id)
    if outage is not None:
        where = f"{case.plugin.package}, phase {outage.phase}" if outage.phase else case.plugin.package
        yield Finding(f"the plugin is {outage.state.value}: {outage.reason}", where, "mend what the reason names")


def manifest_and_distribution_agree(case: Case) -> Findings:
    """The distribution is called after the plugin and depends on the core and on whatever the manifest requires."""
    distribution, package = case.distribution, case.plugin.package
    if distribution is None:
        raise NotApplicable("the plugin comes with no distribution")
    where = f"pyproject.toml of {distribution.name}"
    wanted = f"helpdesk-{case.id}"
    if canonicalize_name(distribution.name) != wanted:
        yield Finding(f"the distribution is called {distribution.name}", where, f'set name = "{wanted}"')
    if package != f"helpdesk_{case.id}":
        yield Finding(f"the package is called {package}", where, f"call it helpdesk_{case.id}, and so the entry point")
    named = {canonicalize_name(each.name) for each in _dependencies(case)}
    for name in (CORE, *(f"helpdesk-{plugin}" for plugin in case.manifest.requires)):
        if name not in named:
            yield Finding(f"{name} is not among the dependencies", where, f"add {name} to dependencies")


def dependencies_leave_the_core_free(case: Case) -> Findings:
    """No dependency of the core is pinned, capped or excluded: one plugin would hold up every upgrade."""
    if case.distribution is None:
        raise NotApplicable("the plugin comes with no distribution")
    of_core = {canonicalize_name(Requirement(text).name) for text in requires(CORE) or ()}
    for each in _dependencies(case):
        limits = [str(part) for part in each.specifier if part.operator not in {">=", ">"}]
        if canonicalize_name(each.name) in of_core and limits:
            yield Finding(
                f"{each} limits a dependency of the core",
                f"dependencies of {case.distribution.name}",
                f"leave out {', '.join(limits)}; a lower bound is all that a plugin may ask for",
            )


def hooks_return_what_they_declare(case: Case) -> Findings:
    """What hooks return has the types that `helpdesk_core.hookspecs` says, and can be called as the core calls it."""
    where = f"{case.plugin.package}/plugin.py"
    for hook, kind in EXPECTED.items():
        for item in case.declared(hook):
            if not isinstance(item, kind):
                yield _unexpected(hook, item, f"{kind.__name__}", where)
    for hook, kind in CLASSES.items():
        for item in case.declared(hook):
            if not (inspect.isclass(item) and issubclass(item, kind)):
                yield _unexpected(hook, item, f"a subclass of {kind.__name__}", where)
    for hook, count in CALLED.items():
        for item in case.declared(hook):
            if not _takes(item, count):
                yield _unexpected(hook, item, f"a callable that takes {count} arguments", where)


def names_begin_with_the_id(case: Case) -> Findings:
    """Events, handlers, jobs and commands are named after the plugin or its things, as tables and permissions are."""
    package, things = case.plugin.package, case.things
    for event in case.declared("register_events"):
        if event.type.partition(".")[0] not in things:
            where = f"{event.__module__}.{event.__qualname__}"
            yield Finding(
                f"the event type {event.type!r} is another's", where, f"call it {case.id}.{_rest(event.type)}"
            )
    for hook in ("register_event_handlers", "register_jobs"):
        for each in case.declared(hook):
            if each.name.partition(".")[0] not in {package, case.id}:
                yield Finding(f"{each.name!r} is another's name", hook, f"call it {package}.{_rest(each.name)}")
    for command in case.declared("register_commands"):
        name = command.name or ""
        if name != case.id and not name.startswith(f"{case.id}-"):
            mend = f"call it {case.id}, or {case.id}-{name}"
            yield Finding(f"the command {name!r} may be another's", "register_commands", mend)


def _rest(name: str) -> str:
    return name.partition(".")[2] or name


def _dependencies(case: Case) -> list[Requirement]:
    found = (case.distribution.requires if case.distribution else None) or []
    return [each for each in map(Requirement, found) if each.marker is None or "extra" not in str(each.marker)]


def _unexpected(hook: str, item: Any, wanted: str, where: str) -> Finding:
    return Finding(f"{hook} returns {item!r:.80}", where, f"return {wanted}")


def _takes(item: Any, count: int) -> bool:
    if not isinstance(item, Callable):  # type: ignore[arg-type]
        return False
    try:
        inspect.signature(item).bind(*[None] * count)
    except (TypeError, ValueError):
        return False
    return True
