"""What goes over the wire about tickets for the socket."""

from helpdesk_core.schemas import Schema, UtcDateTime


class TicketRead(Schema):
    """A ticket; it is shown this once."""

    ticket: str
    expires_at: UtcDateTime
    expires_in: int
    """Seconds."""
