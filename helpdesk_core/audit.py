"""The audit log: every security-relevant act, in one chain for each organisation that shows where it was broken.

Each entry is sealed together with the seal of the entry before it, by a key that is not in the database; the head
says how long the chain is, and is sealed as well. Whoever changes, removes, adds or moves an entry behind our back, the
last one included, breaks the chain at that place. What this cannot show is that the whole database was put back to an
earlier state: compare the head that `helpdesk audit verify` prints with one that was kept elsewhere.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Index, Integer, Row, String, Text, bindparam, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk_core.clock import api_time
from helpdesk_core.database import BigKey, CoreBase, UtcDateTime
from helpdesk_core.events import origin_of
from helpdesk_core.keys import Seals
from helpdesk_core.permissions import Actor
from helpdesk_core.statements import Prepared, insertion, upsert
from helpdesk_core.tenancy import TenantScoped, organization_of, reaching

SECRETS = frozenset({"password", "secret", "token", "code", "otp", "key"})
"""Names that no entry may have: the log is read by people, and kept."""
MASK = "***"
"""Stands in an entry for what is called like a secret further down, in settings of a plugin for instance."""
_SECRET = re.compile(
    r"passw|passphrase|secret|token|credential|apikey|(?<![a-z])(code|otp|key|pin)s?(?![a-z])", re.IGNORECASE
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class AuditEntry(CoreBase, TenantScoped):
    """One act. Rows are only ever added; the database refuses anything else."""

    __tablename__ = "core_audit_entry"
    __table_args__ = (
        Index("ix_core_audit_entry_organization_id_act_id", "organization_id", "act", "id"),
        Index("ix_core_audit_entry_organization_id_actor_id_id", "organization_id", "actor_id", "id"),
    )

    # No foreign keys: what happened stays, also when those whom it happened to are gone.
    organization_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    """Its number in the chain, from 1."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    act: Mapped[str] = mapped_column(String(100))
    actor_id: Mapped[int | None]
    credential: Mapped[str] = mapped_column(String(40))
    address: Mapped[str] = mapped_column(String(45))
    target: Mapped[str] = mapped_column(String(40))
    target_id: Mapped[int | None] = mapped_column(BigKey)
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    key_id: Mapped[str] = mapped_column(String(8))
    seal: Mapped[str] = mapped_column(String(64))


class AuditHead(CoreBase, TenantScoped):
    """The end of an organisation's chain; its row is the lock under which the next entry is added."""

    __tablename__ = "core_audit_head"

    organization_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(BigKey)
    last_seal: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(8))
    seal: Mapped[str] = mapped_column(String(64))


