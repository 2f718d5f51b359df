"""Counters in Redis, for installations with several machines: one script for each request."""

from collections.abc import Sequence
from typing import Any

from redis import RedisError

from helpdesk_core.impatient_redis import impatient_redis
from helpdesk_core.limits.buckets import Charge, Standing
from helpdesk_core.limits.stores import PATIENCE_SECONDS, Counts, StoreUnavailable

PREFIX = "{helpdesk:limits}:"
"""In braces what a cluster places keys by: a script must find all of its keys on one server."""

# A counter is a hash; Redis forgets it by itself a minute after its window, by its own clock.
_SPEND = """
local now, units = tonumber(ARGV[1]), tonumber(ARGV[2])
local counts, full = {}, false
for place, key in ipairs(KEYS) do
    local stored = redis.call('HMGET', key, 'used', 'reset_at')
    local used, reset_at = tonumber(stored[1]), tonumber(stored[2])
    local begins, ends = tonumber(ARGV[place * 3]), tonumber(ARGV[place * 3 + 1])
    if not used or reset_at <= now then used, reset_at = begins - 1, ends end
    if used + units > tonumber(ARGV[place * 3 + 2]) then full = true end
    counts[place] = {used, reset_at}
end
if full then return {0, counts} end
for place, key in ipairs(KEYS) do
    local count = counts[place]
    count[1] = count[1] + units
    redis.call('HSET', key, 'used', count[1], 'reset_at', count[2])
    redis.call('EXPIRE', key, math.max(count[2] - now, 0) + 60)
end
return {1, counts}
"""
_GIVE_BACK = """
for place, key in ipairs(KEYS) do
    local stored = redis.call('HMGET', key, 'used', 'reset_at')
    if stored[1] and tonumber(stored[2]) == tonumber(ARGV[place + 1]) then
        redis.call('HSET', key, 'used', math.max(tonumber(stored[1]) - tonumber(ARGV[1]), 0))
    end
end
return 0
"""


class RedisStore:
    """Counters in Redis, shared by every process that knows its URL."""

    def __init__(self, url: str) -> None:
        """Prepare; nothing is sent yet. A server that does not answer fails the call, and is not tried again."""
        self._redis = impatient_redis(url, PATIENCE_SECONDS, decode_responses=True)
        self._spend = self._redis.register_script(_SPEND)
        self._give_back = self._redis.register_script(_GIVE_BACK)

    def spend(self, charges: Sequence[Charge], now: int, units: int = 1) -> tuple[bool, Counts]:
        """Take every charge `units` times, or none."""
        arguments = [now, units, *(part for charge in charges for part in charge[1:4])]
        granted, counts = self._ask(self._spend, charges, arguments)
        return bool(granted), [(used, reset_at) for used, reset_at in counts]

    def look(self, charges: Sequence[Charge], now: int) -> Counts:
        """Return how the counters stand."""
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                for charge in charges:
                    pipeline.hmget(PREFIX + charge.key, "used", "reset_at")
                stored = pipeline.execute()
        except RedisError as error:
            raise StoreUnavailable(str(error)) from error
        return [
            (int(used), int(reset_at))
            if used is not None and int(reset_at) > now
            else (charge.begins - 1, charge.reset_at)
            for charge, (used, reset_at) in zip(charges, stored, strict=True)
        ]

    def give_back(self, standings: Sequence[Standing], units: int = 1) -> None:
        """Undo `spend`."""
        ends = [standing.reset_at for standing in standings]
        self._ask(self._give_back, [standing.charge for standing in standings], [units, *ends])

    def clean(self, now: int) -> None:
        """Do nothing: Redis forgets by itself."""

    def close(self) -> None:
        """Close every connection."""
        self._redis.close()

    def _ask(self, script: Any, charges: Sequence[Charge], arguments: Sequence[Any]) -> Any:
        try:
            return script(keys=[PREFIX + charge.key for charge in charges], args=arguments)
        except RedisError as error:
            raise StoreUnavailable(str(error)) from error
