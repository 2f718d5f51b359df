"""What the application and the connections of one server process share."""

from dataclasses import dataclass

from helpdesk_core.web.serving.pressure import Pressure

RETIREMENT_SECONDS = 150
"""How long a process that was replaced has for what it has begun: more than the slowest request may take. It ends as
soon as nobody is connected any more."""


@dataclass
class Serving:
    """One server process.

    Attributes:
        pressure: whether it is behind with its work.
        header_seconds: how long a client may take to send the head of a request.
        retiring: whether another process has taken its place: what has come in is answered, and no more than that is
            asked of its connections.
    """

    pressure: Pressure
    header_seconds: float
    retiring: bool = False