_add_entry = insertion(AuditEntry)
_HeadRow = Row[int, str, str, str]


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a chain is broken.

    Attributes:
        organization_id: whose chain.
        entry: number of the first entry that is not as it was written, from 1.
        reason: a sentence for people.
    """

    organization_id: int
    entry: int
    reason: str


def record(
    session: Session,
    act: str,
    target: str,
    target_id: int | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    actor_id: int | None = None,
    organization_id: int | None = None,
) -> None:
    """Add an entry in the transaction of `session`, which also says who acts, from where, and when.

    Args:
        session: any that writes.
        act: what was done, `<thing>.<done>`: `user.role_changed`.
        target: kind of the thing that it was done to: `user`, `api_key`.
        target_id: its key.
        before: the fields that changed, as they were; JSON values, never secrets. What is called like one inside of
            them is masked.
        after: the same fields as they are now.
        actor_id: who acts, where the session does not know it yet: somebody who is just logging in.
        organization_id: whose log, where the session has no organisation.

    Raises:
        ValueError: a field has the name of a secret.
    """
    leaked = SECRETS & {*(before or {}), *(after or {})}
    if leaked:
        raise ValueError(f"{act}: {', '.join(sorted(leaked))} has no place in the audit log")
    organization_id = organization_id or organization_of(session)
    actor: Actor | None = session.info.get("actor")
    origin = origin_of(session)
    bus = session.info["bus"]
    values = {
        "organization_id": organization_id,
        "created_at": bus.clock.now(),
        "act": act,
        "actor_id": actor_id or (actor.user_id if actor else None),
        "credential": origin.credential,
        "address": origin.address,
        "target": target,
        "target_id": target_id,
        "before": _json(before),
        "after": _json(after),
    }
    with reaching(session, organization_id):
        _append(session, bus.seals, values)


def _append(session: Session, seals: Seals, values: dict[str, Any]) -> None:
    sequence, previous = _advance(session, values["organization_id"])
    values["id"] = sequence
    seal = seals.seal(_sealed_text(values, previous))
    _add_entry.run(session, {**values, "key_id": seals.key_id, "seal": seal})
    _set_head(session, seals, values["organization_id"], sequence, seal)


def verify(session: Session, seals: Seals, organization_id: int) -> Broken | None:
    """Walk the chain of an organisation from its beginning; return the first break, nothing if it is whole.

    Others may add entries meanwhile, and on PostgreSQL each statement sees more of them: a whole chain is at least as
    long as its head said before the walk, and at most as long as it says afterwards.
    """
    before = _head_row(session, organization_id)
    previous, expected, named = "", 1, ""
    for entry in _chain(session, organization_id):
        number, key_id, seal = entry["id"], entry.pop("key_id"), entry.pop("seal")
        if number != expected:
            return Broken(organization_id, expected, f"Entry {expected} is missing; {number} follows.")
        if not seals.knows(key_id):
            return Broken(organization_id, expected, f"It was sealed by key {key_id}, which is not configured.")
        if not seals.fits(key_id, _sealed_text(entry, previous), seal):
            return Broken(organization_id, expected, "It is not as it was written, or not in its place.")
        if before is not None and number == before.sequence:
            named = seal
        previous, expected = seal, expected + 1
    after = _head_row(session, organization_id)
    if any(head is not None and not _fits(seals, organization_id, head) for head in (before, after)):
        return Broken(organization_id, expected, "The head of the chain is not as it was written.")
    return _broken_begin(organization_id, before, expected - 1, named) or _broken_end(
        organization_id, after, expected - 1
    )


def head(session: Session, organization_id: int) -> tuple[int, str] | None:
    """Return the length of a chain and its last seal, to be kept elsewhere; nothing if there is no chain."""
    found = session.execute(
        select(AuditHead.sequence, AuditHead.last_seal).where(AuditHead.organization_id == organization_id)
    ).first()
    return (found[0], found[1]) if found else None


def contains(session: Session, organization_id: int, entry: int, seal: str) -> bool:
    """Tell whether a chain has this entry with this seal."""
    wanted = (AuditEntry.organization_id == organization_id, AuditEntry.id == entry, AuditEntry.seal == seal)
    return session.scalar(select(AuditEntry.id).where(*wanted)) is not None


def chains(session: Session) -> list[int]:
    """Return the organisations that have entries or a head; `session` is unscoped."""
    entries = session.scalars(select(AuditEntry.organization_id).distinct()).all()
    heads = session.scalars(select(AuditHead.organization_id)).all()
    return sorted({*entries, *heads})


def last_organization(session: Session) -> int:
    """Return the highest key of an organisation that ever had an entry, so that none is given out twice."""
    highest = select(func.max(AuditHead.organization_id))  # below the ORM, whose sessions see one organisation
    return session.connection().execute(highest).scalar() or 0


def _advance(session: Session, organization_id: int) -> tuple[int, str]:
    """Take the next number of a chain, and with it the lock of its head until the transaction ends."""
    insert = upsert(session.info["database"], AuditHead).values(
        organization_id=organization_id, sequence=1, last_seal="", key_id="", seal=""
    )
    taken = insert.on_conflict_do_update(
        index_elements=["organization_id"], set_={"sequence": AuditHead.sequence + 1}
    ).returning(AuditHead.__table__.c.sequence, AuditHead.__table__.c.last_seal)
    session.flush()
    row = session.connection().execute(taken).one()
    return row[0], row[1]


def _set_head(session: Session, seals: Seals, organization_id: int, sequence: int, seal: str) -> None:
    mark = seals.seal(_head_text(organization_id, sequence, seal))
    session.connection().execute(
        update(AuditHead)
        .where(AuditHead.organization_id == organization_id)
        .values(last_seal=seal, key_id=seals.key_id, seal=mark)
    )


def _head_row(session: Session, organization_id: int) -> _HeadRow | None:
    return session.execute(
        select(AuditHead.sequence, AuditHead.last_seal, AuditHead.key_id, AuditHead.seal).where(
            AuditHead.organization_id == organization_id
        )
    ).first()


def _fits(seals: Seals, organization_id: int, head: _HeadRow) -> bool:
    return seals.fits(head.key_id, _head_text(organization_id, head.sequence, head.last_seal), head.seal)


def _broken_begin(organization_id: int, head: _HeadRow | None, length: int, named: str) -> Broken | None:
    """Compare a chain with its head of before the walk; `named` is the seal of the entry that this one names."""
    if head is None:
        return None
    if head.sequence > length:
        return Broken(organization_id, length + 1, f"Entries {length + 1} to {head.sequence} are missing.")
    if head.last_seal != named:
        return Broken(organization_id, head.sequence, "It is not the entry that the head of the chain names.")
    return None


def _broken_end(organization_id: int, head: _HeadRow | None, length: int) -> Broken | None:
    """Compare a chain with its head of after the walk."""
    if head is None:
        return Broken(organization_id, length, "The head of the chain is missing.") if length else None
    if head.sequence < length:
        return Broken(organization_id, head.sequence + 1, "It is beyond the entry that the head of the chain names.")
    return None


_COLUMNS = AuditEntry.__table__.columns
_NEXT = Prepared(
    select(*_COLUMNS)
    .where(_COLUMNS.organization_id == bindparam("organization_id"), _COLUMNS.id > bindparam("after"))
    .order_by(_COLUMNS.id)
    .limit(1000)
)


def _chain(session: Session, organization_id: int) -> Iterator[dict[str, Any]]:
    """Iterate over the stored values of a chain, unread: what cannot be read any more must still be told."""
    after = -(2**62)
    while rows := _NEXT.rows(session, {"organization_id": organization_id, "after": after}):
        yield from (dict(zip(_COLUMNS.keys(), row, strict=True)) for row in rows)
        after = rows[-1][1]


def _sealed_text(values: Mapping[str, Any], previous: str) -> bytes:
    """Return what is sealed; instants are written as the API does, which is how SQLite stores them."""
    moment = values["created_at"]
    written = api_time(moment) if isinstance(moment, datetime) else moment
    plain = {**values, "created_at": written, "previous": previous}
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS, default=str)


def _head_text(organization_id: int, sequence: int, last_seal: str) -> bytes:
    return orjson.dumps(["head", organization_id, sequence, last_seal])


def _json(values: Mapping[str, Any] | None) -> str:
    plain = {name: _masked(value) for name, value in (values or {}).items()}
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS, default=str).decode()


def _masked(value: Any) -> Any:
    """Return a JSON value without what is called like a secret in it."""
    if isinstance(value, Mapping):
        return {name: MASK if _SECRET.search(_HUMP.sub("_", name)) else _masked(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(each) for each in value]
    return value
