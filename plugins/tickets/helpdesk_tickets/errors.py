"""Refusals around tickets."""

from helpdesk_core.api import Unprocessable


class TicketClosed(Unprocessable):
    """A closed ticket can only be reopened."""

    code = "VALIDATION_ERROR"
