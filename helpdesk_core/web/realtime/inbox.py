"""What the socket does with notifications, if there are any: a plugin that keeps them registers this as a service."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from helpdesk_core.permissions import Actor


@dataclass(frozen=True)
class Inbox:
    """The notifications of people.

    Attributes:
        mark_read: `(session, actor, key)` marks a notification of the actor's as read, and tells whether there is one.
            The session is of the actor's organisation, writes, and is committed afterwards.
    """

    mark_read: Callable[[Session, Actor, int], bool]
