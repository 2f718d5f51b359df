"""Tenancy holds below the ORM, and fails closed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import aliased

from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.database import Database, metadata
from helpdesk_core.tenancy import TenancyViolation, organization_of, set_organization, set_unscoped
from tests.databases import NOW, organization


def values(key: int, organization_id: int | None) -> dict[str, Any]:
    name = f"user{key}"
    return {
        "id": key,
        "organization_id": organization_id,
        "username": name,
        "username_key": name,
        "email": f"{name}@example.com",
        "email_key": f"{name}@example.com",
        "password_hash": "-",
        "role": "customer",
        "created_at": NOW,
        "updated_at": NOW,
    }


def user(key: int, organization_id: int | None) -> User:
    return User(**values(key, organization_id))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'tenancy.db'}", threads=2)
    metadata.create_all(database.engine, [Organization.__table__, User.__table__])
    with database.session(writes=True) as session:
        set_unscoped(session)
        session.add_all([organization(1), organization(2)])
        session.flush()
        session.add_all([user(1, 1), user(2, 2), user(3, 2)])
        session.commit()
    yield database
    database.dispose()


def test_a_session_without_an_organisation_reads_nothing(database: Database) -> None:
    with database.session(writes=False) as session, pytest.raises(TenancyViolation, match="User"):
        session.scalars(select(User)).all()


def test_a_session_without_an_organisation_writes_nothing(database: Database) -> None:
    with database.session(writes=True) as session:
        session.add(user(9, 1))
        with pytest.raises(TenancyViolation):
            session.flush()


def test_every_way_of_reading_sees_one_organisation_only(database: Database) -> None:
    other = aliased(User)
    with database.session(writes=False) as session:
        set_organization(session, 2)
        assert session.scalars(select(User.id).order_by(User.id)).all() == [2, 3]
        assert session.scalar(select(func.count()).select_from(User)) == 2
        assert session.get(User, 1) is None
        assert session.scalars(select(other.id)).all() == [2, 3]
        assert session.scalars(select(Organization.id).where(select(User.id).where(User.id == 1).exists())).all() == []


def test_the_same_statement_serves_several_organisations(database: Database) -> None:
    for key, expected in ((1, [1]), (2, [2, 3]), (1, [1])):
        with database.session(writes=False) as session:
            set_organization(session, key)
            assert session.scalars(select(User.id).order_by(User.id)).all() == expected


def test_bulk_changes_stay_inside(database: Database) -> None:
    with database.session(writes=True) as session:
        set_organization(session, 2)
        session.execute(update(User).values(first_name="Changed"))
        session.commit()
    with database.session(writes=False) as session:
        set_unscoped(session)
        assert session.scalars(select(User.id).where(User.first_name == "Changed").order_by(User.id)).all() == [2, 3]


def test_a_new_row_gets_the_organisation_of_its_session(database: Database) -> None:
    with database.session(writes=True) as session:
        set_organization(session, 2)
        session.add(user(9, None))
        session.flush()
        assert session.get_one(User, 9).organization_id == 2


def test_a_row_of_another_organisation_is_refused(database: Database) -> None:
    with database.session(writes=True) as session:
        set_organization(session, 2)
        session.add(user(9, 1))
        with pytest.raises(TenancyViolation, match="another organisation"):
            session.flush()


FOREIGN = {
    "inserted": (insert(User).values(values(9, 1)), None),
    "inserted by attribute": (insert(User).values({**values(9, None), User.organization_id: 1}), None),
    "inserted together": (insert(User).values([values(8, 2), values(9, 1)]), None),
    "inserted as parameters": (insert(User), [values(8, 2), values(9, 1)]),
    "inserted as a parameter": (insert(User), values(9, 1)),
    "inserted and read": (select(User).from_statement(insert(User).values(values(9, 1)).returning(User)), None),
    "moved": (update(User).where(User.id == 2).values(organization_id=1), None),
    "moved by a parameter": (update(User).where(User.id == 2), {"organization_id": 1}),
    "updated by their keys": (update(User), [{"id": 1, "first_name": "Changed"}]),
}


@pytest.mark.parametrize("way", FOREIGN)
def test_no_statement_gives_rows_to_another_organisation(database: Database, way: str) -> None:
    statement, parameters = FOREIGN[way]
    with database.session(writes=True) as session:
        set_organization(session, 2)
        with pytest.raises(TenancyViolation, match=r"User .* another organisation"):
            session.execute(statement, parameters)


def test_statements_may_name_the_organisation_of_their_session(database: Database) -> None:
    same = update(User).where(User.id == 8).values(organization_id=User.organization_id, first_name="Same")
    with database.session(writes=True) as session:
        set_organization(session, 2)
        session.execute(insert(User), [values(8, 2), values(9, 2)])
        session.execute(same)
        session.execute(update(User).where(User.id == 9).values(organization_id=2, first_name="Same"))
        assert session.scalars(select(User.id).where(User.first_name == "Same").order_by(User.id)).all() == [8, 9]


def test_a_session_without_an_organisation_inserts_nothing(database: Database) -> None:
    with database.session(writes=True) as session, pytest.raises(TenancyViolation, match="User"):
        session.execute(insert(User).values(values(9, 1)))


def test_an_organisation_is_fixed_for_life(database: Database) -> None:
    with database.session(writes=False) as session:
        set_organization(session, 2)
        assert organization_of(session) == 2
        with pytest.raises(TenancyViolation):
            set_organization(session, 1)
        with pytest.raises(TenancyViolation):
            set_unscoped(session)
