"""What a request takes from which bucket, what its answer tells of that, and the refusal when one is empty."""

from collections import Counter
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from ipaddress import AddressValueError, IPv6Address
from typing import Literal

from sqlalchemy.orm import Session

from helpdesk_core.clock import api_time
from helpdesk_core.errors import RateLimitExceeded
from helpdesk_core.limits.buckets import Charge, Standing, buckets_of, charge, least
from helpdesk_core.limits.leases import Leases
from helpdesk_core.limits.quota import NAME, Quota
from helpdesk_core.limits.spending import Spending
from helpdesk_core.settings import Settings
from helpdesk_core.web.answers import Answer, RawHeaders
from helpdesk_core.web.authentication import Principal
from helpdesk_core.web.context import Context
from helpdesk_core.web.requests import Incoming
from helpdesk_core.web.routing import Endpoint

HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy", "RateLimit")
_POLICIES = {"general": b"default"}
"""What the header fields call a bucket, where that is not its name."""


class Limits:
    """Rate limits and quotas of every request below `/api/v1/`."""

    def __init__(self, settings: Settings, leases: Leases, quota: Quota) -> None:
        """Prepare.

        Args:
            settings: whether anything is counted or refused, and the limits.
            leases: where it is counted.
            quota: knows the quotas of organisations.
        """
        self._on = settings.limits != "off"
        self._leases = leases
        self._quota = quota
        self.buckets = buckets_of(settings)
        self._general = self.buckets.general
        self.refused: Counter[str] = Counter()

    def close(self, moment: datetime) -> None:
        """Give back what nobody has used at `moment`, and let go of the stores' connections."""
        self._leases.close(int(moment.timestamp()))

    def begin(self, moment: datetime) -> Spending | None:
        """Return what a request that arrives at `moment` has spent: nothing yet."""
        return Spending(self._leases, int(moment.timestamp())) if self._on else None

    def spend(
        self,
        spending: Spending | None,
        endpoint: Endpoint | None,
        *,
        incoming: Incoming,
        principal: Principal | None,
        session: Session,
    ) -> None:
        """Take what a request costs, as soon as its caller is known and before anything else is done for them.

        Args:
            spending: of the request; nothing when nothing is counted.
            endpoint: where the request goes; nothing for unknown paths.
            incoming: the request.
            principal: the caller; nothing without a valid credential.
            session: reads, and may not have its organisation yet.

        Raises:
            RateLimitExceeded: one of the buckets is empty; then nothing was taken from the others.
        """
        if spending is None:
            return
        cost = endpoint.limit if endpoint is not None else ""
        charges = self._of_caller(session, incoming, principal, spending.now, general=cost == "general")
        if cost == "none" and principal is not None:
            spending.look(charges)
            return
        if principal is not None and len(charges) == 1:
            spending.free = principal.actor.organization_id
        if endpoint is not None and (cost or endpoint.upload is not None):
            charges += self._of_endpoint(endpoint, incoming, principal, spending.now)
        granted, asked = spending.take(charges)
        if principal is not None and len(asked) > 1 and asked[1].charge.name == NAME:
            self._quota.note(principal.actor.organization_id, asked[1])
        if not granted:
            raise self._refusal(asked, spending.now)

    def spend_for(self, ctx: Context, bucket: Literal["authentication", "webhooks"], whose: str) -> None:
        """Take one request from the bucket of somebody whom only the body names, `account:...` for instance.

        What names them is stored as a hash.

        Raises:
            RateLimitExceeded: it is empty; then the request costs nothing else either.
        """
        if ctx.spending is not None:
            hashed = sha256(whose.encode("utf-8", "replace")).hexdigest()[:32]
            now = ctx.spending.now
            granted, asked = ctx.spending.take([charge(getattr(self.buckets, bucket), hashed, now)])
            if not granted:
                raise self._refusal(asked, now)

    def _refusal(self, asked: list[Standing], now: int) -> RateLimitExceeded:
        self.refused.update({each.charge.name for each in asked if each.used >= each.charge.most})
        return refusal(asked, now)

    def finish(self, spending: Spending | None, answer: Answer) -> Answer:
        """Return the answer with the figures of the bucket that has the least left.

        A request that was refused costs nothing; one that failed on our side does not count against the quota.
        """
        if spending is None:
            return answer
        if answer.status == RateLimitExceeded.status:
            spending.give_back()
        elif answer.status >= 500:
            spending.give_back({NAME})
        elif spending.free is not None:
            self._quota.count_free(spending.free, spending.now)
        standing = least(spending.standings)
        if standing is not None:
            answer.raw = headers_of(standing, spending.now)
        return answer

    def standings(self, ctx: Context) -> list[Standing]:
        """Return how every bucket of the caller stands; nothing is taken.

        Empty when nothing is counted, or when the counters do not answer.
        """
        if ctx.spending is None or ctx.principal is None:
            return []
        now, buckets = ctx.spending.now, self.buckets
        whose, address = _whose(ctx.principal, ctx.incoming), _address(ctx.incoming.address)
        own = (buckets.general, buckets.uploads, buckets.webhooks)
        charges = [charge(buckets.authentication, address, now), *(charge(each, whose, now) for each in own)]
        return self._leases.look(charges, now)

    def quota(self, ctx: Context, organization_id: int, tier: str) -> Standing:
        """Return how the quota of an organisation stands; what is stored when the counters do not answer."""
        now = int(ctx.now.timestamp())
        cost = self._quota.charge(ctx.session, organization_id, tier, now)
        if cost is None:
            present = ctx.spending is not None and ctx.spending.free == organization_id
            return self._quota.free(ctx.session, organization_id, now, uncounted=int(present))
        found = self._leases.look([cost], now) if self._on else []
        return found[0] if found else Standing(cost, cost.begins - 1, cost.reset_at)

    def _of_caller(
        self, session: Session, incoming: Incoming, principal: Principal | None, now: int, *, general: bool = False
    ) -> list[Charge]:
        if principal is None:
            bucket = self.buckets.general if general else self.buckets.anonymous
            return [charge(bucket, _address(incoming.address), now)]
        actor, bucket = principal.actor, self._general  # what most requests run is written out: a call costs some, too
        key = f"general:user:{actor.user_id}" if principal.key_id is None else f"general:key:{principal.key_id}"
        own = Charge(key, 1, now + bucket.seconds, bucket.most, "general", bucket.limit, bucket.seconds)
        quota = self._quota.charge(session, actor.organization_id, actor.tier, now)
        return [own] if quota is None else [own, quota]

    def _of_endpoint(
        self, endpoint: Endpoint, incoming: Incoming, principal: Principal | None, now: int
    ) -> list[Charge]:
        found = []
        if endpoint.limit == "authentication":
            found.append(charge(self.buckets.authentication, _address(incoming.address), now))
        if endpoint.limit == "webhooks":
            found.append(charge(self.buckets.webhooks, _whose(principal, incoming), now))
        if endpoint.upload is not None:
            found.append(charge(self.buckets.uploads, _whose(principal, incoming), now))
        return found


