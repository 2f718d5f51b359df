"""Forgets failed attempts to log in when they no longer count."""

from collections.abc import Callable
from datetime import timedelta

from helpdesk_core.accounts.service import delays
from helpdesk_core.clock import Clock
from helpdesk_core.database import Database, commit
from helpdesk_core.tenancy import set_unscoped

INTERVAL = timedelta(hours=1)


def forgetting(database: Database, clock: Clock) -> Callable[[], None]:
    """Return what removes old failures, as upkeep, which is asked every few seconds: it works once an hour."""
    due = clock.now() + INTERVAL

    def forget() -> None:
        nonlocal due
        moment = clock.now()
        if moment < due:
            return
        due = moment + INTERVAL
        with database.session(writes=True) as session:
            set_unscoped(session)
            delays.forget(session, moment)
            commit(session)

    return forget
