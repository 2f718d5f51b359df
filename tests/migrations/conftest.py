"""Lineages that a test writes, and a database for them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from helpdesk_core.lineages import Lineage
from helpdesk_core.migrations import Patience
from tests.databases import empty_database

REVISION = '''
"""A revision."""
import sqlalchemy as sa
from alembic import op

from helpdesk_core.api import create_index_online, drop_index_online

revision = "{number}"
down_revision = {before}
{said}


def upgrade():
{up}


def downgrade():
    pass
'''
SHIFTS = (
    'op.create_table("oncall_shift", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))'
)
EXPANDING = 'op.add_column("oncall_shift", sa.Column("title", sa.String(20), nullable=True))'
CONTRACTING = 'op.drop_column("oncall_shift", "name")'
CONTRACT = 'phase = "contract"'
ONLINE = "online = True"


class Releases:
    """Writes revisions into the folder of a plugin called oncall, one release after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._count = 0

    def add(self, *lines: str, said: str = "") -> Lineage:
        """Add a revision, and return the lineage with it."""
        self._count += 1
        before = repr(str(self._count - 1)) if self._count > 1 else None
        up = "\n".join(f"    {line}" for line in lines)
        written = REVISION.format(number=self._count, before=before, up=up, said=said)
        (self.folder / f"{self._count}.py").write_text(written)
        return self.lineage

    def remove(self) -> Lineage:
        """Remove the newest revision, as an installation of the version before does."""
        (self.folder / f"{self._count}.py").unlink()
        self._count -= 1
        return self.lineage

    @property
    def lineage(self) -> Lineage:
        return Lineage("oncall", self.folder)


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path / "oncall")


@pytest.fixture
def url(tmp_path: Path, worker_id: str) -> Iterator[str]:
    """An empty database of its own."""
    with empty_database(tmp_path, worker_id, "migrations") as url:
        yield url


@pytest.fixture
def rows(url: str) -> Callable[[str], list[tuple[object, ...]]]:
    """Run a statement, and return its rows if it has any."""

    def run(statement: str) -> list[tuple[object, ...]]:
        engine = create_engine(url)
        try:
            with engine.begin() as connection:
                result = connection.execute(text(statement))
                return [tuple(row) for row in result] if result.returns_rows else []
        finally:
            engine.dispose()

    return run


@pytest.fixture
def tables(url: str) -> Callable[[], list[str]]:
    """Return the names of all tables."""

    def look() -> list[str]:
        engine = create_engine(url)
        try:
            return inspect(engine).get_table_names()
        finally:
            engine.dispose()

    return look


@pytest.fixture
def told() -> list[str]:
    """What the operator was told."""
    return []


@pytest.fixture
def patience(told: list[str]) -> Patience:
    """Tries that wait for no time to speak of."""
    return Patience(0.5, lock_seconds=0.05, tell=told.append, sleep=lambda _: None, jitter=lambda: 0.2)
