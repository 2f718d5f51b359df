"""Where a database stands compared with the code that uses it: up to date, behind, or ahead of it.

Code that was rolled back does not know the revisions that its successor has applied. Whether it can work with them it
reads from a table of the database, in which each revision is noted together with its phase (docs/decisions/0033).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Column, Connection, DateTime, MetaData, String, Table, inspect, select, text

from helpdesk_core.database import Database
from helpdesk_core.lineages import CONTRACT, Lineage, MigrationFailed, Revision

APPLIED = Table(
    "helpdesk_revision",
    MetaData(),  # not of the models: migrations keep it, as they keep version tables
    Column("lineage", String(20), primary_key=True),
    Column("revision", String(32), primary_key=True),
    Column("previous", String(32)),
    Column("phase", String(10), nullable=False),
    Column("applied_at", DateTime(timezone=True), nullable=False),
)
"""Which revisions were applied, by whichever version of the code."""


class Standing(StrEnum):
    """How a database compares with the revisions that this code knows.

    Attributes:
        CURRENT: it has all of them, and no other.
        DUE: it lacks some that the code needs.
        CONTRACT_DUE: it lacks only such as take away what no code uses any more.
        AHEAD: it has newer ones, which keep everything that this code uses.
        CONTRACTED: it has newer ones, and at least one of them takes something away.
        UNKNOWN: it has one of which nobody knows how it came there.
    """

    CURRENT = "current"
    DUE = "due"
    CONTRACT_DUE = "contract_due"
    AHEAD = "ahead"
    CONTRACTED = "contracted"
    UNKNOWN = "unknown"


REASONS = {
    Standing.DUE: "its migrations are due: run `helpdesk migrate`",
    Standing.CONTRACTED: (
        "a newer version has taken away what this one may use, with revision {revisions}: install the newer one again"
    ),
    Standing.UNKNOWN: "the database is at revision {revisions}, which this version does not know: install its own one",
}
"""Why code cannot run on a database, by standing."""

NOTES = {
    Standing.CONTRACT_DUE: "{id}: revision {revisions} waits until no older version runs; then run `helpdesk migrate`",
    Standing.AHEAD: "{id}: the database has revision {revisions} of a newer version, and all that this one uses",
}
"""What operators are told although everything works, by standing."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the database stands in one lineage.

    Attributes:
        lineage: which one.
        standing: how it compares.
        present: the revision of the database; nothing if it has none.
        steps: the revisions that it lacks.
        foreign: those that it has and the code does not know.
    """

    lineage: Lineage
    standing: Standing
    present: str | None = None
    steps: tuple[Revision, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def reason(self) -> str | None:
        """Return why the code cannot run on this database; nothing if it can."""
        return self._told(REASONS)

    @property
    def note(self) -> str | None:
        """Return what an operator is told although the code runs."""
        return self._told(NOTES)

    def _told(self, sentences: Mapping[Standing, str]) -> str | None:
        sentence = sentences.get(self.standing)
        names = ", ".join(self.foreign or [step.id for step in self.steps])
        return sentence.format(id=self.lineage.id, revisions=names) if sentence else None


def positions(connection: Connection, wanted: Sequence[Lineage]) -> list[Position]:
    """Return where the database stands in each lineage; one whose files cannot be read is `DUE`."""
    tables = set(inspect(connection).get_table_names())
    found = []
    for lineage in wanted:
        present = present_revision(connection, lineage) if lineage.version_table in tables else None
        found.append(_position(connection, lineage, present, noted=APPLIED.name in tables))
    return found


def present_revision(connection: Connection, lineage: Lineage) -> str | None:
    """Return the revision of a lineage that has a version table."""
    query = text(f"SELECT version_num FROM {lineage.version_table}")  # noqa: S608 - an id of ours
    revision: str | None = connection.execute(query).scalar()
    return revision


def pending(database: Database, wanted: Sequence[Lineage]) -> dict[str, str]:
    """Return the ids of lineages with which this code cannot run, each with the reason."""
    with database.engine.connect() as connection:
        found = positions(connection, wanted)
    return {position.lineage.id: position.reason for position in found if position.reason}


def _position(connection: Connection, lineage: Lineage, present: str | None, *, noted: bool) -> Position:
    try:
        steps = lineage.steps()
    except (MigrationFailed, OSError, UnicodeDecodeError):
        return Position(lineage, Standing.DUE, present)
    known = [step.id for step in steps]
    if present is not None and present not in known:
        applied = _applied(connection, lineage) if noted else {}
        return _foreign(lineage, present, known, applied)
    due = tuple(steps[known.index(present) + 1 :] if present else steps)
    if not due:
        return Position(lineage, Standing.CURRENT, present)
    contract = present is not None and all(step.phase == CONTRACT for step in due)
    return Position(lineage, Standing.CONTRACT_DUE if contract else Standing.DUE, present, due)


def _foreign(lineage: Lineage, present: str, known: Sequence[str], applied: dict[str, Revision]) -> Position:
    """Follow what was noted from the present revision back to the newest one that this code knows."""
    newer, at = list[Revision](), str(present)
    while at not in known and at in applied:
        newer.append(applied.pop(at))
        at = newer[-1].before or ""
    names = tuple(step.id for step in newer[::-1])
    if not known or at != known[-1]:
        return Position(lineage, Standing.UNKNOWN, present, foreign=(present,))
    if any(step.phase == CONTRACT for step in newer):
        takes = tuple(step.id for step in newer[::-1] if step.phase == CONTRACT)
        return Position(lineage, Standing.CONTRACTED, present, foreign=takes)
    return Position(lineage, Standing.AHEAD, present, foreign=names)


def _applied(connection: Connection, lineage: Lineage) -> dict[str, Revision]:
    columns = APPLIED.c
    query = select(columns.revision, columns.previous, columns.phase).where(columns.lineage == lineage.id)
    return {row.revision: Revision(*row) for row in connection.execute(query)}
