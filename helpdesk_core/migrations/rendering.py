"""The SQL of revisions, printed instead of run."""

import sys
from collections.abc import Iterator
from io import StringIO
from typing import TextIO

from alembic import command
from sqlalchemy import make_url

from helpdesk_core.lineages import Lineage, MigrationFailed, Revision
from helpdesk_core.migrations.alembics import configuration


class _Statements(StringIO):
    """Keeps what is printed, each statement by itself; comments and blank lines are none."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def write(self, text: str, /) -> int:
        statement = text.strip().removesuffix(";")
        if statement and not statement.startswith("--"):
            self.found.append(statement)
        return len(text)


def render_sql(url: str, lineage: Lineage) -> None:
    """Print the SQL of all revisions of a lineage instead of running them."""
    for step in lineage.steps():
        _render(lineage, step, make_url(url).get_backend_name(), sys.stdout)


def statements(lineage: Lineage, dialect: str = "postgresql") -> Iterator[tuple[Revision, list[str]]]:
    """Iterate over the revisions of a lineage, each with its statements."""
    for step in lineage.steps():
        printed = _Statements()
        _render(lineage, step, dialect, printed)
        yield step, printed.found


def _render(lineage: Lineage, step: Revision, dialect: str, out: TextIO) -> None:
    config = configuration(None, lineage, online=step.online)
    config.attributes["dialect"] = dialect
    config.output_buffer = out
    try:
        command.upgrade(config, f"{step.before or 'base'}:{step.id}", sql=True)
    except BrokenPipeError:
        raise  # the reader has seen enough
    except Exception as error:
        raise MigrationFailed(f"{lineage.id}: {type(error).__name__}: {error}") from error
