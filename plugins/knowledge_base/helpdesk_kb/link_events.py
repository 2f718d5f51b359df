"""What this plugin tells of articles and tickets. `ticket_id` in a payload lets automations work on the ticket."""

from typing import ClassVar

from helpdesk_kb.events import ArticleEvent


class LinkEvent(ArticleEvent):
    """Something happened between an article and a ticket.

    Attributes:
        ticket_id: key of the ticket.
    """

    ticket_id: int


class ArticleLinked(LinkEvent):
    """An article was linked to a ticket.

    Attributes:
        kind: why, `suggested` if it may help, `source` if it was written from the ticket.
    """

    type: ClassVar[str] = "kb.article_linked"

    kind: str


class ArticleUnlinked(LinkEvent):
    """A link between an article and a ticket was removed.

    Attributes:
        kind: why they had been linked, `suggested`, `sent`, `solved` or `source`.
    """

    type: ClassVar[str] = "kb.article_unlinked"

    kind: str


class ArticleSent(LinkEvent):
    """An article was sent to the requester of a ticket.

    Attributes:
        comment_id: key of the comment that names it.
    """

    type: ClassVar[str] = "kb.article_sent"

    comment_id: int


class ArticleSolvedTicket(LinkEvent):
    """Somebody said that an article solved a ticket; once for each ticket and article.

    Attributes:
        user_id: key of the user who said it.
        author_id: key of the user who wrote the article.
    """

    type: ClassVar[str] = "kb.article_solved_ticket"

    user_id: int
    author_id: int


ALL = (ArticleLinked, ArticleUnlinked, ArticleSent, ArticleSolvedTicket)
