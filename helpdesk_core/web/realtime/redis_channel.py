"""Waking other processes through Redis."""

import threading
from collections.abc import Callable

from helpdesk_core.impatient_redis import impatient_redis
from helpdesk_core.web.realtime.wakers import NAME

PATIENCE_SECONDS = 0.25


class RedisChannel:
    """A channel of Redis; what nobody listens to is gone, which costs nobody anything."""

    def __init__(self, url: str) -> None:
        """Prepare; nothing is sent yet."""
        self._redis = impatient_redis(url, PATIENCE_SECONDS)

    def announce(self) -> None:
        """Tell the others."""
        self._redis.publish(NAME, b"")

    def listen(self, stopped: threading.Event, heard: Callable[[], None]) -> None:
        """Call `heard` whenever somebody announces something, until `stopped` is set."""
        with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:  # type: ignore[no-untyped-call]
            subscription.subscribe(NAME)
            heard()  # for what was committed while nobody listened
            while not stopped.is_set():
                if subscription.get_message(timeout=0.2) is not None:
                    heard()

    def close(self) -> None:
        """Let connections go."""
        self._redis.close()
