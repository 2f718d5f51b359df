"""What can be read of searches that found nothing."""

from helpdesk_core.api import ReadModel, words_in
from helpdesk_kb.models import SearchMiss
from helpdesk_kb.schemas.searches import MissRead

misses = ReadModel(
    SearchMiss,
    schema=MissRead,
    ordering={"times": SearchMiss.times, "last_searched_at": SearchMiss.last_searched_at, "query": SearchMiss.query},
    default_order="-times",
    search=words_in(SearchMiss.query),
)
