"""Full-text indexes: FTS5 on SQLite, `tsvector` on PostgreSQL, behind one declaration.

The organisation is a word of every row (one that no text can hold), so that one index serves all organisations and
still streams: the newest hits of an organisation are found without looking at the others' (measured: at most 4 ms
among a million rows). Sorting by relevance needs every hit; it therefore looks at the newest 1,000 only.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Float, bindparam, cast, column, func, literal_column, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from helpdesk_core.database import metadata
from helpdesk_core.statements import Prepared
from helpdesk_core.tenancy import organization_of

MOST_TERMS = 10
"""Terms of a query beyond this many are ignored."""
RANKED_HITS = 1_000
"""Sorting by relevance looks at this many of the newest hits."""
COUNTED_HITS = 10_000
"""Hits are counted exactly up to this many (decision D16)."""

MOST_CHARACTERS = 50_000
"""Of one field of one row, text beyond this is not indexed. It also keeps a `tsvector` below its limit of 1 MB."""
MOST_BYTES = 500_000

STATISTICS = 1000
"""Of the words of an index on PostgreSQL, which keeps those of ten times as many words; it keeps 100 by itself."""

_WEIGHTS = "ABCD"
_WORD = re.compile(r"[^\W_]+")


class SearchIndex:
    """One full-text index over the rows of one model.

    Attributes:
        name: its table.
        fields: what can be searched apart, at most four.
    """

    def __init__(self, name: str, *fields: str) -> None:
        """Declare an index; its table is made by a migration through `create`."""
        if len(fields) > len(_WEIGHTS):
            raise ValueError(f"{name}: at most {len(_WEIGHTS)} fields")
        self.name = name
        self.fields = fields
        metadata.info.setdefault("search_indexes", set()).add(name)  # tables that migrations must not take for drift
        self._rows = table(name, column("rowid"), column("key"), column("organization_id"), column("document"))
        self._write_statements()

    def _write_statements(self) -> None:
        """Write down what changes the index: text, because no construct of SQLAlchemy knows these tables."""
        names, places = ", ".join(self.fields), ", ".join(f":{name}" for name in self.fields)
        self._insert = _prepared(
            f"INSERT INTO {self.name} (rowid, organization, {names}) VALUES (:key, :organization, {places})"
        )
        self._delete = _prepared(f"DELETE FROM {self.name} WHERE rowid = :key")
        self._append = {
            name: _prepared(
                f"UPDATE {self.name} SET {name} = {name} || char(10) || :added"
                f" WHERE rowid = :key AND length({name}) < {MOST_CHARACTERS}"
            )
            for name in self.fields
        }
        vectors = [_vector(self.fields, name, name) for name in self.fields]
        self._put_vector = _prepared(
            f"INSERT INTO {self.name} (key, organization_id, document)"
            f" VALUES (:key, :organization, {' || '.join(vectors)} || array_to_tsvector(ARRAY[CAST(:word AS text)]))"
            " ON CONFLICT (key) DO UPDATE SET document = excluded.document"
        )
        self._delete_vector = _prepared(f"DELETE FROM {self.name} WHERE key = :key")
        self._append_vector = {
            name: _prepared(
                f"UPDATE {self.name} SET document = document || {_vector(self.fields, name, 'added')}"
                f" WHERE key = :key AND pg_column_size(document) < {MOST_BYTES}"
            )
            for name in self.fields
        }

    def create(self, op: Any) -> None:
        """Create the index, in a migration."""
        if op.get_bind().dialect.name == "sqlite":
            columns = ", ".join(("organization", *self.fields))
            op.execute(
                f"CREATE VIRTUAL TABLE {self.name} USING fts5"
                f"({columns}, tokenize='porter unicode61 remove_diacritics 2')"
            )
            return
        op.execute(
            f"CREATE TABLE {self.name} (key bigint PRIMARY KEY, organization_id bigint NOT NULL,"
            " document tsvector NOT NULL)"
        )
        op.execute(f"CREATE INDEX ix_{self.name}_document ON {self.name} USING gin (document)")
        self.learn_rare_words(op)

    def learn_rare_words(self, op: Any) -> None:
        """Have PostgreSQL keep statistics of ten times as many words, in a migration.

        It takes a word that it has none of for rather frequent, and looks for the newest hits among all rows instead of
        in the index: measured, 100 to 600 ms where it takes 3. Takes effect with the next ANALYZE.
        """
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"ALTER TABLE {self.name} ALTER COLUMN document SET STATISTICS {STATISTICS}")

    def drop(self, op: Any) -> None:
        """Drop the index, in a migration."""
        op.execute(f"DROP TABLE {self.name}")

    def put(self, session: Session, key: int, texts: Mapping[str, str], *, is_new: bool = False) -> None:
        """Index the row `key` of the session's organisation, replacing what was known of it.

        Args:
            session: the transaction of the write; index and row cannot disagree.
            key: the row's integer key.
            texts: text by field; a field left out is empty.
            is_new: the key is not indexed yet.
        """
        values = {name: texts.get(name, "")[:MOST_CHARACTERS] for name in self.fields}
        if _kind(session) == "sqlite":
            if not is_new:
                self.remove(session, key)
            self._insert.run(session, {**values, "key": key, "organization": f"o{organization_of(session)}"})
            return
        organization = organization_of(session)
        plain = {name: _plain(value) for name, value in values.items()}
        scope = {"key": key, "organization": organization, "word": f"={organization}"}
        self._put_vector.run(session, {**plain, **scope})

    def append(self, session: Session, key: int, field: str, added: str) -> None:
        """Add text to one field of an indexed row; a row with very much text already stays as it is."""
        if _kind(session) == "sqlite":
            self._append[field].run(session, {"key": key, "added": added[:MOST_CHARACTERS]})
        else:
            self._append_vector[field].run(session, {"key": key, "added": _plain(added)[:MOST_CHARACTERS]})

    def remove(self, session: Session, key: int) -> None:
        """Forget the row `key`."""
        statement = self._delete if _kind(session) == "sqlite" else self._delete_vector
        statement.run(session, {"key": key})

    def join(self, statement: Any, key: Any, kind: str) -> Any:
        """Return `statement` restricted to hits of `:match`; `key` is the column that this index is over."""
        return statement.join(self._rows, self.key(kind) == key).where(self._matches(kind))

    def select(self, columns: Sequence[Any], kind: str) -> Any:
        """Return the SELECT of `columns` of hits of `:match`, whatever rows they are of."""
        return select(*columns).select_from(self._rows).where(self._matches(kind))

    def _matches(self, kind: str) -> ColumnElement[bool]:
        if kind == "sqlite":
            return literal_column(self.name).op("MATCH")(bindparam("match"))
        organization = cast(func.concat("'=", bindparam("organization_id"), "'"), TSQUERY)
        asked = func.to_tsquery("english", bindparam("match")).op("&&")(organization)
        return self._rows.c.document.op("@@")(asked)

    def key(self, kind: str) -> ColumnElement[Any]:
        """Return the column that holds the keys of hits, for conditions beside that of `join`."""
        return self._rows.c.rowid if kind == "sqlite" else self._rows.c.key

    def newest_first(self, kind: str) -> Any:
        """Return what newest hits sort by; on SQLite the index itself delivers in this order."""
        return self.key(kind).desc()

    def as_delivered(self, statement: Any, kind: str) -> Any:
        """Return `statement` in whichever order the index has hits in, for counting them.

        SQLite would probe the index once for each row of the entity if it were not told; PostgreSQL would sort them.
        """
        return statement.order_by(self.newest_first(kind)) if kind == "sqlite" else statement

    def scores(self, kind: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """Return two columns for `relevance`: how often terms occur in a hit, and its length in characters."""
        if kind != "sqlite":
            rank = func.ts_rank(self._rows.c.document, func.to_tsquery("english", bindparam("match")))
            return rank, func.length(self._rows.c.document)
        length = " + ".join(f"length({self.name}.{name})" for name in self.fields)
        marked = " + ".join(
            f"length(highlight({self.name}, {place}, char(1), ''))" for place in range(1, len(self.fields) + 1)
        )
        return literal_column(f"({marked}) - ({length})"), literal_column(length)

    def best_first(self, kind: str, weights: Mapping[str, float]) -> ColumnElement[Any]:
        """Return what hits sort by that hold some of the terms: the more, the rarer and the nearer the top, the better.

        BM25 on SQLite. PostgreSQL does not know how rare a term is; there it is how often terms occur.

        Args:
            kind: of the database.
            weights: how much a term counts in each field; not at all in others.
        """
        if kind == "sqlite":
            given = ", ".join(f"{float(weights.get(name, 0))}" for name in self.fields)
            return literal_column(f"bm25({self.name}, 0.0, {given})", Float).asc()
        heaviest = max(weights.values())
        shares = [weights.get(name, 0) / heaviest for name in self.fields]
        array = ", ".join(f"{share:.4f}" for share in reversed([*shares, *([0.0] * (len(_WEIGHTS) - len(shares)))]))
        asked = func.to_tsquery("english", bindparam("match"))
        return func.ts_rank(literal_column(f"CAST('{{{array}}}' AS float4[])"), self._rows.c.document, asked, 1).desc()

    def expression(
        self, kind: str, query: str, fields: Sequence[str], organization_id: int, *, some: bool = False
    ) -> str | None:
        """Return the value of `:match`: all terms must occur in `fields`; nothing when `query` has no term.

        Args:
            kind: of the database.
            query: what is searched for.
            fields: where.
            organization_id: whose rows.
            some: one of the terms is enough.
        """
        words = terms(query)
        if not words:
            return None
        if kind == "sqlite":
            within = " ".join(fields)
            hits = (f'{{{within}}} : "{word}"{"*" if prefix else ""}' for word, prefix in words)
            joined = (" OR " if some else " AND ").join(hits)
            return f'organization : "o{organization_id}" AND ({joined})'
        # Words in any field are found without weights: the index holds none, and every row would be looked at for them.
        everywhere = set(fields) == set(self.fields)
        weights = "" if everywhere else "".join(_WEIGHTS[self.fields.index(name)] for name in fields)
        return (" | " if some else " & ").join(f"{word}:{'*' if prefix else ''}{weights}" for word, prefix in words)


def _prepared(statement: str) -> Prepared:
    return Prepared(text(statement))


def _vector(fields: Sequence[str], field: str, parameter: str) -> str:
    weight = _WEIGHTS[fields.index(field)]
    return f"setweight(to_tsvector('english', CAST(:{parameter} AS text)), '{weight}')"


def _kind(session: Session) -> str:
    return str(session.info["database"])


def _plain(value: str) -> str:
    """Return letters and digits alone: PostgreSQL would read `TKT-001` as a word and a negative number."""
    return " ".join(_WORD.findall(_without_accents(value)))


def _without_accents(value: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", value) if not unicodedata.combining(c))


def terms(query: str) -> list[tuple[str, bool]]:
    """Return the words of a query, without accents, each with whether it ends in `*` (a beginning of words).

    >>> terms("TKT-001 Log*")
    [('tkt', False), ('001', False), ('log', True)]
    """
    plain = _without_accents(query.lower())
    return [(word, star == "*") for word, star in re.findall(r"([^\W_]+)(\*?)", plain)][:MOST_TERMS]


def relevance(hits: Sequence[tuple[int, float, int]]) -> list[int]:
    """Return the keys of `hits` (key, occurrences, length), best first.

    The saturation and length terms of BM25; every hit holds every term, so the weight of rare terms is the same
    for all of them and left out.
    """
    if not hits:
        return []
    average = sum(length for _, _, length in hits) / len(hits) or 1.0

    def score(hit: tuple[int, float, int]) -> float:
        _, occurrences, length = hit
        return occurrences / (occurrences + 1.2 * (0.25 + 0.75 * length / average))

    return [hit[0] for hit in sorted(hits, key=lambda hit: (-score(hit), -hit[0]))]
