"""The vocabularies of tickets, for forms."""

from helpdesk_core.api import Schema


class Choice(Schema):
    """One word of a vocabulary, with a label for people."""

    value: str
    label: str


class Choices(Schema):
    """The words that the caller's document uses, in their order."""

    statuses: list[Choice]
    priorities: list[Choice]
    """From the least to the most urgent."""
