"""Clients of Redis for what must not wait: a server that does not answer fails the call at once, and once only."""

from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def impatient_redis(url: str, seconds: float, **options: Any) -> Redis:
    """Return a client; nothing is sent yet.

    Args:
        url: of the server.
        seconds: how long to wait for a connection, and for each answer.
        options: more of the client's own.
    """
    return Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        protocol=2,  # neither this nor the library's name costs a question at the beginning
        driver_info=None,
        **options,
    )
