"""What organisations can set for tickets."""

from typing import Annotated

from pydantic import Field

from helpdesk_core.api import Schema


class TicketSettings(Schema):
    """Settings of an organisation, under `tickets`."""

    due_soon_minutes: Annotated[int, Field(ge=0, le=10_080)] = 60
    """How long before its due date people are reminded of a ticket, in minutes; 0 for never."""
