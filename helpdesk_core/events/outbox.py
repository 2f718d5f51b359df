"""The outbox: what happened is a row, written in the transaction in which it happened.

`publish` adds the row; delivery (`helpdesk_core.jobs`) reads it after the commit. A crash can therefore neither lose
an event nor announce something that was rolled back. The rows stay as history, and are the change feed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk_core.database import BigKey, CoreBase, UtcDateTime, after_commit
from helpdesk_core.events.acting import Bus, Within
from helpdesk_core.events.event import EVERY, Event
from helpdesk_core.permissions import Actor
from helpdesk_core.statements import insertion
from helpdesk_core.tenancy import TenantScoped, organization_of


class OutboxEvent(CoreBase, TenantScoped):
    """A published event.

    Attributes:
        due_at: since when its deliveries wait to be made; nothing once they are, or where nobody handles the type.
        tx: number of the transaction on PostgreSQL, where keys are given out before the commit and rows become
            visible in another order; always 0 on SQLite, whose writers are alone.
        subject: the thing that it is about, `comment:7`, or empty.
        aggregate: the thing whose events are delivered in order, `ticket:12`, or empty.
        concerns: users who may know of it although they do not see everything: their keys between spaces, or empty.
        cause_id: the event that was being handled when this one was published.
        root_id: the first event of such a chain; nothing for one that began it.
        depth: how many handlers lie between; 0 for what people did.
    """

    __tablename__ = "core_event"
    __table_args__ = (
        Index("ix_core_event_organization_id_tx_id", "organization_id", "tx", "id"),
        Index("ix_core_event_tx_id", "tx", "id"),
        Index(
            "ix_core_event_due_at",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    type: Mapped[str] = mapped_column(String(100))
    version: Mapped[int]
    payload: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tx: Mapped[int] = mapped_column(BigKey, server_default=FetchedValue())
    subject: Mapped[str] = mapped_column(String(80), default="")
    aggregate: Mapped[str] = mapped_column(String(80), default="")
    concerns: Mapped[str] = mapped_column(Text, default="")
    cause_id: Mapped[int | None] = mapped_column(BigKey)
    root_id: Mapped[int | None] = mapped_column(BigKey)
    depth: Mapped[int] = mapped_column(default=0)


class ForgottenEvents(CoreBase, TenantScoped):
    """Up to where events of an organisation were removed: who has followed less far has missed some."""

    __tablename__ = "core_forgotten_events"

    organization_id: Mapped[int] = mapped_column(ForeignKey("core_organization.id"), primary_key=True)
    tx: Mapped[int] = mapped_column(BigKey)
    event_id: Mapped[int] = mapped_column(BigKey)


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as it was recorded, for those who handle it.

    Attributes:
        id: its key, the same at every delivery.
        position: its place among all events, `<tx>-<id>`.
        organization_id: where it happened.
        type: what happened.
        version: of the payload.
        payload: as JSON text.
        at: when, UTC.
        actor_id: who did it; nothing for what the system did.
        subject: the thing that it is about, `comment:7`, or empty.
        aggregate: the thing whose events are delivered in order, `ticket:12`, or empty.
        concerns: keys of users who may know of it although they do not see everything.
        root_id: the first event of the chain of causes that led here; its own key when it began one.
        depth: how many handlers lie between it and what people did.
    """

    id: int
    position: str
    organization_id: int
    type: str
    version: int
    payload: str
    at: datetime
    actor_id: int | None = None
    subject: str = ""
    aggregate: str = ""
    concerns: tuple[int, ...] = ()
    root_id: int = 0
    depth: int = 0


def happened(row: OutboxEvent) -> Happened:
    """Return what a row of the outbox tells."""
    return Happened(
        id=row.id,
        position=f"{row.tx}-{row.id}",
        organization_id=row.organization_id,
        type=row.type,
        version=row.version,
        payload=row.payload,
        at=row.created_at,
        actor_id=row.actor_id,
        subject=row.subject,
        aggregate=row.aggregate,
        concerns=tuple(map(int, row.concerns.split())),
        root_id=row.root_id or row.id,
        depth=row.depth,
    )


_add_event = insertion(OutboxEvent)
_add_and_return = insertion(OutboxEvent, returning="id")


def publish(session: Session, event: Event, *, concerns: Collection[int] = ()) -> None:
    """Record `event` in the transaction of `session`.

    Types nobody handles are stored as history and are never due.

    Args:
        session: any that writes, of the organisation.
        event: what happened.
        concerns: users who may know of it although they cannot see everything of its kind: those who could see the
            thing before, or can now. They, too, are told when it is gone.

    Raises:
        HelpdeskError: a handler inside the transaction refuses.
    """
    bus: Bus = session.info["bus"]
    handled = event.type in bus.handled or EVERY in bus.handled
    values = _values(session, bus, event, concerns, handled=handled)
    within = (*bus.within.get(event.type, ()), *bus.within.get(EVERY, ())) if bus.within else ()
    if within:
        _take_part(session, event, values, within)
    else:
        _add_event.run(session, values)
    if handled:
        after_commit(session, bus.wake)
    after_commit(session, bus.heard)


def _values(session: Session, bus: Bus, event: Event, concerns: Collection[int], *, handled: bool) -> dict[str, Any]:
    actor: Actor | None = session.info.get("actor")
    cause: Happened | None = session.info.get("cause")
    moment = bus.clock.now()
    objects = event.objects()
    values: dict[str, Any] = {
        "type": event.type,
        "version": event.version,
        "payload": event.model_dump_json(),
        "actor_id": actor.user_id if actor else None,
        "created_at": moment,
        "due_at": moment if handled else None,
    }
    if objects:
        values["subject"] = f"{objects[0][0]}:{objects[0][1]}"
        values["aggregate"] = f"{objects[-1][0]}:{objects[-1][1]}"
    if concerns:
        values["concerns"] = f" {' '.join(map(str, sorted({*concerns})))} "
    if cause:
        values |= {"cause_id": cause.id, "root_id": cause.root_id, "depth": cause.depth + 1}
    return values


def _take_part(session: Session, event: Event, values: dict[str, Any], within: Sequence[Within]) -> None:
    """Record the event, and let those have their say who take part in the transaction."""
    key = int(_add_and_return.rows(session, values)[0][0])
    told = Happened(
        id=key,
        position="",  # on PostgreSQL it has none before the commit
        organization_id=organization_of(session),
        type=event.type,
        version=event.version,
        payload=values["payload"],
        at=values["created_at"],
        actor_id=values["actor_id"],
        subject=values.get("subject", ""),
        aggregate=values.get("aggregate", ""),
        concerns=tuple(map(int, values.get("concerns", "").split())),
        root_id=values.get("root_id") or key,
        depth=values.get("depth", 0),
    )
    for act in within:
        act(session, told, event)
