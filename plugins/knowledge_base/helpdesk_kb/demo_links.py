"""What becomes of the articles of the demonstration: they are searched for, opened, sent, and solve tickets."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import product

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Contributions, acting
from helpdesk_kb.desk import HOOK, TicketDesk
from helpdesk_kb.models import Article
from helpdesk_kb.service.links import link_article, solve_ticket
from helpdesk_kb.service.searches import keep_search, note_click

SEARCHED = {"transfer pending": 9, "card declined": 7, "lost card": 6, "refund": 4, "exchange rate": 3}
"""How often people searched for what is in a title."""
IN_VAIN = {"crypto wallet": 5, "joint account": 3}
LINKED = 6
"""Articles that are linked to tickets."""


def search_and_open(session: Session, now: datetime) -> None:
    """Search for answers, and open one two times out of three."""
    for number, (query, times) in enumerate(SEARCHED.items()):
        wanted = [Article.title.icontains(word) for word in query.split()]
        found = session.scalars(select(Article.id).where(Article.status == "published", *wanted)).all()
        for place in range(times):
            moment = now - timedelta(days=place * 3, hours=number)
            search = keep_search(session, query, len(found), moment)
            if found and place % 3 < 2:
                note_click(session, search, found[0])
    for query, times in IN_VAIN.items():
        for place in range(times):
            keep_search(session, query, 0, now - timedelta(days=place * 5))


def work_with_tickets(session: Session, agent: Actor, now: datetime) -> None:
    """Link articles to tickets, some of which they solved, if there are tickets."""
    contributions: Contributions = session.info["bus"].extra[Contributions]
    for desk in contributions.of(HOOK, session)[:1]:
        entity = desk.entity
        tickets = session.scalars(select(entity.id).where(desk.exists).order_by(entity.id.desc()).limit(LINKED)).all()
        _link(session, desk, agent, tickets, now)


def _link(session: Session, desk: TicketDesk, agent: Actor, tickets: Sequence[int], now: datetime) -> None:
    published = select(Article.id).where(Article.status == "published", Article.audience == "public")
    found = session.scalars(published.order_by(Article.id).limit(LINKED)).all()
    for article, (place, ticket) in product(found, enumerate(tickets)):
        if (article + place) % 3 == 0:
            continue
        with acting(session, agent, now - timedelta(hours=place + 1)):
            link_article(session, agent, article, ticket)
            if (article + place) % 3 == 1:
                solve_ticket(session, agent, desk, article, ticket)
