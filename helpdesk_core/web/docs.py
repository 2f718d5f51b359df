"""The interactive documentation at `/api/docs/` and the document behind it."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from helpdesk_core.plugins import PluginHost
from helpdesk_core.settings import Settings
from helpdesk_core.web.routing import Endpoint


def documentation_routes(endpoints: Sequence[Endpoint], host: PluginHost, settings: Settings) -> list[BaseRoute]:
    """Return the routes of the documentation."""
    return []
