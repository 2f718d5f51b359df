"""The audit log: only ever added to, and whoever gets around that is found."""

import json
import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.keys import Seals
from helpdesk_core.tenancy import set_unscoped
from helpdesk_core.testing import Installation

ENTRIES = 30
MANIPULATIONS = 1000
HEX = "0123456789abcdef"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def seals(installation: Installation) -> Seals:
    return installation.parts.services.get(Seals)


@pytest.fixture
def chain(installation: Installation) -> int:
    """The log of an organisation, sealed by this installation."""
    with installation.session() as session:
        for number in range(ENTRIES):
            audit.record(
                session,
                "thing.changed",
                "thing",
                number,
                before={"name": f"before {number}"},
                after={"name": f"after {number}"},
                actor_id=number % 3 + 1,
                organization_id=77,
            )
        installation.commit(session)
    return 77


@pytest.fixture
def unguarded(installation: Installation, chain: int) -> int:
    """The same with the guards of the database taken away, as somebody could who owns the server."""
    with installation.session() as session:
        on = "" if session.info["database"] == "sqlite" else " ON core_audit_entry"
        for event in ("update", "delete"):
            session.execute(text(f"DROP TRIGGER core_audit_entry_no_{event}{on}"))
        installation.commit(session)
    return chain


def rows(session: Session, organization_id: int) -> list[dict]:
    found = session.execute(
        text("SELECT * FROM core_audit_entry WHERE organization_id = :o ORDER BY id"), {"o": organization_id}
    )
    return [dict(row) for row in found.mappings()]


def broken(session: Session, seals: Seals) -> list[audit.Broken]:
    found = (audit.verify(session, seals, organization_id) for organization_id in (77, 78))
    return [each for each in found if each is not None]


def test_an_untouched_log_is_whole(installation, seals, chain):
    with installation.session() as session:
        assert audit.verify(session, seals, chain) is None
        assert audit.head(session, chain)[0] == ENTRIES


@pytest.mark.parametrize("statement", ["UPDATE core_audit_entry SET act = 'x'", "DELETE FROM core_audit_entry"])
def test_the_database_refuses_what_is_not_an_addition(installation, chain, statement):
    with installation.session() as session, pytest.raises(DBAPIError, match="append-only"):
        session.execute(text(statement))


def flip(dice: random.Random, session: Session, entry: dict) -> None:
    column = dice.choice([name for name in entry if name not in {"organization_id", "id"}])
    session.execute(
        text(f"UPDATE core_audit_entry SET {column} = :v WHERE organization_id = 77 AND id = :i"),
        {"v": other(dice, entry[column]), "i": entry["id"]},
    )


def other(dice: random.Random, value):
    if isinstance(value, int) or value is None:
        return (value or 0) + dice.choice((-1, 1, 2**20))
    if INSTANT.fullmatch(value):  # PostgreSQL takes no other text for one
        return f"{int(value[:4]) + dice.randint(1, 5)}{value[4:]}"
    if not value:
        return dice.choice(HEX)
    place = dice.randrange(len(value))
    return value[:place] + dice.choice([c for c in HEX if c != value[place]]) + value[place + 1 :]


def move(dice: random.Random, session: Session, entry: dict) -> None:
    target = dice.choice(("organization_id = 78", f"id = {ENTRIES + dice.randint(1, 9)}"))
    session.execute(
        text(f"UPDATE core_audit_entry SET {target} WHERE organization_id = 77 AND id = :i"), {"i": entry["id"]}
    )


def delete(dice: random.Random, session: Session, entry: dict) -> None:
    """Remove one entry, or the end of the chain with the head put back to where it was sealed."""
    if dice.random() < 0.5:
        session.execute(text("DELETE FROM core_audit_entry WHERE organization_id = 77 AND id = :i"), {"i": entry["id"]})
        return
    session.execute(text("DELETE FROM core_audit_entry WHERE organization_id = 77 AND id >= :i"), {"i": entry["id"]})
    before = rows(session, 77)
    session.execute(
        text("UPDATE core_audit_head SET sequence = :n, last_seal = :s WHERE organization_id = 77"),
        {"n": len(before), "s": before[-1]["seal"] if before else ""},
    )


def insert(dice: random.Random, session: Session, entry: dict) -> None:
    """Add an entry at the end, or in the middle where one is shifted out of the way."""
    last = ENTRIES + 1
    if dice.random() < 0.5:
        for number in range(ENTRIES, entry["id"] - 1, -1):
            session.execute(
                text("UPDATE core_audit_entry SET id = id + 1 WHERE organization_id = 77 AND id = :i"), {"i": number}
            )
        last = entry["id"]
    columns = ", ".join(entry)
    session.execute(
        text(f"INSERT INTO core_audit_entry ({columns}) VALUES ({', '.join(':' + name for name in entry)})"),
        {**entry, "id": last},
    )
    if dice.random() < 0.5:
        session.execute(
            text("UPDATE core_audit_head SET sequence = sequence + 1, last_seal = :s WHERE organization_id = 77"),
            {"s": rows(session, 77)[-1]["seal"]},
        )


