"""What can be read of the history of a ticket: every field that changed, oldest first."""

from typing import Any

from helpdesk_core.api import Computed, ReadModel, Viewer, equals, words_in
from helpdesk_tickets.models import TicketChange
from helpdesk_tickets.schemas.history import ChangeRead, ClassicChangeRead
from helpdesk_tickets.schemas.tickets import CLASSIC_NAMES
from helpdesk_tickets.vocabulary import CLASSIC, COMPREHENSIVE, SHOWN


def _field(viewer: Viewer, field: str) -> str:
    """Return what the viewer's document calls a field."""
    return CLASSIC_NAMES.get(field, field) if viewer.dialect is CLASSIC else field


def _value(viewer: Viewer, field: str, value: Any) -> Any:
    """Return a value in the words of the viewer's document."""
    return SHOWN[viewer.dialect].get(value, value) if field == "status" else value


history: ReadModel[ChangeRead | ClassicChangeRead] = ReadModel(
    TicketChange,
    schema={COMPREHENSIVE: ChangeRead, CLASSIC: ClassicChangeRead},
    fields={
        "field": Computed(_field, TicketChange.field),
        "before": Computed(_value, TicketChange.field, TicketChange.before),
        "after": Computed(_value, TicketChange.field, TicketChange.after),
    },
    filters={"ticket": equals(TicketChange.ticket_id)},
    ordering={"created_at": TicketChange.id, "id": TicketChange.id},
    default_order="created_at",
    search=words_in(TicketChange.field),
)
