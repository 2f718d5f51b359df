"""What is counted: buckets, what a request takes from one, and how that one stands afterwards."""

from dataclasses import dataclass
from typing import NamedTuple

from helpdesk_core.settings import Settings

HOUR = 3600
MINUTE = 60
UNBOUNDED = 2**53
"""More than anybody ever counts to; what a counter may reach when nothing is refused."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many requests in a window of time, which begins with the first of them.

    Attributes:
        name: as clients see it.
        limit: requests that a window grants.
        seconds: length of the window.
        most: what a counter may reach: `limit`, or more when requests are counted and never refused.
        strict: whether it is counted on the spot when the store does not answer; others let requests pass then.
    """

    name: str
    limit: int
    seconds: int
    most: int
    strict: bool = False


class Charge(NamedTuple):
    """One request, to be taken from one counter.

    Attributes:
        key: of the counter, unique in the installation.
        begins: what a counter counts to that begins with this request; 1 unless more was counted elsewhere before.
        reset_at: when such a counter ends, in seconds since 1970.
        most: what the counter may reach; a request that would go beyond is refused.
        name: of the bucket, as clients see it.
        limit: as clients see it; nothing for a counter that limits nobody.
        seconds: length of the window.
        strict: see `Bucket`.
    """

    key: str
    begins: int
    reset_at: int
    most: int
    name: str
    limit: int | None
    seconds: int
    strict: bool = False


class Standing(NamedTuple):
    """How a counter stands.

    Attributes:
        charge: what was taken, or would have been.
        used: what is counted in the present window.
        reset_at: when the window ends, in seconds since 1970.
    """

    charge: Charge
    used: int
    reset_at: int

    @property
    def remaining(self) -> int:
        """Return how many requests are left; of a counter without a limit, more than anybody can send."""
        limit = self.charge.limit
        return UNBOUNDED if limit is None else max(0, limit - self.used)


@dataclass(frozen=True, slots=True)
class Buckets:
    """Every bucket of the installation.

    Attributes:
        general: of each user, over all tokens and sessions, and of each API key.
        anonymous: of each address, for callers without a valid credential.
        authentication: of each address and of each account that is named.
        uploads: of each user, and of each API key.
        webhooks: of each user, and of each API key.
    """

    general: Bucket
    anonymous: Bucket
    authentication: Bucket
    uploads: Bucket
    webhooks: Bucket


def buckets_of(settings: Settings) -> Buckets:
    """Return the buckets that the settings ask for."""
    counts_only = settings.limits == "count"

    def bucket(name: str, limit: int, seconds: int, *, strict: bool = False) -> Bucket:
        return Bucket(name, limit, seconds, UNBOUNDED if counts_only else limit, strict)

    return Buckets(
        general=bucket("general", settings.limit_general, HOUR),
        anonymous=bucket("anonymous", settings.limit_anonymous, HOUR),
        authentication=bucket("authentication", settings.limit_authentication, MINUTE, strict=True),
        uploads=bucket("uploads", settings.limit_uploads, HOUR),
        webhooks=bucket("webhooks", settings.limit_webhooks, HOUR),
    )


def charge(bucket: Bucket, whose: str, now: int) -> Charge:
    """Return what one request takes from a bucket of `whose`, `user:5` for instance."""
    name, limit, seconds, most, strict = bucket.name, bucket.limit, bucket.seconds, bucket.most, bucket.strict
    return Charge(f"{name}:{whose}", 1, now + seconds, most, name, limit, seconds, strict)


def least(standings: list[Standing]) -> Standing | None:
    """Return the standing with the fewest requests left, which will refuse first; of equals, the one that lasts longer.

    Requests are compared, not shares of a limit: 999 of 1,000 end sooner than 50,000 of 100,000.
    """
    found: Standing | None = None
    left = UNBOUNDED
    for each in standings:
        limit = each.charge.limit
        if limit is None:
            continue
        remaining = max(0, limit - each.used)
        if remaining < left or (found is not None and remaining == left and each.reset_at > found.reset_at):
            found, left = each, remaining
    return found
