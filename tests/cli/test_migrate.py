"""`helpdesk migrate`: what is due is done, in transactions, and told."""

import shutil
import sqlite3

import pytest

from helpdesk_core.database import Database
from helpdesk_core.lineages import Lineage, MigrationFailed, environment_folder, orphans
from helpdesk_core.migrations import downgrade, pending, upgrade

REVISION = '''
"""A revision."""
from alembic import op
import sqlalchemy as sa

revision = "{number}"
down_revision = {before}


def upgrade():
{up}


def downgrade():
    pass
'''


@pytest.fixture
def lineage(tmp_path):
    """A lineage of a plugin called oncall, with these statements as its revisions."""

    def make(*statements):
        folder = tmp_path / "oncall"
        folder.mkdir(exist_ok=True)
        for number, lines in enumerate(statements, 1):
            before = repr(str(number - 1)) if number > 1 else None
            body = "\n".join(f"    {line}" for line in lines)
            (folder / f"{number}.py").write_text(REVISION.format(number=number, before=before, up=body))
        return Lineage("oncall", folder)

    return make


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/new/test.db"


def tables(url):
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def create(table):
    return f'op.create_table("{table}", sa.Column("id", sa.Integer, primary_key=True))'


def test_an_empty_folder_becomes_an_installation(helpdesk, folder):
    told = helpdesk("migrate")
    assert (told.exit_code, told.stdout.startswith("core: now at ")) == (0, True)
    key = folder / "helpdesk-data" / "secret-key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_bytes()) >= 32


def test_a_second_time_there_is_nothing_to_do(helpdesk, migrated):
    key = (migrated / "helpdesk-data" / "secret-key").read_bytes()
    assert helpdesk("migrate").stdout == "Nothing to do: the database is up to date.\n"
    assert (migrated / "helpdesk-data" / "secret-key").read_bytes() == key


def test_check_changes_nothing_and_says_what_is_due(helpdesk, refused, folder):
    assert refused("migrate", "--check") == "Migrations are due: core. Run `helpdesk migrate`."
    assert not (folder / "helpdesk-data" / "helpdesk.db").exists()
    helpdesk("migrate")
    assert helpdesk("migrate", "--check").exit_code == 0


def test_sql_is_printed_instead_of_run(helpdesk, folder, monkeypatch):
    monkeypatch.setenv("HELPDESK_DATABASE_URL", "postgresql://nobody@localhost:1/none")
    told = helpdesk("migrate", "--sql")
    assert told.exit_code == 0, told.stderr
    assert "CREATE TABLE core_organization" in told.stdout


def test_one_plugin_alone(helpdesk, refused):
    assert helpdesk("migrate", "--plugin", "core").exit_code == 0
    assert refused("migrate", "--plugin", "nothing", code=2) == "nothing has no migrations here; there are core."


class TestPhases:
    """A core whose newest revision takes something away."""

    @pytest.fixture(autouse=True)
    def newest(self, tmp_path, monkeypatch):
        shutil.copytree(environment_folder(), tmp_path / "migrations")
        head = Lineage("core", tmp_path / "migrations" / "versions").head()
        text = REVISION.format(number="9000", before=repr(head), up='    op.drop_table("core_usage")')
        (tmp_path / "migrations" / "versions" / "9000.py").write_text(f'{text}\n\nphase = "contract"\n')
        monkeypatch.setattr("helpdesk_core.lineages.environment_folder", lambda: tmp_path / "migrations")

    def test_the_first_one_leaves_it_and_says_so(self, helpdesk):
        note = "core: revision 9000 waits until no older version runs; then run `helpdesk migrate`."
        assert helpdesk("migrate", "--phase", "expand").stdout.splitlines()[-1] == note
        told = helpdesk("migrate", "--check")
        assert (told.exit_code, told.stdout) == (0, f"The database is up to date.\n{note}\n")

    def test_the_database_is_fit_for_use_meanwhile(self, helpdesk):
        helpdesk("migrate", "--phase", "expand")
        told = helpdesk("doctor").stdout
        assert "ok     migrations  core: revision 9000 waits until no older version runs" in told
        assert helpdesk("jobs", "list").exit_code == 0

    def test_the_second_one_runs_it(self, helpdesk):
        helpdesk("migrate", "--phase", "expand")
        assert helpdesk("migrate").stdout == "core: now at 9000\n"

    def test_it_is_told_what_would_hold_a_running_helpdesk_up(self, helpdesk, tmp_path):
        assert helpdesk("migrate", "--lint").stdout.endswith(" revisions.\n")
        file = tmp_path / "migrations" / "versions" / "9000.py"
        file.write_text(file.read_text().replace('phase = "contract"', ""))
        told = helpdesk("migrate", "--lint")
        assert told.exit_code == 1
        assert "core 9000: the version before may still use it (takes-away)\n    DROP TABLE core_usage\n" in told.stdout


