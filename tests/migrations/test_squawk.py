"""Squawk, a linter of others, has nothing to say about the SQL of any revision but what is listed here."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from helpdesk_core.lineages import Lineage, lineages
from helpdesk_core.migrations.rendering import statements
from helpdesk_core.plugins import PluginHost

SQUAWK = Path(sys.executable).with_name("squawk")

LEFT_OUT = {
    "prefer-bigint-over-int": "rows of organisations, users and articles do not come in thousands of millions",
    "prefer-bigint-over-smallint": "statuses and kinds are few",
    "prefer-identity": "SQLAlchemy writes SERIAL, which does the same",
    "prefer-robust-stmts": "a revision is one transaction, and undone if it fails",
    "prefer-text-field": "lengths are promised by the API, and SQLite shares the models",
    "require-lock-timeout": "migrations run with one, which their SQL does not show",
    "require-statement-timeout": "decision 0033 says why there is none",
}
"""Rules that are not asked for, each with the reason."""

RELEASED = {
    "core-0002": {"require-concurrent-index-creation"},
    "core-0004": {
        *("adding-field-with-default", "ban-drop-column"),
        *("require-concurrent-index-creation", "require-concurrent-index-deletion"),
    },
    "core-0005": {"require-concurrent-index-creation"},
    "kb-0002": {"ban-drop-constraint", "constraint-missing-not-valid", "disallowed-unique-constraint"},
    "tickets-0002": {"require-concurrent-index-creation"},
}
"""What revisions say that were released before this was looked at; nothing is added here."""


def sql(lineage: Lineage, folder: Path) -> list[Path]:
    """Write each revision into a file of its own; BEGIN and COMMIT are of the runner."""
    written = []
    for step, found in statements(lineage):
        lines = [f"{statement};\n" for statement in found if statement not in {"BEGIN", "COMMIT"}]
        path = folder / f"{lineage.id}-{step.id}.sql"
        path.write_text("BEGIN;\n" + "".join(lines) + "COMMIT;\n" if not step.online else "".join(lines))
        written.append(path)
    return written


def told(files: list[Path], *options: str) -> dict[str, set[str]]:
    """Return the rules that each file breaks."""
    asked = [SQUAWK, "--reporter", "json", "--exclude", ",".join(LEFT_OUT), *options, *files]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    found = defaultdict(set)
    for each in json.loads(done.stdout):
        found[Path(each["file"]).stem].add(each["rule_name"])
    return dict(found)


@pytest.fixture
def files(helpdesk_host: PluginHost, tmp_path: Path) -> list[Path]:
    return [path for lineage in lineages(helpdesk_host) for path in sql(lineage, tmp_path)]


def test_no_revision_would_hold_a_running_helpdesk_up(files):
    here = {path.stem for path in files}  # the core may be alone
    assert told(files) == {name: rules for name, rules in RELEASED.items() if name in here}


def test_squawk_looks_at_what_it_is_given(tmp_path):
    (tmp_path / "bad.sql").write_text("ALTER TABLE core_user ADD COLUMN size integer NOT NULL;\n")
    assert told([tmp_path / "bad.sql"]) == {"bad": {"adding-required-field"}}
