"""Tickets, their comments and files, and the catalogue they are sorted by."""

from collections.abc import Callable

from click import Command
from pydantic import BaseModel

from helpdesk_core.api import (
    Event,
    FileStore,
    Handler,
    Job,
    LifeCycleContext,
    NotificationKind,
    Permission,
    Resource,
    Router,
    hookimpl,
)
from helpdesk_tickets import commands, demo, desk, events, handlers, jobs, notices, permissions, resources
from helpdesk_tickets.models import Base
from helpdesk_tickets.routes import (
    attachments,
    categories,
    choices,
    comments,
    filters,
    sla,
    statistics,
    tags,
    templates,
    tickets,
)
from helpdesk_tickets.schemas.settings import TicketSettings
from helpdesk_tickets.service import purging


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
def register_notification_kinds() -> tuple[NotificationKind, ...]:
    return notices.ALL


@hookimpl
def register_organization_settings() -> list[type[BaseModel]]:
    return [TicketSettings]


@hookimpl
def register_routes() -> list[Router]:
    return [
        tickets.router,
        comments.router,
        attachments.router,
        attachments.of_tickets,
        categories.router,
        tags.router,
        templates.router,
        templates.of_tickets,
        filters.router,
        sla.router,
        statistics.router,
        choices.router,
    ]


@hookimpl
def register_resources() -> tuple[Resource, ...]:
    return resources.ALL


@hookimpl
def register_demo_data() -> list[Callable[..., None]]:
    return [demo.load]


@hookimpl
def register_commands() -> list[Command]:
    return [commands.tickets]


@hookimpl(optionalhook=True)
def register_ticket_desks() -> list[desk.TicketDesk]:
    return [desk.DESK]


@hookimpl
def on_uninstall(ctx: LifeCycleContext) -> None:
    purging.discard_files(ctx.session, ctx.get(FileStore))  # type: ignore[type-abstract]  # a setting says which
