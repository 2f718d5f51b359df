"""Guessing takes time: who fails often in a row has to wait before the next try, longer each time.

Failures are counted in the database, so that they outlive a restart and hold for every process. A try begins by
counting itself as a failure, which takes the lock of its row: tries that come at once queue up behind each other, and
none of them slips through. Names that nobody has are counted exactly like accounts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts.events import LoginDelayed
from helpdesk_core.accounts.models import LoginDelay
from helpdesk_core.accounts.queries import Account
from helpdesk_core.accounts.schemas.types import key_of
from helpdesk_core.clock import api_time
from helpdesk_core.errors import RateLimitExceeded
from helpdesk_core.events import now, origin_of, publish
from helpdesk_core.statements import upsert

SMALLEST_NETWORK = 64
"""Bits of an IPv6 address that name a customer of a provider; the rest is theirs to choose."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures in a row are let pass, and how long the wait is after that.

    Attributes:
        kind: what is counted.
        allowed: failures without a wait after them but the last.
        first: seconds to wait after the last of them; each failure more doubles it.
        longest: seconds, never more.
        forgotten_after: how long after the last failure counting begins anew.
    """

    kind: str
    allowed: int
    first: int
    longest: int
    forgotten_after: timedelta

    def wait(self, failures: int) -> int:
        """Return how many seconds the next try has to wait after this many failures in a row."""
        beyond = failures - self.allowed
        return 0 if beyond < 0 else int(min(self.first * 2 ** min(beyond, 20), self.longest))


AT_ADDRESS = Patience("login from an address", 5, 1, 900, timedelta(days=1))
ANYWHERE = Patience("login from anywhere", 50, 1, 60, timedelta(days=1))
PROOFS = Patience("proof", 5, 900, 900, timedelta(minutes=15))
"""Codes, and passwords that are asked for again."""
KEPT = max(patience.forgotten_after for patience in (AT_ADDRESS, ANYWHERE, PROOFS))


@dataclass(frozen=True, slots=True)
class Series:
    """Tries that are counted together.

    Attributes:
        patience: how many may fail.
        subject: names the series without telling whose it is.
        user_id: whose account it is, if there is one.
    """

    patience: Patience
    subject: str
    user_id: int | None


def logins_of(name: str, account: Account | None, address: str) -> tuple[Series, Series]:
    """Return what a try to log in counts for: from its address, and from anywhere.

    It counts for the name that was typed: if an account's user name and its e-mail address counted together, two names
    that nobody has would behave differently.
    """
    who = f"name {key_of(name)}"
    user_id = account.id if account else None
    return _series(AT_ADDRESS, f"{who} {network_of(address)}", user_id), _series(ANYWHERE, who, user_id)


def proofs_of(user_id: int) -> Series:
    """Return what a code of a user counts for, wherever it is sent to."""
    return _series(PROOFS, f"account {user_id}", user_id)


def network_of(address: str) -> str:
    """Return what is one place: an IPv4 address, or the network of an IPv6 one; other text stays as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), SMALLEST_NETWORK), strict=False))


def refuse_waiting(session: Session, *series: Series) -> None:
    """Refuse a try whose time has not come, before any work is done for it.

    Raises:
        RateLimitExceeded: until the wait is over (429).
    """
    subjects = {each.subject: each.patience for each in series}
    wanted = select(LoginDelay.subject, LoginDelay.until).where(LoginDelay.subject.in_(subjects))
    for subject, until in session.execute(wanted):
        _refuse(subjects[subject], until, now(session))


def begin(session: Session, *series: Series) -> None:
    """Count a try as a failure until `clear` or `withdraw` says otherwise; from here, tries of a series go one by one.

    Raises:
        RateLimitExceeded: another try failed meanwhile, and this one has to wait (429).
    """
    moment = now(session)
    for each in series:
        forgotten = LoginDelay.last_failure_at <= moment - each.patience.forgotten_after
        counted = upsert(session.info["database"], LoginDelay).values(
            subject=each.subject, user_id=each.user_id, failures=1, last_failure_at=moment
        )
        counted = counted.on_conflict_do_update(
            index_elements=[LoginDelay.subject], set_={"failures": case((forgotten, 1), else_=LoginDelay.failures + 1)}
        )
        until = session.execute(counted.returning(LoginDelay.__table__.c.until)).scalar_one()
        _refuse(each.patience, until, moment)


def fail(session: Session, *series: Series) -> None:
    """Keep that the try failed, and say how long the next one has to wait.

    The first wait of an account is announced; `session` then works for its organisation.
    """
    moment = now(session)
    for each in series:
        kept = update(LoginDelay).where(LoginDelay.subject == each.subject).values(last_failure_at=moment)
        failures = session.execute(kept.returning(LoginDelay.failures)).scalar_one()
        seconds = each.patience.wait(failures)
        if seconds:
            until = _whole(moment + timedelta(seconds=seconds))
            session.execute(update(LoginDelay).where(LoginDelay.subject == each.subject).values(until=until))
        if failures == each.patience.allowed and each.user_id is not None:
            _announce(session, each.user_id, seconds)


def clear(session: Session, *series: Series) -> None:
    """Forget the failures of a series: the try succeeded."""
    session.execute(delete(LoginDelay).where(LoginDelay.subject.in_([each.subject for each in series])))


def withdraw(session: Session, series: Series) -> None:
    """Count the try that began no longer; earlier failures stay, or each success would buy more guesses."""
    counted = LoginDelay.subject == series.subject
    session.execute(update(LoginDelay).where(counted).values(failures=LoginDelay.failures - 1))
    session.execute(delete(LoginDelay).where(counted, LoginDelay.failures == 0))


def unlock(session: Session, user_id: int) -> None:
    """Forget every failure at an account, from wherever: its owner need not wait any longer."""
    session.execute(delete(LoginDelay).where(LoginDelay.user_id == user_id))
    audit.record(session, "login.unlocked", "user", user_id)


def forget(session: Session, moment: datetime) -> None:
    """Remove what no longer counts."""
    session.execute(delete(LoginDelay).where(LoginDelay.last_failure_at <= moment - KEPT))


def _series(patience: Patience, subject: str, user_id: int | None) -> Series:
    digest = sha256(f"{patience.kind}: {subject}".encode("utf-8", "surrogatepass")).hexdigest()
    return Series(patience, digest, user_id)


def _refuse(patience: Patience, until: datetime | None, moment: datetime) -> None:
    if until is None or until <= moment:
        return
    seconds = ceil((until - moment).total_seconds())
    details = {"limit": patience.allowed, "remaining": 0, "reset_time": api_time(until)}
    raise RateLimitExceeded(details=details, headers={"Retry-After": str(seconds)})


def _announce(session: Session, user_id: int, seconds: int) -> None:
    audit.record(session, "login.delayed", "user", user_id, after={"seconds": seconds})
    publish(session, LoginDelayed(user_id=user_id, address=origin_of(session).address, seconds=seconds))


def _whole(moment: datetime) -> datetime:
    """Round up to whole seconds, which is what is stored: a wait must not end early."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)
