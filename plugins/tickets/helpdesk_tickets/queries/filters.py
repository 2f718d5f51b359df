"""What can be read of saved filters."""

from helpdesk_core.api import Column, ReadModel, equals, words_in
from helpdesk_tickets.models import SavedFilter
from helpdesk_tickets.permissions import SHARE_FILTERS
from helpdesk_tickets.queries.sharing import OwnOrShared
from helpdesk_tickets.schemas.filters import SavedFilterDetails, SavedFilterRead

VISIBLE = OwnOrShared(SHARE_FILTERS, SavedFilter.owner_id, SavedFilter.is_public)

saved_filters = ReadModel(
    SavedFilter,
    schema=SavedFilterRead,
    optional=SavedFilterDetails,
    fields={"owner": Column(SavedFilter.owner_id)},
    filters={"is_public": equals(SavedFilter.is_public)},
    ordering=["name", "created_at", "updated_at"],
    default_order="name",
    search=words_in(SavedFilter.name),
    visible=VISIBLE,
)
