"""The change feed and the catalogue of events."""

from collections.abc import Sequence

from helpdesk_core.changefeed import permissions, routes
from helpdesk_core.hookspecs import hookimpl
from helpdesk_core.permissions import Permission
from helpdesk_core.web.routing import Router


@hookimpl
def register_routes() -> Sequence[Router]:
    return [routes.changes, routes.events]


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return permissions.ALL
