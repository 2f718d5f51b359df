"""Revisions up and down."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection, Engine, inspect, make_url, text

from helpdesk_core.lineages import CONTRACT, EXPAND, Lineage, MigrationFailed, Revision
from helpdesk_core.migrations.alembics import configuration, forget, make_notes
from helpdesk_core.migrations.connecting import check_references, connecting
from helpdesk_core.migrations.locks import (
    AnotherIsMigrating,
    Holder,
    Try,
    Watch,
    in_transaction,
    named,
    retried,
    take_turn,
    turn,
    wait_shortly,
)
from helpdesk_core.migrations.online import committing_each
from helpdesk_core.migrations.patience import Patience
from helpdesk_core.positions import Position, Standing, positions, present_revision
from helpdesk_core.row_security import align, scoped_tables, see_everyone

_ALONE = 10.0
"""Seconds that a lock is waited for by what is done while nobody uses the plugin, and cannot be tried again."""
_TOLD_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class _Plan:
    """How far one lineage goes, and how."""

    lineage: Lineage
    to: str
    phase: str
    patience: Patience


def upgrade(
    url: str,
    wanted: Sequence[Lineage],
    *,
    to: Callable[[Lineage], str] = lambda _: "head",
    phase: str = CONTRACT,
    patience: Patience | None = None,
) -> list[str]:
    """Bring every lineage to its newest revision, in order; return the ids of those that changed.

    All revisions of a lineage that the database does not have yet are one transaction. Later ones have one each, so
    that no lock is held for longer than its revision takes; those that say `online` have none on PostgreSQL.

    Args:
        url: of the database.
        wanted: those to change.
        to: tells another revision to stop at, for tests of upgrades.
        phase: `expand` stops before the first revision that takes something away.
        patience: with locks that others hold.

    Raises:
        MigrationFailed: naming the lineage; those before it stay upgraded, those after it do not change, and it stays
            at the last revision that went well.
    """
    patience = patience or Patience()
    with connecting(url) as engine:
        plans = [_Plan(lineage, to(lineage), phase, patience) for lineage in wanted]
        return [plan.lineage.id for plan in plans if _upgrade(engine, plan)]


def _upgrade(engine: Engine, plan: _Plan) -> bool:
    changed, advance = False, partial(in_transaction, engine, plan.patience, partial(_advance, plan))
    with _told_by(plan.lineage):
        while step := retried(plan.lineage.id, plan.patience, advance):
            changed = True
            if step.online:
                retried(plan.lineage.id, plan.patience, partial(_run_online, engine, plan, step))
    return changed


def _advance(plan: _Plan, connection: Connection) -> Revision | None:
    """Run what is next, and return the last step of it; one that is online is returned and not run."""
    (position,) = positions(connection, [plan.lineage])
    steps = _due(plan, position)
    if not steps:
        return None
    fresh = position.present is None
    last = steps[-1] if fresh else steps[0]
    if last.online and not fresh and connection.dialect.name == "postgresql":
        return last
    make_notes(connection)
    command.upgrade(configuration(connection, plan.lineage), last.id)
    check_references(connection)
    return Revision(last.id, last.before, last.phase)


def _due(plan: _Plan, position: Position) -> list[Revision]:
    """Return the steps that are to be run."""
    if position.standing in {Standing.CONTRACTED, Standing.UNKNOWN}:
        raise MigrationFailed(str(position.reason))
    plan.lineage.steps()  # tells what is wrong with files that could not be read
    steps = list(position.steps)
    if plan.to != "head":
        names = [step.id for step in steps]
        steps = steps[: names.index(plan.to) + 1] if plan.to in names else []
    if plan.phase == EXPAND:
        steps = list(takewhile(lambda step: step.phase == EXPAND, steps))
    return steps


def _run_online(engine: Engine, plan: _Plan, step: Revision, now: Try) -> None:
    """Run a step whose statements are committed one by one.

    It waits as long as it has to, since nobody waits behind it, and tells for whom.
    """

    def tell(holders: list[Holder]) -> None:
        now.saw(holders)
        plan.patience.tell(f"{plan.lineage.id}: waits, held up by {named(holders)}")

    with turn(engine), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        (position,) = positions(connection, [plan.lineage])
        if position.present != step.before:
            return  # another migrator was faster
        make_notes(connection)
        with Watch(engine, connection, after=_TOLD_EVERY, seen=tell), committing_each(connection):
            command.upgrade(configuration(connection, plan.lineage, online=True), step.id)


def align_rows(url: str, *, on: bool, patience: Patience | None = None) -> int:
    """Turn row-level security on or off for every table that is not so yet; return how many those were.

    Args:
        url: of the database; SQLite has nothing like it.
        on: whether it is wanted.
        patience: with locks that others hold.

    Raises:
        MigrationFailed: nothing has changed.
    """
    if make_url(url).get_backend_name() != "postgresql":
        return 0
    what, patience = Lineage("row-level security", Path()), patience or Patience()
    act = partial(align, on=on, scoped=scoped_tables())
    with connecting(url) as engine, _told_by(what):
        return len(retried(what.id, patience, partial(in_transaction, engine, patience, act)))


def downgrade(url: str, lineage: Lineage) -> None:
    """Undo every revision of a lineage and drop its version table."""
    with change(url, lineage) as connection:
        downgrade_within(connection, lineage)


def downgrade_within(connection: Connection, lineage: Lineage) -> None:
    """Undo every revision of a lineage and drop its version table, in the caller's transaction."""
    if _present(connection, lineage) is not None:
        make_notes(connection)
        command.downgrade(configuration(connection, lineage), "base")
    drop_version(connection, lineage)


