"""Reading events in their order, without missing any that another transaction is about to commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import bindparam, literal_column, select, true, tuple_
from sqlalchemy.orm import Session

from helpdesk_core.changes.positions import BEGINNING, Position
from helpdesk_core.clock import api_time
from helpdesk_core.database import BigKey
from helpdesk_core.errors import Gone
from helpdesk_core.events import ForgottenEvents, OutboxEvent
from helpdesk_core.statements import Prepared

_HORIZON = "tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
"""On PostgreSQL: published by a transaction before all that still run, hence with nothing to come before it."""


class CursorExpired(Gone):
    """Changes after this position are no longer all kept. Read everything anew, then follow from cursor=now."""

    code = "CURSOR_EXPIRED"


@dataclass(frozen=True, slots=True)
class Record:
    """One event as it is stored.

    Attributes:
        position: in the order of all events.
        organization_id: whose it is.
        type: `ticket.created`.
        payload: its fields.
        timestamp: when it happened, as the API shows it.
        concerns: keys of users who could see what it is about, before or now.
        settled: whether everything that comes before it is committed.
    """

    position: Position
    organization_id: int
    type: str
    payload: Mapping[str, Any]
    timestamp: str
    concerns: frozenset[int]
    settled: bool


def _columns(kind: str) -> list[Any]:
    settled = literal_column(f"core_event.{_HORIZON}") if kind == "postgresql" else true()
    event = OutboxEvent
    return [
        event.tx,
        event.id,
        event.organization_id,
        event.type,
        event.payload,
        event.created_at,
        event.concerns,
        settled,
    ]


def _after() -> Any:
    return tuple_(OutboxEvent.tx, OutboxEvent.id) > tuple_(bindparam("tx", type_=BigKey), bindparam("id", type_=BigKey))


def _ordered(statement: Any) -> Any:
    return statement.order_by(OutboxEvent.tx, OutboxEvent.id).limit(bindparam("limit"))


def _of_organization() -> Any:
    return OutboxEvent.organization_id == bindparam("organization_id")


def _settled(kind: str) -> Any:
    return literal_column(f"core_event.{_HORIZON}") if kind == "postgresql" else true()


def _newest(kind: str, *conditions: Any) -> Any:
    newest = select(OutboxEvent.tx, OutboxEvent.id).where(_settled(kind), *conditions)
    return newest.order_by(OutboxEvent.tx.desc(), OutboxEvent.id.desc()).limit(1)


_OWN = Prepared(lambda kind: _ordered(select(*_columns(kind)).where(_of_organization(), _after())))
_ALL = Prepared(lambda kind: _ordered(select(*_columns(kind)).where(_after())))
_NEWEST_OWN = Prepared(lambda kind: _newest(kind, _of_organization()))
_NEWEST = Prepared(_newest)
_FORGOTTEN = Prepared(
    select(ForgottenEvents.tx, ForgottenEvents.event_id).where(
        ForgottenEvents.organization_id == bindparam("organization_id")
    )
)


class Log:
    """Reads events in order.

    On SQLite writers are alone, and keys are the order of commits. On PostgreSQL the order is that of transactions,
    and nothing is read beyond the oldest one that still runs.
    """

    def own(self, session: Session, after: Position, limit: int) -> list[Record]:
        """Return events of the organisation of `session` that can be followed, oldest first."""
        return _until_unsettled(_OWN.rows(session, {**after._asdict(), "limit": limit}))

    def all(self, session: Session, after: Position, limit: int) -> tuple[list[Record], bool]:
        """Return events of all organisations, and whether more wait for an older transaction to end."""
        rows = _ALL.rows(session, {**after._asdict(), "limit": limit})
        found = _until_unsettled(rows)
        return found, len(found) < len(rows)

    def newest(self, session: Session, *, own: bool) -> Position:
        """Return the position of the newest event, of the organisation of `session` or of all."""
        rows = (_NEWEST_OWN if own else _NEWEST).rows(session, {})
        return Position(*rows[0]) if rows else BEGINNING

    def check(self, session: Session, position: Position) -> None:
        """Raise `CursorExpired` unless everything after `position` is still there."""
        forgotten = _FORGOTTEN.rows(session, {})
        if forgotten and position < Position(*forgotten[0]):
            raise CursorExpired


def _until_unsettled(rows: Sequence[tuple[Any, ...]]) -> list[Record]:
    found = []
    for tx, key, organization_id, kind, payload, created_at, concerns, settled in rows:
        if not settled:
            break
        record = Record(
            Position(tx, key),
            organization_id,
            kind,
            orjson.loads(payload),
            created_at if isinstance(created_at, str) else api_time(created_at),
            frozenset(map(int, concerns.split())),
            settled=True,
        )
        found.append(record)
    return found