def swap(dice: random.Random, session: Session, entry: dict) -> None:
    second = dice.choice([number for number in range(1, ENTRIES + 1) if number != entry["id"]])
    for before, after in ((entry["id"], 10_000), (second, entry["id"]), (10_000, second)):
        session.execute(
            text("UPDATE core_audit_entry SET id = :a WHERE organization_id = 77 AND id = :b"),
            {"a": after, "b": before},
        )


def forge_head(dice: random.Random, session: Session, entry: dict) -> None:
    what = dice.choice(("sequence = sequence - 1", "last_seal = 'f'", "seal = 'f'", "key_id = 'f'"))
    session.execute(text(f"UPDATE core_audit_head SET {what} WHERE organization_id = 77"))


KINDS: tuple[Callable[[random.Random, Session, dict], None], ...] = (flip, move, delete, insert, swap, forge_head)


def test_a_thousand_random_manipulations_are_all_found(installation, seals, unguarded):
    dice = random.Random(20261122)
    missed = []
    with installation.session() as session:
        before = rows(session, unguarded)
        for number in range(MANIPULATIONS):
            kind = dice.choice(KINDS)
            with session.begin_nested() as savepoint:
                kind(dice, session, dice.choice(before))
                if not broken(session, seals):
                    missed.append((number, kind.__name__))
                savepoint.rollback()
                session.expunge_all()
        assert not missed
        assert not broken(session, seals)


def test_the_first_broken_entry_is_named(installation, seals, unguarded):
    with installation.session() as session:
        session.execute(text("UPDATE core_audit_entry SET address = 'x' WHERE organization_id = 77 AND id IN (7, 9)"))
        assert broken(session, seals)[0].entry == 7


def test_entries_of_a_previous_key_can_still_be_checked(installation, seals, chain):
    renewed = Seals([b"a new key", *seals._keys.values()])
    with installation.session() as session:
        assert audit.verify(session, renewed, chain) is None
        without = audit.verify(session, Seals([b"a new key"]), chain)
    assert without is not None
    assert "not configured" in without.reason


def test_a_log_to_which_others_add_is_whole(installation, seals, chain):
    database = installation.parts.services.database

    def add(number: int) -> None:
        with installation.session(chain) as session:
            audit.record(session, "thing.changed", "thing", number)
            installation.commit(session)

    def check(_: int) -> audit.Broken | None:
        with database.session(writes=False) as session:
            set_unscoped(session)
            return audit.verify(session, seals, chain)

    with ThreadPoolExecutor(5) as threads:
        writing = [threads.submit(add, number) for number in range(200)]
        found = {check(number) for number in range(100)}
        for each in writing:
            each.result()
    assert found == {None}
    assert check(0) is None


def test_an_entry_beyond_a_head_that_was_put_back_is_found(installation, seals, unguarded):
    kept = "SELECT sequence, last_seal, seal FROM core_audit_head WHERE organization_id = 77"
    put_back = "UPDATE core_audit_head SET sequence = :sequence, last_seal = :last_seal, seal = :seal"
    with installation.session(unguarded) as session:
        earlier = session.execute(text(kept)).mappings().one()
        audit.record(session, "thing.changed", "thing", 1)
        session.execute(text(f"{put_back} WHERE organization_id = 77"), dict(earlier))
        found = audit.verify(session, seals, unguarded)
    assert found is not None
    assert (found.entry, "beyond" in found.reason) == (ENTRIES + 1, True)


def test_secrets_have_no_place_in_it(installation):
    with installation.session() as session, pytest.raises(ValueError, match="no place"):
        audit.record(session, "user.updated", "user", 1, after={"password": "x"}, organization_id=1)


@pytest.mark.parametrize(
    "name", ["secret", "webhook_secret", "apiKey", "API-KEY", "accessTokens", "smtpPassword", "backup_codes", "2faKey"]
)
def test_what_is_called_like_a_secret_inside_of_a_field_is_masked(installation, name):
    shown = {"settings": {"gate": [{name: {"deep": "PLANTED"}}], "keyboard": "de", "barcode": 1, "ids": (1, None)}}
    with installation.session() as session:
        audit.record(session, "thing.changed", "thing", 1, before=shown, after=shown, organization_id=77)
        (entry,) = rows(session, 77)
    masked = {"settings": {"gate": [{name: audit.MASK}], "keyboard": "de", "barcode": 1, "ids": [1, None]}}
    assert [json.loads(entry[side]) for side in ("before", "after")] == [masked, masked]
