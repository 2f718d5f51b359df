"""Whether articles helped: one say for each person, which they can change and take back."""

from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, now, publish
from helpdesk_kb.events import ArticleVoted
from helpdesk_kb.models import Article, ArticleVote
from helpdesk_kb.schemas.articles import Vote, VoteRead
from helpdesk_kb.service.reach import reach_of
from helpdesk_kb.service.rows import article_of


def vote(session: Session, actor: Actor, article_id: int, data: Vote) -> VoteRead:
    """Say whether an article was helpful, instead of what the actor has said before."""
    article = article_of(session, article_id)  # locked: two votes of one person must not both be the first
    moment = now(session)
    given = session.get(ArticleVote, (article_id, actor.user_id))
    before = given.helpful if given else None
    if given is None:
        given = ArticleVote(article_id=article_id, user_id=actor.user_id, created_at=moment)
        session.add(given)
    given.helpful, given.reason, given.updated_at = data.helpful, data.reason, moment
    _count(article, before, data.helpful)
    session.flush()
    if before is not data.helpful or data.reason:
        _announce(session, actor, article, before, data.helpful, with_reason=bool(data.reason))
    return VoteRead(
        helpful=data.helpful,
        reason=data.reason,
        helpful_votes=article.helpful_votes,
        not_helpful_votes=article.not_helpful_votes,
    )


def withdraw_vote(session: Session, actor: Actor, article_id: int) -> None:
    """Take back what the actor has said; nothing happens if that is nothing."""
    article = article_of(session, article_id)
    given = session.get(ArticleVote, (article_id, actor.user_id))
    if given is None:
        return
    session.delete(given)
    _count(article, given.helpful, None)
    session.flush()
    _announce(session, actor, article, given.helpful, None)


def _count(article: Article, before: bool | None, after: bool | None) -> None:  # noqa: FBT001 - a vote is yes or no
    article.helpful_votes += (after is True) - (before is True)
    article.not_helpful_votes += (after is False) - (before is False)


def _announce(
    session: Session,
    actor: Actor,
    article: Article,
    before: bool | None,  # noqa: FBT001
    helpful: bool | None,  # noqa: FBT001
    *,
    with_reason: bool = False,
) -> None:
    publish(
        session,
        ArticleVoted(
            article_id=article.id,
            reach=reach_of(article),
            user_id=actor.user_id,
            author_id=article.author_id,
            helpful=helpful,
            before=before,
            with_reason=with_reason,
        ),
    )
