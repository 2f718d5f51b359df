"""Articles that are written from tickets: what was asked once, and answered."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.api import Actor
from helpdesk_kb.desk import TicketDesk
from helpdesk_kb.schemas.articles import ArticleCreate
from helpdesk_kb.schemas.links import ArticleFromTicket
from helpdesk_kb.service.articles import create_article
from helpdesk_kb.service.links import link_article

LONGEST = 100_000
"""Characters of an article."""
BREAK = "\n\n---\n\n"


def article_from_ticket(
    session: Session, actor: Actor, desk: TicketDesk, ticket_id: int, data: ArticleFromTicket
) -> int:
    """Write a draft from what was asked in a ticket and what colleagues answered in public; return its key.

    Internal notes are left out. What customers wrote about themselves is not: a person has to read the draft.

    Raises:
        Invalid: there is no such category.
    """
    story = desk.story(session, ticket_id)
    draft = ArticleCreate(title=story["title"], content=_content(story), category=data.category, audience=data.audience)
    key = create_article(session, actor, draft)
    link_article(session, actor, key, ticket_id, "source")
    return key


def _content(story: Mapping[str, Any]) -> str:
    """Return the question and, below a line, its answers, as many of them as there is room for."""
    text = str(story["description"]).strip()
    between = BREAK if text else ""
    for answer in (str(each).strip() for each in story["answers"]):
        if len(text) + len(between) + len(answer) > LONGEST:
            break
        text, between = f"{text}{between}{answer}", "\n\n"
    return text
