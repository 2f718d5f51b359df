"""What a database holds, read once from beginning to end: the rows of each table and a digest of them.

The digest of a table is the sum of the digests of its rows, so the order in which they come does not matter and
nothing has to be sorted or kept: a row is forgotten once it is added. It finds accidents; who means to deceive writes
another manifest as well.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from helpdesk_core.backup.manifest import TablePart
from helpdesk_core.lineages import VERSION_TABLES

BYTES = 16
"""Of the digest of a row. All of them together are 128 bits, as those of a table are."""
AUDIT_HEADS = "core_audit_head"


class Reader(Protocol):
    """Reads one state of one database, whatever others write meanwhile."""

    def tables(self) -> list[str]:
        """Return the names of all tables that hold rows of their own."""

    def encoded(self, table: str) -> Iterator[bytes]:
        """Iterate over the rows of a table, each as bytes that are the same wherever the same row is stored."""

    def select(self, table: str, *columns: str) -> Iterator[tuple[Any, ...]]:
        """Iterate over the values of some columns of a table."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds.

    Attributes:
        tables: each with its rows and their digest.
        lineages: present revisions, by the id of the core or of a plugin.
        audit: the end of each organisation's audit log.
    """

    tables: dict[str, TablePart]
    lineages: dict[str, str | None]
    audit: dict[str, str]


def contents_of(reader: Reader) -> Contents:
    """Read all of a database."""
    names = sorted(reader.tables())
    tables = {name: _digest(reader.encoded(name)) for name in names}
    revisions = {
        name.removeprefix(VERSION_TABLES): next((row[0] for row in reader.select(name, "version_num")), None)
        for name in names
        if name.startswith(VERSION_TABLES)
    }
    heads = reader.select(AUDIT_HEADS, "organization_id", "sequence", "last_seal") if AUDIT_HEADS in names else ()
    audit = {str(organization): f"{organization}:{entry}:{seal}" for organization, entry, seal in sorted(heads)}
    return Contents(tables, revisions, audit)


def _digest(rows: Iterable[bytes]) -> TablePart:
    count = total = 0
    for row in rows:
        total += int.from_bytes(sha256(row).digest()[:BYTES], "big")
        count += 1
    return TablePart(rows=count, digest=f"{total % (1 << 8 * BYTES):0{2 * BYTES}x}")
