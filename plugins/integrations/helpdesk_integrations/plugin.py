"""Webhooks, which tell other systems what happens here, and API integrations, which call them."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from helpdesk_core.api import (
    Event,
    Handler,
    Job,
    LifeCycleContext,
    Metric,
    NotificationKind,
    Permission,
    PluginNames,
    Resource,
    Router,
    hookimpl,
)
from helpdesk_integrations import events, handlers, jobs, kinds, metrics, permissions, public, resources
from helpdesk_integrations.models import Base
from helpdesk_integrations.routes import apis, deliveries, oauth, webhooks
from helpdesk_integrations.service import forgetting
from helpdesk_integrations.settings import IntegrationSettings


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
def register_routes() -> list[Router]:
    return [webhooks.router, deliveries.router, apis.router, oauth.router]


@hookimpl
def register_event_handlers() -> list[Handler]:
    return [handlers.tell_webhooks, handlers.tell_administrators]


@hookimpl
def register_jobs() -> Sequence[Job]:
    return jobs.ALL


@hookimpl
def register_services() -> list[Callable[..., Any]]:
    return [public.public_url]


@hookimpl
def register_organization_settings() -> list[type[BaseModel]]:
    return [IntegrationSettings]


@hookimpl
def register_resources() -> tuple[Resource, ...]:
    return resources.ALL


@hookimpl
def register_notification_kinds() -> tuple[NotificationKind, ...]:
    return kinds.ALL


@hookimpl
def register_metrics() -> tuple[Metric, ...]:
    return metrics.ALL


@hookimpl
def forget_plugin(ctx: LifeCycleContext, names: PluginNames) -> None:
    forgetting.forget_plugin(ctx.session, names)
