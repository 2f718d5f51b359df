"""The audit log as it is shown."""

from typing import Any

from helpdesk_core.schemas import DbInt, Filters, Line, Schema, UntilDateTime, UtcDateTime, Words


class AuditEntryRead(Schema):
    """One security-relevant act."""

    id: DbInt
    """Its number in the organisation's log, from 1 and without gaps."""
    created_at: UtcDateTime
    act: str
    """What was done, `<thing>.<done>`."""
    actor_id: DbInt | None
    """Who did it; nothing for the system, and for commands of the operator."""
    credential: str
    """What they showed: `jwt`, `session`, `api_key 12`, `command`, or nothing."""
    address: str
    target: str
    """Kind of the thing that it was done to."""
    target_id: DbInt | None
    before: dict[str, Any]
    """The fields that changed, as they were."""
    after: dict[str, Any]
    """The same fields, as they are since."""
    seal: str
    """Proves the entry and, through the seals before it, its place in the log."""


class AuditFilters(Filters):
    """How the audit log is narrowed."""

    act: Words[Line] | None = None
    actor: DbInt | None = None
    target: Words[Line] | None = None
    target_id: DbInt | None = None
    created_after: UtcDateTime | None = None
    created_before: UntilDateTime | None = None
