"""`/meta/choices/`"""

from collections.abc import Iterable

from helpdesk_core.api import Context, Router
from helpdesk_tickets.models import PRIORITIES
from helpdesk_tickets.permissions import VIEW_CATALOGUE
from helpdesk_tickets.schemas.choices import Choice, Choices
from helpdesk_tickets.vocabulary import SHOWN

router = Router("meta/choices", tag="Vocabularies")


@router.get("/", permission=VIEW_CATALOGUE)
def list_choices(ctx: Context) -> Choices:
    """The words for the state and the priority of a ticket, in the caller's document."""
    return Choices(statuses=_labelled(SHOWN[ctx.dialect].values()), priorities=_labelled(PRIORITIES))


def _labelled(words: Iterable[str]) -> list[Choice]:
    return [Choice(value=word, label=word.replace("_", " ").title()) for word in dict.fromkeys(words)]
