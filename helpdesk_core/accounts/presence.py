"""When somebody was last active: noted in memory with every request, written now and then.

A request that only reads must not wait for the writer, so none writes this. What was noted is written by the
process's own thread every few seconds, for each user at most once a minute.
"""

from datetime import datetime, timedelta

from sqlalchemy import or_, update

from helpdesk_core.accounts.models import User
from helpdesk_core.database import Database, commit
from helpdesk_core.tenancy import set_unscoped

RESOLUTION = timedelta(minutes=1)
_SECONDS = RESOLUTION.total_seconds()
KEPT_USERS = 100_000


class Presence:
    """Knows which users were active in this process."""

    def __init__(self, database: Database) -> None:
        """Start with nobody."""
        self._database = database
        self._noted: dict[int, float] = {}
        self._pending: dict[int, datetime] = {}

    def note(self, user_id: int, moment: datetime) -> None:
        """Remember that `user_id` was active at `moment`."""
        seconds = moment.timestamp()
        if seconds - self._noted.get(user_id, 0.0) >= _SECONDS:
            self._noted[user_id] = seconds
            self._pending[user_id] = moment

    def flush(self) -> None:
        """Write what was noted since the last time."""
        if not self._pending:
            return
        pending, self._pending = self._pending, {}
        if len(self._noted) > KEPT_USERS:
            self._noted = {}
        with self._database.session(writes=True) as session:
            set_unscoped(session)
            for user_id, moment in sorted(pending.items()):
                earlier = or_(User.last_active_at.is_(None), User.last_active_at <= moment - RESOLUTION)
                session.execute(
                    update(User)
                    .where(User.id == user_id, earlier)
                    .values(last_active_at=moment)
                    .execution_options(synchronize_session=False)
                )
            commit(session)