def refusal(asked: list[Standing], now: int) -> RateLimitExceeded:
    """Return the error for what was asked of buckets, with the figures of the empty one that stays so the longest."""
    empty = [each for each in asked if each.used >= each.charge.most]
    standing = max(empty or asked, key=lambda each: each.reset_at)  # somebody may have given back since
    reset_time = api_time(datetime.fromtimestamp(standing.reset_at, UTC))
    details = {"limit": standing.charge.limit, "remaining": 0, "reset_time": reset_time}
    return RateLimitExceeded(details=details, headers={"Retry-After": str(max(1, standing.reset_at - now))})


def headers_of(standing: Standing, now: int) -> RawHeaders:
    """Return the documented header fields, and those of the IETF's draft, for one bucket."""
    cost, used, reset_at = standing
    limit = cost.limit or 0  # never: what has no limit never has the least left
    left = b"%d" % max(0, limit - used)
    head, granted, policy = _fixed(cost.name, limit, cost.seconds)
    return (
        granted,
        (b"x-ratelimit-remaining", left),
        (b"x-ratelimit-reset", b"%d" % reset_at),
        policy,
        (b"ratelimit", b"%b%b;t=%d" % (head, left, reset_at - now)),
    )


@lru_cache(maxsize=256)
def _fixed(name: str, limit: int, seconds: int) -> tuple[bytes, tuple[bytes, bytes], tuple[bytes, bytes]]:
    """Return what is the same in every answer: the beginning of the last field, and two whole ones."""
    quoted = b'"%b"' % _POLICIES.get(name, name.encode())
    policy = b"%b;q=%d;w=%d" % (quoted, limit, seconds)
    return b"%b;r=" % quoted, (b"x-ratelimit-limit", b"%d" % limit), (b"ratelimit-policy", policy)


def _whose(principal: Principal | None, incoming: Incoming) -> str:
    if principal is None:
        return _address(incoming.address)
    return f"user:{principal.actor.user_id}" if principal.key_id is None else f"key:{principal.key_id}"


@lru_cache(maxsize=10_000)
def _address(address: str) -> str:
    """Return whose an address is: a customer of a provider has 2^64 addresses of IPv6, which count as one."""
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except AddressValueError:
        return f"address:{address}"
    if parsed.ipv4_mapped is not None:
        return f"address:{parsed.ipv4_mapped}"
    return f"address:{IPv6Address(int(parsed) >> 64 << 64)}/64"
