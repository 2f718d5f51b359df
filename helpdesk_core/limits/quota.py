"""Monthly quotas: requests of an organisation, by its subscription, in the calendar month of UTC.

They are counted where everything is counted. About once a minute the count goes into the main database as well, where
it only ever grows; a counter that was lost begins with what is there. Organisations without a quota are counted in
memory, and their counters hear of it once a minute, or as soon as they have a quota again.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Integer, String, bindparam, case, column, select, table, update
from sqlalchemy.orm import Session

from helpdesk_core.database import Database, commit
from helpdesk_core.events import Bus, attribute_session, publish
from helpdesk_core.limits.buckets import UNBOUNDED, Charge, Standing
from helpdesk_core.limits.events import QuotaReached
from helpdesk_core.limits.leases import Leases
from helpdesk_core.limits.models import Usage
from helpdesk_core.settings import Settings
from helpdesk_core.statements import Prepared, upsert
from helpdesk_core.tenancy import set_organization, set_unscoped

NAME = "quota"
MARKS = (80, 100)
"""Percentages of a quota that are worth an event."""


def quotas_of(settings: Settings) -> Mapping[str, int | None]:
    """Return the monthly requests of each subscription tier, from the lowest; nothing where there is no quota."""
    return {
        "free": settings.quota_free,
        "basic": settings.quota_basic,
        "professional": settings.quota_professional,
        "enterprise": None,
    }


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month in UTC.

    Attributes:
        name: `2024-01`.
        starts: its first second, since 1970.
        ends: the first second of the next one.
        stored: what the database knew of the requests of each organisation.
    """

    name: str
    starts: int
    ends: int
    stored: dict[int, int] = field(default_factory=dict)


def month_of(now: int) -> Month:
    """Return the month of an instant in seconds since 1970."""
    day = datetime.fromtimestamp(now, UTC)
    first = datetime(day.year, day.month, 1, tzinfo=UTC)
    following = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    return Month(f"{day:%Y-%m}", int(first.timestamp()), int(following.timestamp()))


_STORED = Prepared(
    select(Usage.requests).where(
        Usage.organization_id == bindparam("organization_id"), Usage.month == bindparam("month")
    )
)
_ORGANIZATION = table("core_organization", column("id", Integer), column("subscription_tier", String))
_TIER = Prepared(
    select(_ORGANIZATION.c.subscription_tier).where(_ORGANIZATION.c.id == bindparam("organization_id", type_=Integer))
)


def _raising(kind: str) -> Any:
    statement = upsert(kind, Usage)
    stored, counted = Usage.__table__.c.requests, statement.excluded.requests
    return statement.on_conflict_do_update(
        index_elements=["organization_id", "month"], set_={"requests": case((stored < counted, counted), else_=stored)}
    )


def _adding(kind: str) -> Any:
    statement = upsert(kind, Usage)
    total = Usage.__table__.c.requests + statement.excluded.requests
    return statement.on_conflict_do_update(index_elements=["organization_id", "month"], set_={"requests": total})


_COLUMNS = ("organization_id", "month", "requests", "warned")
_RAISE = Prepared(_raising, columns=_COLUMNS)
_ADD = Prepared(_adding, columns=_COLUMNS)


