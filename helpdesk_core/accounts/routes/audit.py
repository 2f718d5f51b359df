"""The audit log of one's organisation."""

from helpdesk_core.accounts import permissions, queries
from helpdesk_core.accounts.schemas.audit import AuditEntryRead, AuditFilters
from helpdesk_core.schemas import Dialect, Page
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router

router = Router("audit-log", tag="Audit", document=Dialect.COMPREHENSIVE)


@router.get("/", permission=permissions.VIEW_AUDIT_LOG)
def list_audit_entries(ctx: Context, query: AuditFilters) -> Page[AuditEntryRead]:
    """Security-relevant acts in the organization, newest first."""
    return ctx.page(queries.audit_entries, query)


@router.get("/{entry_id}/", permission=permissions.VIEW_AUDIT_LOG)
def retrieve_audit_entry(ctx: Context, entry_id: Key) -> AuditEntryRead:
    """One act."""
    return ctx.one(queries.audit_entries, entry_id)
