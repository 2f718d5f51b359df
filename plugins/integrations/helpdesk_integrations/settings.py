"""What each organisation can set for this plugin, and where the installation is."""

from typing import Annotated

from pydantic import Field

from helpdesk_core.api import Schema


class IntegrationSettings(Schema):
    """Settings under `integrations`."""

    log_days: Annotated[int, Field(ge=1, le=365)] = 30
    """How long deliveries of webhooks and the log of calls are kept."""