class Quota:
    """Counts the requests of organisations."""

    def __init__(self, settings: Settings, database: Database, bus: Bus, leases: Leases) -> None:
        """Begin with nothing remembered; `leases` knows the counters."""
        self._limits = quotas_of(settings)
        self._refuses = settings.limits == "enforce"
        self._database = database
        self._bus = bus
        self._leases = leases
        self._month = month_of(0)
        self._seen: dict[str, tuple[int, Standing]] = {}
        self._free: dict[tuple[int, str], int] = {}
        self._lock = threading.Lock()
        self._warned: dict[tuple[int, str], tuple[int, int]] = {}

    def charge(self, session: Session, organization_id: int, tier: str, now: int) -> Charge | None:
        """Return what a request of an organisation takes from its quota; nothing where there is none.

        A process asks the database once a month for each organisation what was counted before it.
        """
        limit = self._limits[tier]
        if limit is None:
            return None
        month = self._month_of(now)
        stored = month.stored.get(organization_id)
        if stored is None:
            rows = _STORED.rows(session, {"organization_id": organization_id, "month": month.name})
            stored = month.stored[organization_id] = rows[0][0] if rows else 0
        most = limit if self._refuses else UNBOUNDED
        charge = Charge(
            _key(organization_id, month), stored + 1, month.ends, most, NAME, limit, month.ends - month.starts
        )
        if self._free and (organization_id, month.name) in self._free:
            self._settle(organization_id, month.name, charge, now)
        return charge

    def count_free(self, organization_id: int, now: int) -> None:
        """Count a request of an organisation without a quota: in memory, until it is stored.

        Nothing is refused because of it, so no other process has to know at once; and most requests of an installation
        may be of this kind.
        """
        self._remember(organization_id, self._month_of(now).name, 1)

    def free(self, session: Session, organization_id: int, now: int, uncounted: int = 0) -> Standing:
        """Return how many requests an organisation without a quota has sent; of other processes, as of a minute ago.

        `uncounted` are those that are being answered, and will be counted with their answer.
        """
        month = self._month_of(now)
        rows = _STORED.rows(session, {"organization_id": organization_id, "month": month.name})
        charged = self._seen.get(_key(organization_id, month))  # before its quota was taken away
        stored = max(rows[0][0] if rows else 0, charged[1].used if charged else 0)
        used = stored + self._free.get((organization_id, month.name), 0) + uncounted
        seconds = month.ends - month.starts
        return Standing(Charge(NAME, used + 1, month.ends, UNBOUNDED, NAME, None, seconds), used, month.ends)

    def _remember(self, organization_id: int, month: str, requests: int) -> None:
        key = (organization_id, month)
        with self._lock:
            self._free[key] = self._free.get(key, 0) + requests

    def _settle(self, organization_id: int, month: str, charge: Charge, now: int) -> None:
        """Tell the counter of an organisation that has a quota again what was counted here while it had none."""
        with self._lock:
            requests = self._free.pop((organization_id, month), 0)
        if not requests:
            return  # another thread was faster
        standing = self._leases.add(charge, now, requests)
        if standing is None:
            self._remember(organization_id, month, requests)
        else:
            self.note(organization_id, standing._replace(charge=charge))

    def _month_of(self, now: int) -> Month:
        month = self._month
        if not month.starts <= now < month.ends:
            month = self._month = month_of(now)
        return month

    def note(self, organization_id: int, standing: Standing) -> None:
        """Remember what a counter said, until it is stored."""
        self._seen[standing.charge.key] = (organization_id, standing)

    def persist(self) -> None:
        """Store what was counted since the last time, and publish which marks were reached."""
        seen, self._seen = self._seen, {}
        with self._lock:
            free, self._free = self._free, {}
        if not seen and not free:
            return
        try:
            self._store(seen, free)
        except Exception:
            self._seen = {**seen, **self._seen}
            for (organization_id, month), requests in free.items():
                self._remember(organization_id, month, requests)
            raise
        for key, (organization_id, standing) in seen.items():
            self._warn(organization_id, key[-7:], standing)

    def _store(self, seen: Mapping[str, tuple[int, Standing]], free: dict[tuple[int, str], int]) -> None:
        """Store what was counted; what stays in `free` is neither in the database nor in a counter."""
        with self._database.session(writes=True) as session:
            set_unscoped(session)
            for key, (organization_id, standing) in seen.items():
                self._raise(session, organization_id, key[-7:], standing.used)
            while free:
                organization_id, month = next(iter(free))
                self._store_free(session, organization_id, month, free[organization_id, month])
                del free[organization_id, month]
            commit(session)

    def _raise(self, session: Session, organization_id: int, month: str, used: int) -> None:
        _RAISE.run(session, {"organization_id": organization_id, "month": month, "requests": used, "warned": 0})
        if month == self._month.name:
            stored = self._month.stored
            stored[organization_id] = max(stored.get(organization_id, 0), used)

    def _store_free(self, session: Session, organization_id: int, name: str, requests: int) -> None:
        """Store requests that were counted in memory: over their counter, from which a quota may go on."""
        values = {"organization_id": organization_id, "month": name, "requests": requests, "warned": 0}
        now = int(self._bus.clock.now().timestamp())
        month = self._month_of(now)
        standing = None
        if name == month.name:
            rows = _STORED.rows(session, {"organization_id": organization_id, "month": name})
            begins = (rows[0][0] if rows else 0) + 1
            key = _key(organization_id, month)
            charge = Charge(key, begins, month.ends, UNBOUNDED, NAME, None, month.ends - month.starts)
            standing = self._leases.add(charge, now, requests)
        if standing is None:  # the month is over, or the store does not answer: they must not be lost
            _ADD.run(session, values)
        else:
            self._raise(session, organization_id, name, standing.used)

    def _warn(self, organization_id: int, month: str, standing: Standing) -> None:
        """Publish the marks of the limit that nobody has published in this month."""
        limit, key = standing.charge.limit, (organization_id, month)
        if limit is None:
            return
        if self._warned.get(key, (None, 0))[0] != limit:
            self._warned[key] = (limit, 0)
        told = self._warned[key][1]
        reached = [mark for mark in MARKS if standing.used * 100 >= mark * limit and mark > told]
        if reached and self._publish(organization_id, month, limit, reached):
            self._warned[key] = (limit, reached[-1])

    def _publish(self, organization_id: int, month: str, limit: int, reached: list[int]) -> bool:
        """Publish marks, but for those that another process has published; tell whether `limit` still applies."""
        with self._database.session(writes=True) as session:
            set_organization(session, organization_id)
            attribute_session(session, self._bus, None)
            for mark in reached:
                if _claim(session, month, mark):
                    event = QuotaReached(organization_id=organization_id, percent=mark, month=month, limit=limit)
                    publish(session, event)
            # Asked behind the claim, whose row a change of the subscription has to wait for.
            tiers = _TIER.rows(session, {"organization_id": organization_id})
            applies = bool(tiers) and self._limits[tiers[0][0]] == limit
            if applies:
                commit(session)
        return applies


def _key(organization_id: int, month: Month) -> str:
    return f"{NAME}:{organization_id}:{month.name}"


def forget_marks(session: Session, moment: datetime) -> None:
    """Let the marks of the month be published again: the session's organisation gets another subscription."""
    month = month_of(int(moment.timestamp())).name
    session.execute(update(Usage).where(Usage.month == month).values(warned=0))


def _claim(session: Session, month: str, mark: int) -> bool:
    """Mark the month of the session's organisation; tell whether nobody was faster."""
    marking = update(Usage).where(Usage.month == month, Usage.warned < mark).values(warned=mark).returning(Usage.warned)
    return session.execute(marking.execution_options(synchronize_session=False)).first() is not None
