"""Column types, sessions and the writer lock."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text
from sqlalchemy.exc import IntegrityError

from helpdesk_core.database import Database, Ranked, UtcDateTime, after_commit, commit, on_rollback

TABLE = Table(
    "sample",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("moment", UtcDateTime),
    Column("priority", Ranked("low", "medium", "high")),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'sample.db'}", threads=4)
    TABLE.metadata.create_all(database.engine)
    yield database
    database.dispose()


def test_an_instant_with_an_offset_comes_back_in_utc(database: Database) -> None:
    karachi = timezone(timedelta(hours=5))
    with database.session(writes=True) as session:
        session.execute(insert(TABLE).values(id=1, moment=datetime(2024, 1, 1, 5, 0, 0, 999, karachi)))
        commit(session)
    with database.session(writes=False) as session:
        assert session.scalar(select(TABLE.c.moment)) == datetime(2024, 1, 1, tzinfo=UTC)
        assert session.scalar(text("SELECT moment FROM sample")) == "2024-01-01T00:00:00Z"


def test_a_naive_instant_is_refused(database: Database) -> None:
    with database.session(writes=True) as session, pytest.raises(Exception, match="naive"):
        session.execute(insert(TABLE).values(id=1, moment=datetime(2024, 1, 1)))  # noqa: DTZ001


def test_the_message_of_a_failure_keeps_what_was_written_to_itself(database: Database) -> None:
    with database.session(writes=True) as session, pytest.raises(IntegrityError) as caught:
        session.execute(insert(TABLE), [{"id": 421_337}, {"id": 421_337}])
    assert "421337" not in str(caught.value)


def test_ranked_words_sort_by_meaning(database: Database) -> None:
    with database.session(writes=True) as session:
        rows = [{"id": 1, "priority": "high"}, {"id": 2, "priority": "low"}, {"id": 3, "priority": "medium"}]
        session.execute(insert(TABLE), rows)
        commit(session)
        found = session.scalars(select(TABLE.c.priority).order_by(TABLE.c.priority)).all()
    assert found == ["low", "medium", "high"]


def test_what_is_not_committed_is_gone(database: Database) -> None:
    with database.session(writes=True) as session:
        session.execute(insert(TABLE).values(id=1))
    with database.session(writes=False) as session:
        assert session.scalars(select(TABLE.c.id)).all() == []


def test_effects_outside_follow_the_transaction(database: Database) -> None:
    done: list[str] = []
    with database.session(writes=True) as session:
        on_rollback(session, lambda: done.append("undone"))
    with database.session(writes=True) as session:
        on_rollback(session, lambda: done.append("never"))
        after_commit(session, lambda: done.append("committed"))
        commit(session)
    assert done == ["undone", "committed"]


def test_sixteen_threads_that_read_and_then_write_never_find_the_database_locked(database: Database) -> None:
    with database.session(writes=True) as session:
        session.execute(insert(TABLE).values(id=0))
        commit(session)
    failures: list[Exception] = []

    def add_ten() -> None:
        for _ in range(10):
            try:
                with database.session(writes=True) as session:
                    last = session.scalar(select(TABLE.c.id).order_by(TABLE.c.id.desc()).limit(1))
                    session.execute(insert(TABLE).values(id=(last or 0) + 1))
                    commit(session)
            except Exception as error:  # noqa: BLE001 - collected and asserted on
                failures.append(error)

    threads = [threading.Thread(target=add_ten) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.session(writes=False) as session:
        assert session.scalar(select(TABLE.c.id).order_by(TABLE.c.id.desc()).limit(1)) == 160
    assert failures == []
