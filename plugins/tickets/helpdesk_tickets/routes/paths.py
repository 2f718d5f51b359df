"""Tickets in paths: by their integer key or by their UUID (rule R4)."""

from typing import Annotated

from pydantic import Field

from helpdesk_core.api import Context, PathPattern
from helpdesk_tickets.queries.tickets import find_ticket

TicketKey = Annotated[
    int | str,
    Field(union_mode="left_to_right"),
    PathPattern(r"[0-9]{1,19}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
]
"""A ticket in a path."""


def found(ctx: Context, ticket: int | str) -> int:
    """Return the key of the ticket that a path names; `NotFound` unless the caller may see it."""
    return find_ticket(ctx.session, ctx.viewer, ticket)
