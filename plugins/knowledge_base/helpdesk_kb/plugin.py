"""Articles that answer questions, categories that they are found in, and a help centre to read them."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from helpdesk_core.api import (
    Contributions,
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
from helpdesk_kb import demo, events, handlers, hookspecs, jobs, link_events, notices, pages, permissions, resources
from helpdesk_kb.desk import provider_of_tickets
from helpdesk_kb.models import Base
from helpdesk_kb.routes import articles, categories, links, searches, translations, versions
from helpdesk_kb.schemas.settings import KbSettings
from helpdesk_kb.service.links import forget_all_links


@hookimpl
def register_models() -> list[type[Base]]:
    return [Base]


@hookimpl
def register_permissions() -> tuple[Permission, ...]:
    return permissions.ALL


@hookimpl
def register_events() -> tuple[type[Event], ...]:
    return (*events.ALL, *link_events.ALL)


@hookimpl
def register_event_handlers() -> tuple[Handler, ...]:
    return handlers.ALL


@hookimpl
def register_jobs() -> tuple[Job, ...]:
    return jobs.ALL


@hookimpl
def register_notification_kinds() -> tuple[NotificationKind, ...]:
    return notices.ALL


@hookimpl
def register_organization_settings() -> list[type[BaseModel]]:
    return [KbSettings]


@hookimpl
def register_routes() -> list[Router]:
    by_article = [articles.router, translations.router, versions.router, links.router]
    return [*by_article, categories.router, searches.router]


@hookimpl
def register_pages() -> list[Router]:
    return [pages.router]


@hookimpl
def register_resources() -> tuple[Resource, ...]:
    return resources.ALL


@hookimpl
def register_demo_data() -> list[Callable[..., None]]:
    return [demo.load]


@hookimpl
def register_hookspecs() -> list[Any]:
    return [hookspecs]


@hookimpl
def forget_plugin(ctx: LifeCycleContext, names: PluginNames) -> None:
    if names.id == provider_of_tickets(ctx.get(Contributions)):
        forget_all_links(ctx.session)
