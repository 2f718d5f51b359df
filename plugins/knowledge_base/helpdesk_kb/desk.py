"""Tickets, as far as this plugin knows them: through whichever plugin has them, if the organisation has one on."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Contributions, Invalid, NotFound, PluginNotEnabled, Viewer, Visibility

HOOK = "register_ticket_desks"
USUAL_PROVIDER = "tickets"


class TicketDesk(Protocol):
    """What a plugin with tickets contributes; `hookspecs.py` says what each part does."""

    entity: Any
    exists: ColumnElement[bool]
    visible: Visibility

    def find(self, session: Session, viewer: Viewer, ticket: int | str) -> int: ...

    def briefs(self, session: Session, viewer: Viewer, keys: Sequence[int]) -> Mapping[int, Mapping[str, Any]]: ...

    def requester(self, session: Session, ticket_id: int) -> int: ...

    def story(self, session: Session, ticket_id: int) -> Mapping[str, Any]: ...

    def reply(self, session: Session, actor: Actor, ticket_id: int, content: str) -> int: ...

    def remaining(self, session: Session, keys: Sequence[int]) -> set[int]: ...

    def __hash__(self) -> int: ...


def desk_of(contributions: Contributions, session: Session) -> TicketDesk:
    """Return the desk of the session's organisation.

    Raises:
        PluginNotEnabled: it has no tickets.
        PluginUnavailable: the plugin that has them does not run at present.
    """
    desks: list[TicketDesk] = contributions.needed(HOOK, session)
    if not desks:
        raise PluginNotEnabled(details={"plugin": provider_of_tickets(contributions)})
    return desks[0]


def provider_of_tickets(contributions: Contributions) -> str:
    """Return the id of the plugin whose tickets articles are linked to; where none runs, the one that usually has."""
    return next((plugin for plugin, _ in contributions.all(HOOK)), USUAL_PROVIDER)


def named_ticket(desk: TicketDesk, session: Session, viewer: Viewer, ticket: int | str) -> int:
    """Return the key of the ticket that a body names.

    Raises:
        Invalid: there is none that `viewer` may see.
    """
    try:
        return desk.find(session, viewer, ticket)
    except NotFound:
        raise Invalid.field("ticket", "There is no such ticket.") from None
