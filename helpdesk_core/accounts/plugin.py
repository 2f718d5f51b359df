"""Organisations, users and tokens: who there is, and who is calling."""

from collections.abc import Callable, Sequence
from typing import Any

from helpdesk_core.accounts import authenticators, events, permissions, routes
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.tokens import Tokens
from helpdesk_core.clock import Clock
from helpdesk_core.database import CoreBase
from helpdesk_core.events import Event
from helpdesk_core.hookspecs import hookimpl
from helpdesk_core.permissions import Permission
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
def register_permissions() -> Sequence[Permission]:
    return permissions.ALL


@hookimpl
def register_events() -> Sequence[type[Event]]:
    return events.ALL


@hookimpl
def register_authenticators() -> Sequence[Callable[[Services], Authenticator]]:
    return [authenticators.by_access_token]


@hookimpl
def register_services() -> Sequence[Callable[[Settings, Clock], Any]]:
    return [Tokens, lambda settings, _: Passwords(settings)]
