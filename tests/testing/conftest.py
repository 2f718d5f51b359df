"""A sound plugin on disk, to be broken by a test, and what the conformance suite says of it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk_core.database import metadata
from helpdesk_core.plugins import load_plugins
from helpdesk_core.scaffold import FEATURES, write_plugin
from helpdesk_core.testing import Outcome
from helpdesk_core.testing.checking import checked, read_project

EXTRAS = '''
"""What the scaffold does not bring."""

from helpdesk_core.api import Context, Html, Key, NotificationKind, Resource, Router, on
from helpdesk_tiny.background import EntryAdded
from helpdesk_tiny.routes import VIEW, entries

pages = Router("tiny-entries", tag="Pages")


@pages.get("/{entry}/", permission=VIEW)
def show_entry(ctx: Context, entry: Key) -> Html:
    """One entry, as a page."""
    return Html("tiny/entry.html", {"entry": entry})


KIND = NotificationKind("tiny_added", title="An entry was added", subject="An entry", text="It is there.")
RESOURCE = Resource("entry", entries, VIEW, path="/tiny/{id}/")


@on(EntryAdded, within=True, name="helpdesk_tiny.refuse")
def refuse(ctx, event):
    raise RuntimeError("called within the transaction")
'''
HOOKS = """

@hookimpl
def register_pages():
    return [extras.pages]


@hookimpl
def register_notification_kinds():
    return [extras.KIND]


@hookimpl
def register_resources():
    return [extras.RESOURCE]
"""
SECOND = '''
"""Add notes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    with op.batch_alter_table("tiny_entry") as table:
        table.add_column(sa.Column("note", sa.String(100), nullable=False, server_default=""))


def downgrade():
    with op.batch_alter_table("tiny_entry") as table:
        table.drop_column("note")
'''
TITLE = "    title: Mapped[str] = mapped_column(String(255))\n"


class Tiny:
    """A plugin called `tiny` in a folder, with something behind every door."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = folder / "helpdesk_tiny"
        write_plugin("tiny", FEATURES, folder)
        (self.package / "extras.py").write_text(EXTRAS)
        (self.package / "migrations" / "0002_notes.py").write_text(SECOND)
        self.edit("helpdesk_tiny/plugin.toml", "requires =", 'pages = ["tiny-entries"]\nrequires =')
        self.edit("helpdesk_tiny/plugin.py", "import background, models", "import background, extras, models")
        self.edit("helpdesk_tiny/plugin.py", "[background.ack", "[extras.refuse, background.ack")
        self.edit("helpdesk_tiny/plugin.py", "", HOOKS)
        self.edit(
            "helpdesk_tiny/models.py", TITLE, f'{TITLE}    note: Mapped[str] = mapped_column(String(100), default="")\n'
        )

    def edit(self, path: str, old: str, new: str) -> None:
        """Put `new` in the place of `old`, or at the end."""
        text = (self.folder / path).read_text()
        assert old in text
        (self.folder / path).write_text(text.replace(old, new) if old else text + new)

    def outcomes(self) -> dict[str, Outcome]:
        """Return what came of each check."""
        return {outcome.check: outcome for _, outcome in checked(read_project(self.folder))}


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    load_plugins(())  # the built-in ones keep their tables
    tables = set(metadata.tables)
    yield Tiny(tmp_path / "helpdesk-tiny")
    for name in [name for name in sys.modules if name.partition(".")[0] == "helpdesk_tiny"]:
        del sys.modules[name]
    for name in set(metadata.tables) - tables:
        metadata.remove(metadata.tables[name])