def can_undo(connection: Connection, lineage: Lineage) -> bool:
    """Tell whether the files of the lineage know the revision that the database has."""
    return _present(connection, lineage) in {None, *lineage.revisions()}


def drop_version(connection: Connection, lineage: Lineage) -> None:
    """Drop the version table, and forget which revisions were applied."""
    connection.execute(text(f"DROP TABLE IF EXISTS {lineage.version_table}"))
    forget(connection, lineage)


@contextmanager
def change(url: str, lineage: Lineage) -> Iterator[Connection]:
    """Open a transaction that may change the schema; any failure is told as `MigrationFailed`, and undoes all of it."""
    with connecting(url) as engine, _told_by(lineage), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            wait_shortly(connection, _ALONE)
            take_turn(connection)
        see_everyone(connection)
        yield connection
        check_references(connection)


def move(url: str, lineage: Lineage, revision: str) -> None:
    """Bring a lineage to `revision`, up or down; `head` is the newest one, `base` what is before the first."""
    with connecting(url) as engine, engine.connect() as connection:
        present = _present(connection, lineage) or "base"
    known = lineage.revisions()
    places = {"base": -1, **{name: place for place, name in enumerate(known)}, "head": len(known) - 1}
    if revision not in places:
        raise MigrationFailed(f"{lineage.id}: there is no revision {revision}")
    if places[revision] < places[present]:
        with change(url, lineage) as connection:
            make_notes(connection)
            command.downgrade(configuration(connection, lineage), revision)
    elif revision != "base":
        upgrade(url, [lineage], to=lambda _: revision)


@contextmanager
def _told_by(lineage: Lineage) -> Iterator[None]:
    """Tell any failure with the name of the lineage."""
    try:
        yield
    except (MigrationFailed, AnotherIsMigrating) as error:
        raise MigrationFailed(f"{lineage.id}: {error}") from error
    except Exception as error:
        raise MigrationFailed(f"{lineage.id}: {type(error).__name__}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or [""])[0]


def _present(connection: Connection, lineage: Lineage) -> str | None:
    return present_revision(connection, lineage) if inspect(connection).has_table(lineage.version_table) else None
