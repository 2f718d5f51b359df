"""What in the SQL of revisions would hold up a PostgreSQL that is in use, or break the version before.

Looked at is the SQL as PostgreSQL gets it, whichever operation it comes from. What a revision makes itself, nobody uses
yet; everything there was before may be large and busy.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from helpdesk_core.lineages import CONTRACT, Lineage, Revision
from helpdesk_core.migrations.alembics import scripts
from helpdesk_core.migrations.rendering import statements
from helpdesk_core.positions import APPLIED

_NAME = r'"?(?:\w+"?\."?)?(\w+)"?'
_CREATED = re.compile(
    rf"CREATE\s+(?:UNLOGGED\s+|TEMP(?:ORARY)?\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}", re.IGNORECASE
)
_CHANGED = re.compile(
    r"(?:ALTER\s+TABLE|DROP\s+TABLE|UPDATE|DELETE\s+FROM|INSERT\s+INTO"
    r"|CREATE\s+(?:UNIQUE\s+)?INDEX(?:\s+CONCURRENTLY)?(?:\s+IF\s+NOT\s+EXISTS)?\s+\S+\s+ON)\s+"
    rf"(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{_NAME}",
    re.IGNORECASE,
)
_REPEATABLE = re.compile(
    r"(CREATE\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS|DROP\s+INDEX\s+CONCURRENTLY\s+IF\s+EXISTS"
    r"|ALTER\s+TABLE\s+\S+\s+VALIDATE\s+CONSTRAINT|UPDATE|DELETE)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a revision must not do to a table that was there before.

    Attributes:
        name: as authors write it into `accepted`.
        pattern: of the statement.
        what: happens.
        mend: what to do about it.
        allowed: phase in which it is as it should be.
    """

    name: str
    pattern: re.Pattern[str]
    what: str
    mend: str
    allowed: str | None = None


def _rule(name: str, pattern: str, what: str, mend: str, *, allowed: str | None = None) -> Rule:
    return Rule(name, re.compile(pattern, re.IGNORECASE | re.DOTALL), what, mend, allowed)


RULES = (
    _rule(
        "required-column",
        r"ADD\s+COLUMN\b(?!.*\bDEFAULT\b).*\bNOT\s+NULL\b",
        "the new column is required, and rows that there are have nothing in it",
        "give it a server default, or let it be empty",
    ),
    _rule(
        "takes-away",
        r"^DROP\s+TABLE|^ALTER\s+TABLE\b.*\b(DROP\s+COLUMN|RENAME|SET\s+NOT\s+NULL|ALTER\s+COLUMN\s+\S+\s+DROP\s+DEFAULT)\b",
        "the version before may still use it",
        'say phase = "contract" in the revision, and let a release pass after the code has stopped using it',
        allowed=CONTRACT,
    ),
    _rule(
        "index-locks",
        r"^CREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)",
        "nobody can write to the table while the index is made",
        "use create_index_online, in a revision of its own that says online = True",
    ),
    _rule(
        "type-change",
        r"^ALTER\s+TABLE\b.*\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b",
        "the table may be written anew, and nobody can read it meanwhile",
        "add a column of the new type, fill it, and remove the old one later",
    ),
    _rule(
        "checks-rows",
        r"^ALTER\s+TABLE\b.*\bADD\s+CONSTRAINT\b(?!.*\bNOT\s+VALID\b).*\b(FOREIGN\s+KEY|CHECK)\b",
        "all rows are checked while nobody can write",
        "add it with postgresql_not_valid=True, and VALIDATE CONSTRAINT in a later revision",
    ),
    _rule(
        "builds-key",
        r"^ALTER\s+TABLE\b.*\bADD\s+CONSTRAINT\b(?!.*\bUSING\s+INDEX\b).*\b(UNIQUE|PRIMARY\s+KEY|EXCLUDE)\b",
        "an index is made while nobody can read or write the table",
        "use create_index_online with unique=True, in a revision of its own that says online = True",
    ),
)


@dataclass(frozen=True, slots=True)
class Danger:
    """A statement that would hold somebody up.

    Attributes:
        lineage: whose revision it is in.
        revision: which one.
        rule: that it breaks.
        statement: in SQL.
        what: happens.
        mend: what to do about it.
    """

    lineage: str
    revision: str
    rule: str
    statement: str
    what: str
    mend: str

    def __str__(self) -> str:
        """Return all of it, in three lines."""
        shown = " ".join(self.statement.split())[:160]
        return f"{self.lineage} {self.revision}: {self.what} ({self.rule})\n    {shown}\n    mend:  {self.mend}"


def lint(lineage: Lineage) -> list[Danger]:
    """Return what in the revisions of a lineage would hold up a running helpdesk, but for what they accept.

    A revision accepts with `accepted = {"type-change": "the reason"}`, beside its `revision`.
    """
    accepted = _accepted(lineage)
    return [
        danger
        for step, found in statements(lineage)
        for danger in _dangers(lineage, step, found)
        if not accepted[step.id].get(danger.rule)
    ]


def _accepted(lineage: Lineage) -> dict[str, Mapping[str, str]]:
    return {each.revision: getattr(each.module, "accepted", {}) for each in scripts(lineage).walk_revisions()}


def _dangers(lineage: Lineage, step: Revision, found: Sequence[str]) -> Iterator[Danger]:
    own = {lineage.version_table, APPLIED.name, *(match[1] for match in map(_CREATED.match, found) if match)}
    busy = [statement for statement in found if (table := changed_table(statement)) and table not in own]

    def danger(rule: str, statement: str, what: str, mend: str) -> Danger:
        return Danger(lineage.id, step.id, rule, statement, what, mend)

    for statement in busy:
        for rule in RULES:
            if rule.pattern.search(statement) and rule.allowed != step.phase:
                yield danger(rule.name, statement, rule.what, rule.mend)
    yield from _fills_under_lock(busy, danger)
    if step.online:
        for statement in busy:
            if not _REPEATABLE.match(statement):
                mend = "move it into a revision that is not online"
                yield danger("not-repeatable", statement, "if the revision fails half way it cannot be run again", mend)


def _fills_under_lock(busy: Sequence[str], danger: Callable[[str, str, str, str], Danger]) -> Iterator[Danger]:
    """Find tables that are changed and filled in one transaction: the lock of the change lasts until all is filled."""
    locked = set[str | None]()
    for statement in busy:
        table = changed_table(statement)
        if statement[:11].upper() == "ALTER TABLE":
            locked.add(table)
        elif statement[:6].upper() == "UPDATE" and table in locked:
            mend = "fill the column in a revision of its own, or in a job"
            yield danger("fills-under-lock", statement, "nobody can read the table until all rows are filled", mend)


def changed_table(statement: str) -> str | None:
    """Return the table that a statement changes; nothing if it changes none."""
    match = _CHANGED.match(statement)
    return match[1] if match else None
