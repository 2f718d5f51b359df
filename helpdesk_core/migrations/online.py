"""Statements of online revisions on PostgreSQL, which are committed one by one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from helpdesk_core.postgres import is_pooled
from helpdesk_core.row_security import SETTING
from helpdesk_core.tenancy import EVERYONE

_WITHOUT_LIMITS = ("statement_timeout = 0", "lock_timeout = 0")
_BEGIN = "; ".join(["BEGIN", *(f"SET LOCAL {setting}" for setting in (*_WITHOUT_LIMITS, f"{SETTING} = '{EVERYONE}'"))])
_OUTSIDE = re.compile(
    r"\s*((CREATE|DROP|ALTER|REFRESH|REINDEX)\b.*\bCONCURRENTLY|VACUUM|CALL|DO)\b", re.IGNORECASE | re.DOTALL
)
"""What cannot be in a transaction, or may end one by itself."""


@contextmanager
def committing_each(connection: Connection) -> Iterator[None]:
    """Have each statement see every organisation, and take its time, in a transaction of its own.

    What cannot be in one is sent as it is. It has no time limits either, unless a pooler stands in between: a setting
    that outlasts a transaction would then be somebody else's.
    """
    driver: Any = connection.connection.driver_connection
    if not is_pooled(driver):
        driver.execute("; ".join(f"SET {setting}" for setting in _WITHOUT_LIMITS))

    def begin(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if driver.info.transaction_status:
            driver.execute("ROLLBACK")  # of a statement that failed, whose revision goes on
        if not _OUTSIDE.match(statement):
            driver.execute(_BEGIN)

    def end(*_: Any) -> None:
        if driver.info.transaction_status:
            driver.execute("COMMIT")

    event.listen(connection, "before_cursor_execute", begin)
    event.listen(connection, "after_cursor_execute", end)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", begin)
        event.remove(connection, "after_cursor_execute", end)
