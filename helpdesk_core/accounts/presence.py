"""When somebody or something was last used: noted in memory with every request, written now and then.

A request that only reads must not wait for the writer, so none writes this. What was noted is written by the
process's own thread every few seconds, for each user, login and API key at most once a minute.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from helpdesk_core.accounts.models import ApiKey, Login, User
from helpdesk_core.database import Database, commit, on_rollback
from helpdesk_core.statements import Prepared
from helpdesk_core.tenancy import set_unscoped

RESOLUTION = timedelta(minutes=1)
_SECONDS = RESOLUTION.total_seconds()
KEPT_ROWS = 100_000


class LastUse:
    """Knows which rows of one table were used in this process."""

    def __init__(
        self, moment: InstrumentedAttribute[datetime | None], address: InstrumentedAttribute[str | None] | None = None
    ) -> None:
        """Say which column holds when, and which, if any, from where."""
        table, at = moment.class_.__table__, moment.key
        values = {at: bindparam("used_at", type_=table.c[at].type)}
        if address is not None:
            values[address.key] = bindparam("used_from", type_=table.c[address.key].type)
        earlier = or_(table.c[at].is_(None), table.c[at] <= bindparam("before", type_=table.c[at].type))
        self._write = Prepared(update(table).where(table.c.id == bindparam("used"), earlier).values(values))
        self._addressed = address is not None
        self._noted: dict[int, float] = {}
        self._pending: dict[int, tuple[datetime, str]] = {}

    def note(self, key: int, moment: datetime, seconds: float, address: str = "") -> bool:
        """Remember that the row `key` was used at `moment`, `seconds` since 1970; tell whether that is news."""
        if seconds - self._noted.get(key, 0.0) < _SECONDS:
            return False
        self._noted[key] = seconds
        self._pending[key] = moment, address
        return True

    def write(self, session: Session) -> None:
        """Write the notes since the last time, as one batch: one by one they cost a busy process a sixth of its time.

        Rows are locked in the order of their keys, as in every other process.
        """
        pending, self._pending = self._pending, {}
        on_rollback(session, lambda: self._keep(pending))
        if len(self._noted) > KEPT_ROWS:
            self._noted = {}
        rows = [
            {"used": key, "used_at": moment, "before": moment - RESOLUTION}
            | ({"used_from": address} if self._addressed else {})
            for key, (moment, address) in sorted(pending.items())
        ]
        self._write.run(session, *rows)

    def _keep(self, pending: dict[int, tuple[datetime, str]]) -> None:
        """Write notes next time, unless there are newer ones."""
        self._pending = {**pending, **self._pending}

    def __bool__(self) -> bool:
        """Tell whether anything is to be written."""
        return bool(self._pending)


class Presence:
    """Knows who was active in this process, and by which credential."""

    def __init__(self, database: Database) -> None:
        """Start with nobody."""
        self._database = database
        self._users = LastUse(User.last_active_at)
        self._logins = LastUse(Login.last_used_at)
        self._keys = LastUse(ApiKey.last_used_at, ApiKey.last_used_address)

    def note_login(self, user_id: int, login_id: int, moment: datetime) -> None:
        """Remember that somebody was active at `moment`, by a login."""
        seconds = moment.timestamp()
        if self._logins.note(login_id, moment, seconds):
            self._users.note(user_id, moment, seconds)

    def note_key(self, user_id: int, key_id: int, moment: datetime, address: str) -> None:
        """Remember that somebody was active at `moment`, by an API key, from `address`."""
        seconds = moment.timestamp()
        if self._keys.note(key_id, moment, seconds, address[:45]):
            self._users.note(user_id, moment, seconds)

    def flush(self) -> None:
        """Write what was noted since the last time."""
        noted = [each for each in (self._users, self._logins, self._keys) if each]
        if not noted:
            return
        with self._database.session(writes=True) as session:
            set_unscoped(session)
            for each in noted:
                each.write(session)
            commit(session)
