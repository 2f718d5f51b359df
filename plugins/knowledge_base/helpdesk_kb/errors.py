"""Refusals around the knowledge base."""

from helpdesk_core.api import Conflict, Unprocessable


class CategoryNotEmpty(Conflict):
    """This category has articles or subcategories. Say with move_to which category takes them."""


class ArticleEmpty(Unprocessable):
    """An article without content cannot be published."""


class NothingChanged(Conflict):
    """This is the content that the article has already."""


class NotForRequester(Unprocessable):
    """The person who asked cannot open this article. Publish it for customers, or choose another one."""
