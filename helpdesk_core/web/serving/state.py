"""What the application and the connections of one server process share."""

from dataclasses import dataclass

from helpdesk_core.web.serving.pressure import Pressure


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
