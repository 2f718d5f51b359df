"""What can be read of SLA policies."""

from helpdesk_core.api import ReadModel, equals, words_in
from helpdesk_tickets.models import SlaPolicy
from helpdesk_tickets.schemas.sla import SlaPolicyRead

sla_policies = ReadModel(
    SlaPolicy,
    schema=SlaPolicyRead,
    filters={"priority": equals(SlaPolicy.priority), "is_active": equals(SlaPolicy.is_active)},
    ordering=["priority", "name", "created_at", "updated_at"],
    default_order="-priority",
    search=words_in(SlaPolicy.name),
)
