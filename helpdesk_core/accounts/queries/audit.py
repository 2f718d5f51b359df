"""What can be read of the audit log."""

import orjson

from helpdesk_core.accounts.schemas.audit import AuditEntryRead
from helpdesk_core.audit import AuditEntry
from helpdesk_core.queries import Computed, ReadModel, at_least, at_most, equals

audit_entries = ReadModel(
    AuditEntry,
    schema=AuditEntryRead,
    fields={
        "before": Computed(lambda _, text: orjson.loads(text), AuditEntry.before),
        "after": Computed(lambda _, text: orjson.loads(text), AuditEntry.after),
    },
    filters={
        "act": equals(AuditEntry.act),
        "actor": equals(AuditEntry.actor_id),
        "target": equals(AuditEntry.target),
        "target_id": equals(AuditEntry.target_id),
        "created_after": at_least(AuditEntry.created_at),
        "created_before": at_most(AuditEntry.created_at),
    },
    ordering=["id"],
    default_order="-id",
)
