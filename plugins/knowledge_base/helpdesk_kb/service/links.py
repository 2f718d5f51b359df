"""Links between articles and tickets: what may help, what was sent, what solved the problem."""

import re
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, AlreadyExists, PermissionDenied, actor_of, insertion, now, publish
from helpdesk_kb.addresses import address_of
from helpdesk_kb.desk import TicketDesk
from helpdesk_kb.errors import NotForRequester
from helpdesk_kb.link_events import ArticleLinked, ArticleSent, ArticleSolvedTicket, ArticleUnlinked
from helpdesk_kb.link_models import ArticleLink
from helpdesk_kb.models import Article
from helpdesk_kb.permissions import LINK
from helpdesk_kb.queries.languages import title_for
from helpdesk_kb.queries.links import can_open
from helpdesk_kb.service.reach import reach_of

AT_ONCE = 500
"""Links that are looked at in one go."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be sent.

    Attributes:
        article_id: key of the article.
        ticket_id: key of the ticket whose requester gets it.
        message: what stands before the article.
        host: scheme and host of addresses.
    """

    article_id: int
    ticket_id: int
    message: str
    host: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent.

    Attributes:
        content: the comment.
        url: where the requester opens the article.
        comment_id: key of the comment.
        link_id: key of the link.
    """

    content: str
    url: str
    comment_id: int
    link_id: int


_add = insertion(ArticleLink, returning="id", unless_taken=True)


def link_article(session: Session, actor: Actor, article_id: int, ticket_id: int, kind: str = "suggested") -> int:
    """Link an article to a ticket, and return the key of the link.

    Raises:
        AlreadyExists: they are linked in this way.
    """
    key, is_new = _keep(session, actor, article_id, ticket_id, kind)
    if not is_new:
        raise AlreadyExists.field("ticket", "This article is linked to the ticket already.")
    reach = reach_of(session.get_one(Article, article_id))
    publish(session, ArticleLinked(article_id=article_id, reach=reach, ticket_id=ticket_id, kind=kind))
    return key


def solve_ticket(session: Session, actor: Actor, desk: TicketDesk, article_id: int, ticket_id: int) -> int:
    """Say that an article solved a ticket, and return the key of the link; nothing happens if it was said before.

    Raises:
        PermissionDenied: the ticket is somebody else's, and the actor does not work on tickets.
    """
    if desk.requester(session, ticket_id) != actor.user_id:
        actor.require(LINK, "Only the person who asked and colleagues can say what solved a ticket.")
    key, is_new = _keep(session, actor, article_id, ticket_id, "solved")
    if is_new:
        article = session.get_one(Article, article_id)
        told = {"article_id": article_id, "ticket_id": ticket_id, "user_id": actor.user_id}
        publish(session, ArticleSolvedTicket(**told, reach=reach_of(article), author_id=article.author_id))
    return key


def send_article(session: Session, actor: Actor, desk: TicketDesk, letter: Letter) -> Sent:
    """Write to the requester of a ticket about an article, with its title in their language and its address as a link.

    Raises:
        NotForRequester: the requester cannot open the article.
        PermissionDenied: the actor may not comment on tickets.
    """
    article = session.get_one(Article, letter.article_id)
    requester = actor_of(session, desk.requester(session, letter.ticket_id))
    if requester is None or not can_open(requester, article):
        raise NotForRequester
    url = address_of(session, letter.host, article)
    content = f"{letter.message.rstrip()}\n\n{in_markdown(title_for(session, requester, article), url)}".lstrip()
    comment = desk.reply(session, actor, letter.ticket_id, content)
    key, _ = _keep(session, actor, article.id, letter.ticket_id, "sent")
    told = {"article_id": article.id, "ticket_id": letter.ticket_id, "comment_id": comment}
    publish(session, ArticleSent(**told, reach=reach_of(article)))
    return Sent(content, url, comment, key)


def unlink_article(session: Session, actor: Actor, link_id: int) -> None:
    """Remove a link.

    Raises:
        PermissionDenied: somebody else made it, and the actor does not link articles.
    """
    link = session.get_one(ArticleLink, link_id)
    if link.user_id != actor.user_id and not actor.can(LINK):
        raise PermissionDenied("Only colleagues can remove what somebody else has linked.")
    article = session.get_one(Article, link.article_id)
    told = ArticleUnlinked(article_id=article.id, reach=reach_of(article), ticket_id=link.ticket_id, kind=link.kind)
    session.delete(link)
    session.flush()
    publish(session, told)


def in_markdown(title: str, url: str) -> str:
    r"""Return a link to an article.

    >>> in_markdown("Limits [2026]", "https://example.com/help/")
    '[Limits \\[2026\\]](https://example.com/help/)'
    """
    escaped = re.sub(r"([\\\[\]])", r"\\\1", title)
    return f"[{escaped}]({url})"


def forget_links(session: Session, desk: TicketDesk) -> None:
    """Remove links to tickets that are gone for good."""
    last = 0
    while True:
        some = select(ArticleLink.ticket_id).where(ArticleLink.ticket_id > last).distinct()
        keys = session.scalars(some.order_by(ArticleLink.ticket_id).limit(AT_ONCE)).all()
        if not keys:
            return
        gone = set(keys) - desk.remaining(session, keys)
        session.execute(delete(ArticleLink).where(ArticleLink.ticket_id.in_(gone)))
        last = keys[-1]


def forget_all_links(session: Session) -> None:
    """Remove every link: the plugin that has the tickets is being uninstalled."""
    session.execute(delete(ArticleLink))


def _keep(session: Session, actor: Actor, article_id: int, ticket_id: int, kind: str) -> tuple[int, bool]:
    """Return the key of a link, and whether it is new."""
    facts = {"article_id": article_id, "ticket_id": ticket_id, "kind": kind}
    added = _add.rows(session, {**facts, "user_id": actor.user_id, "created_at": now(session)})
    if added:
        return int(added[0][0]), True
    return session.scalars(select(ArticleLink.id).filter_by(**facts)).one(), False
