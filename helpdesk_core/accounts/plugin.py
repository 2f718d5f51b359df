"""Organisations, users and tokens: who there is, and who is calling."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from helpdesk_core.accounts import (
    authenticators,
    events,
    handlers,
    jobs,
    pages,
    permissions,
    resources,
    routes,
    service,
    sockets,
)
from helpdesk_core.accounts.backup_codes import BackupCodes
from helpdesk_core.accounts.challenges import Challenges
from helpdesk_core.accounts.csrf import Csrf
from helpdesk_core.accounts.domains import DomainProof, Resolver
from helpdesk_core.accounts.letters import Letters
from helpdesk_core.accounts.links import Links
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.schemas.settings import CoreSettings
from helpdesk_core.accounts.tokens import Tokens
from helpdesk_core.clock import Clock
from helpdesk_core.database import CoreBase
from helpdesk_core.events import Event, Handler
from helpdesk_core.hookspecs import hookimpl
from helpdesk_core.jobs import Job
from helpdesk_core.permissions import Permission
from helpdesk_core.plugins import LifeCycleContext, PluginNames
from helpdesk_core.resources import Resource
from helpdesk_core.settings import Settings
from helpdesk_core.web.authentication import Authenticator
from helpdesk_core.web.context import Services
from helpdesk_core.web.routing import Router


@hookimpl
def register_models() -> Sequence[type[Any]]:
    return [CoreBase]


@hookimpl
def register_routes() -> Sequence[Router]:
    return routes.ROUTERS


@hookimpl
def register_pages() -> Sequence[Router]:
    return [pages.router]


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return permissions.ALL


@hookimpl
def register_events() -> Sequence[type[Event]]:
    return events.ALL


@hookimpl
def register_event_handlers() -> Sequence[Handler]:
    return handlers.ALL


@hookimpl
def register_jobs() -> Sequence[Job]:
    return jobs.ALL


@hookimpl
def register_authenticators() -> Sequence[Callable[[Services], Authenticator]]:
    return [authenticators.by_credential]


@hookimpl
def register_services() -> Sequence[Callable[[Settings, Clock], Any]]:
    return [
        Tokens,
        Challenges,
        Csrf,
        Links,
        Letters,
        sockets.door,
        lambda settings, _: Passwords(settings),
        lambda settings, _: BackupCodes(settings),
        lambda settings, _: DomainProof(settings),
        lambda *_: Resolver(),
    ]


@hookimpl
def register_resources() -> Sequence[Resource]:
    return resources.ALL


@hookimpl
def register_organization_settings() -> Sequence[type[BaseModel]]:
    return [CoreSettings]


@hookimpl
def forget_plugin(ctx: LifeCycleContext, names: PluginNames) -> None:
    service.forget_plugin(ctx.session, names)
