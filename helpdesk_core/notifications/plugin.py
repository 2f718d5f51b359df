"""Notifications: people are told what happened, once, in their language, as they chose."""

from collections.abc import Callable, Sequence
from typing import Any

from helpdesk_core.events import Event
from helpdesk_core.hookspecs import hookimpl
from helpdesk_core.jobs import Job
from helpdesk_core.notifications import events, jobs, permissions, resources, routes
from helpdesk_core.notifications.letters import Notices
from helpdesk_core.notifications.service import forgetting
from helpdesk_core.notifications.service.inbox import mark_own_read
from helpdesk_core.permissions import Permission
from helpdesk_core.plugins import LifeCycleContext, PluginNames
from helpdesk_core.resources import Resource
from helpdesk_core.web.realtime.inbox import Inbox
from helpdesk_core.web.routing import Router


@hookimpl
def register_routes() -> Sequence[Router]:
    return routes.ROUTERS


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return permissions.ALL


@hookimpl
def register_events() -> Sequence[type[Event]]:
    return events.ALL


@hookimpl
def register_jobs() -> Sequence[Job]:
    return jobs.ALL


@hookimpl
def register_services() -> Sequence[Callable[..., Any]]:
    return [Notices, lambda *_: Inbox(mark_own_read)]


@hookimpl
def register_resources() -> Sequence[Resource]:
    return resources.ALL


@hookimpl
def forget_plugin(ctx: LifeCycleContext, names: PluginNames) -> None:
    forgetting.forget_plugin(ctx.session, names)
