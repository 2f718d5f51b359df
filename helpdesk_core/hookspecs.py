"""Every hook of the core. A plugin implements those it needs in its `plugin.py`, marked with `@hookimpl`.

Hooks are plain functions. The core calls each `register_...` once, when a process starts, in dependency order, and
contains whatever goes wrong in one plugin. They return declarations; nothing may be connected, opened or written in
them. The others are called when something happens to the plugin, in a transaction.

An implementation takes those of the arguments that it needs, by their names.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import click
    from pydantic import BaseModel

    from helpdesk_core.events import Event, Handler
    from helpdesk_core.jobs import Job
    from helpdesk_core.notifications.kinds import NotificationKind
    from helpdesk_core.permissions import Permission
    from helpdesk_core.plugins.life_cycle import LifeCycleContext, PluginNames
    from helpdesk_core.resources import Resource
    from helpdesk_core.telemetry.declared import Metric
    from helpdesk_core.web.authentication import Authenticator
    from helpdesk_core.web.context import Services
    from helpdesk_core.web.routing import Router

hookspec = pluggy.HookspecMarker("helpdesk")
hookimpl = pluggy.HookimplMarker("helpdesk")


@hookspec
def register_models() -> Sequence[type[Any]]:  # type: ignore[empty-body]
    """Return the declarative bases whose tables the plugin owns.

    Every table is called `<plugin id>_...`. Their mappers are configured right away, so that a mistake in one is
    this plugin's failure and nobody else's.
    """


@hookspec
def register_routes() -> "Sequence[Router]":  # type: ignore[empty-body]
    """Return the routers. Their prefixes must be listed in the manifest."""


@hookspec
def register_pages() -> "Sequence[Router]":  # type: ignore[empty-body]
    """Return routers of HTML pages, served at `/<prefix>/...` beside the API.

    A page is declared like an endpoint that answers GET, and returns `Html` or `Redirect`. Its templates lie in the
    package's folder `templates`, what they load in `static`. Prefixes must be listed under `pages` in the manifest.
    """


@hookspec
def register_permissions() -> "Sequence[Permission]":  # type: ignore[empty-body]
    """Return the permissions; each code starts with `<plugin id>:`."""


@hookspec
def register_events() -> "Sequence[type[Event]]":  # type: ignore[empty-body]
    """Return the event types that the plugin publishes. A type has one owner."""


@hookspec
def register_event_handlers() -> "Sequence[Handler]":  # type: ignore[empty-body]
    """Return the functions declared with `@on`; they run after the commit, at least once for each event."""


@hookspec
def register_jobs() -> "Sequence[Job]":  # type: ignore[empty-body]
    """Return the functions declared with `@job`: those that are enqueued with `enqueue`, and those on a schedule."""


@hookspec
def register_hookspecs() -> Sequence[Any]:  # type: ignore[empty-body]
    """Return modules with hooks of the plugin's own, marked with `@hookspec`, for other plugins to implement.

    They are hooks like those here: plain functions without arguments that return lists, called once for each plugin
    when all of them are there. Who implements one marks it with `@hookimpl(optionalhook=True)`, and need not be
    installed together with whoever declares it. What was returned is read with the service `Contributions`.
    """


@hookspec
def register_authenticators() -> "Sequence[Callable[[Services], Authenticator]]":  # type: ignore[empty-body]
    """Return factories `(services) -> authenticator`: functions that find the caller of a request.

    Asked in plugin order; the first answer counts.
    """


@hookspec
def register_services() -> Sequence[Callable[..., Any]]:  # type: ignore[empty-body]
    """Return factories `(settings, clock) -> object`; endpoints get the object by its type, `ctx.services.get`."""


@hookspec
def register_organization_settings() -> "Sequence[type[BaseModel]]":  # type: ignore[empty-body]
    """Return schemas of what each organisation can set for the plugin, under the plugin's id.

    Every field has a default. `settings["oncall"]` of an organisation is then checked by the plugin `oncall`'s schema
    whenever it is written, and shown with its defaults; keys that no schema declares are kept as they are. Read it
    with `organization_settings(session, "oncall", OncallSettings)`.
    """


@hookspec
def register_resources() -> "Sequence[Resource]":  # type: ignore[empty-body]
    """Return the kinds of things that others can follow: by the change feed, the socket and webhooks.

    Events say in `about` which of them they change. A name belongs to one plugin.
    """


@hookspec
def register_notification_kinds() -> "Sequence[NotificationKind]":  # type: ignore[empty-body]
    """Return what the plugin tells people, with the words; `notify` then tells them. A name has one owner."""


@hookspec
def register_metrics() -> "Sequence[Metric]":  # type: ignore[empty-body]
    """Return what the plugin counts and measures: a `Counter`, `Gauge` or `Histogram` for each, for Prometheus.

    They are shown at `/metrics` as `helpdesk_plugin_<plugin id>_<name>`. Every label names the values that it can
    have. Count with the service `Metrics`: `ctx.get(Metrics).count(attempts, outcome="delivered")`.
    """


@hookspec
def register_commands() -> "Sequence[click.Command]":  # type: ignore[empty-body]
    """Return commands, attached to `helpdesk` under their own names."""


@hookspec
def register_demo_data() -> Sequence[Callable[..., None]]:  # type: ignore[empty-body]
    """Return functions `(session, now)` that fill an empty demonstration organisation.

    They run once, in dependency order, in the session of that organisation, all in one transaction.
    """


@hookspec
def on_enable(ctx: "LifeCycleContext") -> None:
    """Prepare what an organisation needs: it has just switched the plugin on.

    `ctx.session` is of that organisation; what is written there is committed together with the switch. An error undoes
    both, and the plugin stays off: a `HelpdeskError` is told as it is, any other is reported with the plugin's name.
    Called again whenever the plugin is switched on again; its data was kept. Not called for organisations that have the
    plugin on by default.
    """


@hookspec
def on_disable(ctx: "LifeCycleContext") -> None:
    """Wind down what runs for an organisation: it is about to switch the plugin off. Its data stays.

    An error undoes everything, as with `on_enable`, and the plugin stays on.
    """


@hookspec
def on_uninstall(ctx: "LifeCycleContext") -> None:
    """Remove what the plugin keeps outside its tables, files for instance: the tables are about to be dropped.

    `ctx.session` sees every organisation. Called before anything is dropped; an error stops the command.
    """


@hookspec
def forget_plugin(ctx: "LifeCycleContext", names: "PluginNames") -> None:
    """Remove what this plugin has stored about another one, which is being uninstalled for good.

    `ctx.session` sees every organisation; `names.owns(name)` tells whether a permission, an event or the like was the
    other's.
    """
