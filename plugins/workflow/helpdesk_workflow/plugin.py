"""Automations: when something happens and conditions hold, do something."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from helpdesk_core.api import (
    Event,
    Handler,
    Job,
    LifeCycleContext,
    NotificationKind,
    Permission,
    PluginNames,
    Resource,
    Router,
    hookimpl,
)
from helpdesk_workflow import events, handlers, hookspecs, jobs, kinds, permissions, resources
from helpdesk_workflow.library import Library, TriggerShelf
from helpdesk_workflow.log import WorkflowSettings
from helpdesk_workflow.models import Base
from helpdesk_workflow.routes import automations, catalogue, executions
from helpdesk_workflow.service import forgetting


@hookimpl
def register_models() -> list[type[Base]]:
    return [Base]


@hookimpl
def register_permissions() -> tuple[Permission, ...]:
    return permissions.ALL


@hookimpl
def register_events() -> tuple[type[Event], ...]:
    return events.ALL


@hookimpl
def register_event_handlers() -> tuple[Handler, ...]:
    return handlers.ALL


@hookimpl
def register_jobs() -> tuple[Job, ...]:
    return jobs.ALL


@hookimpl
def register_routes() -> list[Router]:
    return [automations.router, executions.router, catalogue.router]


@hookimpl
def register_services() -> Sequence[Callable[..., Any]]:
    return [Library, TriggerShelf]


@hookimpl
def register_organization_settings() -> list[type[BaseModel]]:
    return [WorkflowSettings]


@hookimpl
def register_notification_kinds() -> tuple[NotificationKind, ...]:
    return kinds.ALL


@hookimpl
def register_resources() -> tuple[Resource, ...]:
    return resources.ALL


@hookimpl
def register_hookspecs() -> list[Any]:
    return [hookspecs]


@hookimpl
def forget_plugin(ctx: LifeCycleContext, names: PluginNames) -> None:
    forgetting.forget_plugin(ctx.session, names)