class TestOlderCode:
    """A database that a newer version has migrated."""

    @pytest.fixture
    def newer(self, migrated):
        def make(phase):
            with sqlite3.connect(migrated / "helpdesk-data" / "helpdesk.db") as connection:
                (head,) = connection.execute("SELECT version_num FROM helpdesk_version_core").fetchone()
                noted = ("core", "9000", head, phase, "2026-01-01 00:00:00")
                connection.execute("INSERT INTO helpdesk_revision VALUES (?, ?, ?, ?, ?)", noted)
                connection.execute("UPDATE helpdesk_version_core SET version_num = '9000'")
            connection.close()

        return make

    def test_goes_on_with_a_warning_where_something_was_added(self, helpdesk, newer):
        newer("expand")
        note = "core: the database has revision 9000 of a newer version, and all that this one uses"
        assert helpdesk("jobs", "list").stderr == f"{note}.\n"
        assert helpdesk("migrate", "--check").stdout == f"The database is up to date.\n{note}.\n"
        assert helpdesk("migrate").stdout == f"Nothing to do: the database is up to date.\n{note}.\n"
        assert f"ok     migrations  {note}" in helpdesk("doctor").stdout

    def test_refuses_where_something_was_taken_away(self, helpdesk, refused, newer):
        newer("contract")
        told = (
            "core: a newer version has taken away what this one may use, with revision 9000:"
            " install the newer one again"
        )
        assert refused("jobs", "list") == f"{told}."
        assert refused("migrate", "--check") == f"{told}."
        assert refused("migrate") == told
        assert f"WRONG  migrations  {told}" in helpdesk("doctor").stdout


@pytest.mark.parametrize("seconds", ["-1", "soon"])
def test_a_time_for_locks_that_is_none_is_refused(helpdesk, seconds):
    told = helpdesk("migrate", "--lock-wait", seconds)
    assert told.exit_code == 2
    assert "--lock-wait" in told.stderr


class TestUpgrade:
    def test_runs_what_is_due_and_says_so(self, lineage, url):
        wanted = [lineage([create("oncall_shift")])]
        assert upgrade(url, wanted) == ["oncall"]
        assert upgrade(url, wanted) == []
        assert "oncall_shift" in tables(url)

    def test_runs_revisions_in_order(self, lineage, url):
        upgrade(url, [lineage([create("oncall_a")])])
        wanted = [lineage([create("oncall_a")], [create("oncall_b")], ['op.drop_table("oncall_b")'])]
        assert list(pending(Database(url), wanted)) == ["oncall"]
        assert upgrade(url, wanted) == ["oncall"]
        assert pending(Database(url), wanted) == {}
        assert "oncall_b" not in tables(url)

    def test_that_fails_leaves_nothing_behind_and_names_the_plugin(self, lineage, url):
        wanted = [lineage([create("oncall_a")], [create("oncall_b"), 'raise ValueError("no good")'])]
        with pytest.raises(MigrationFailed, match=r"^oncall: ValueError: no good$"):
            upgrade(url, wanted)
        assert not {name for name in tables(url) if name.startswith("oncall")}

    def test_that_leaves_rows_without_what_they_refer_to_does_not_happen(self, lineage, url):
        parent_and_child = [
            create("oncall_parent"),
            'op.execute("CREATE TABLE oncall_child (id INTEGER, parent REFERENCES oncall_parent (id))")',
            'op.execute("INSERT INTO oncall_child VALUES (1, 1)")',
        ]
        with pytest.raises(MigrationFailed, match="rows of oncall_child refer to rows of oncall_parent"):
            upgrade(url, [lineage(parent_and_child)])
        assert "oncall_child" not in tables(url)

    def test_that_rebuilds_a_table_keeps_the_rows_that_refer_to_it(self, lineage, url):
        first = [
            create("oncall_parent"),
            'op.execute("CREATE TABLE oncall_child (id INTEGER, parent REFERENCES oncall_parent ON DELETE CASCADE)")',
            'op.execute("INSERT INTO oncall_parent VALUES (1)")',
            'op.execute("INSERT INTO oncall_child VALUES (1, 1)")',
        ]
        second = [
            'with op.batch_alter_table("oncall_parent", recreate="always") as batch:',
            '    batch.add_column(sa.Column("name", sa.String(20)))',
        ]
        upgrade(url, [lineage(first)])
        upgrade(url, [lineage(first, second)])
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("SELECT count(*) FROM oncall_child").fetchone() == (1,)

    def test_can_be_undone(self, lineage, url):
        made = lineage([create("other_a")])
        upgrade(url, [made])
        downgrade(url, made)
        assert made.version_table not in tables(url)


def test_version_tables_of_plugins_that_are_gone_are_found(lineage, url):
    upgrade(url, [lineage([create("oncall_a")])])
    assert orphans(Database(url), []) == ["oncall"]


def test_two_newest_revisions_are_a_mistake(lineage):
    made = lineage([create("a")])
    (made.folder / "other.py").write_text('revision = "x"\ndown_revision = None\n')
    with pytest.raises(MigrationFailed, match="several newest revisions: 1, x"):
        made.head()
