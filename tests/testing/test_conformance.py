"""Each check of the conformance suite fails for the mistake that it is about, and no other one does."""

from collections.abc import Iterable
from typing import Any

import pytest

from helpdesk_core.jobs import Runner, fanout, schedules
from helpdesk_core.plugins import Contributions
from helpdesk_core.resources import Resources
from helpdesk_core.testing import CHECKS, OK, WRONG, Installation, Outcome
from helpdesk_core.testing.conformance import doors, serving
from helpdesk_core.uninstalling import removal
from helpdesk_core.web.docs import Documents
from helpdesk_core.web.pages import Pages
from helpdesk_core.web.unit_of_work import UnitOfWork
from tests.testing.conftest import Tiny

ADMIT = UnitOfWork._admit

Edit = tuple[str, str, str]
PLUGIN, ROUTES, MODELS, WORK, SECOND = (
    f"helpdesk_tiny/{name}.py" for name in ("plugin", "routes", "models", "background", "migrations/0002_notes")
)
FIRST = "helpdesk_tiny/migrations/0001_entries.py"
UNBOUNDED = """

@hookimpl
def register_demo_data():
    return [lambda: None]
"""
NOWHERE = """

class Word(Base):
    __tablename__ = "tiny_word"

    id: Mapped[int] = mapped_column(primary_key=True)
"""
ODD = '''

@router.get("/odd/", permission=VIEW)
def show_odd(ctx: Context) -> Callable[[], int]:
    """Show what no document can describe."""
    return 5
'''
CODED = '''

@router.get("/by-code/{code}/", permission=VIEW)
def show_code(ctx: Context, code: Annotated[str, PathPattern("[QX]{3}")]) -> EntryRead:
    """Show what has a code."""
    raise LookupError(code)
'''
LEAK = """    table = Entry.__table__
    row = ctx.session.execute(select(table).where(table.c.id == entry)).first()
    if row is None:
        raise NotFound
    return EntryRead(id=row.id, title=row.title, is_open=True, acknowledged_at=None, created_at=row.created_at)
"""

INTERNAL = "from helpdesk_core.database import UtcDateTime as _\nfrom helpdesk_core.api import"
THREAD = "\n\nimport threading\n\nthreading.Thread(target=int).start()\n"
WORDS = """    op.create_table("tiny_word", sa.Column("id", sa.Integer(), primary_key=True))
    op.create_index("""
LEFT = """    op.drop_index("ix_tiny_entry_newest", "tiny_entry")
    op.execute("ALTER TABLE tiny_entry RENAME TO tiny_left")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE tiny_left DROP CONSTRAINT pk_tiny_entry")
"""
DROPPED = '    op.drop_table("tiny_entry")\n'
UNDONE = """    with op.batch_alter_table("tiny_entry") as table:
        table.drop_column("note")
"""
UP = "def upgrade():\n"
RETYPED = f"""{UP}    if op.get_context().dialect.name == "postgresql":
        op.alter_column("tiny_entry", "title", type_=sa.String(255))
"""
LOCKED = """    with LOCK:
        return ctx.page(entries, query)
"""
ASKING = f'{UP}    op.get_bind().execute(sa.text("SELECT 1")).scalar()\n'

MISTAKES: dict[str, list[Edit]] = {
    "manifest_and_distribution_agree": [("pyproject.toml", 'name = "helpdesk-tiny"', 'name = "helpdesk-other"')],
    "dependencies_leave_the_core_free": [("pyproject.toml", 'dependencies = ["', 'dependencies = ["pydantic<3", "')],
    "hooks_return_what_they_declare": [(PLUGIN, "", UNBOUNDED)],
    "names_begin_with_the_id": [(WORK, '"tiny.entry_added"', '"ticket.entry_added"')],
    "only_published_names_are_imported": [(MODELS, "from helpdesk_core.api import", INTERNAL)],
    "importing_does_nothing_else": [(WORK, "", THREAD)],
    "operations_ask_for_known_permissions": [(ROUTES, "PERMISSIONS = (VIEW, ADD)", "PERMISSIONS = (VIEW,)")],
    "operations_are_described": [(ROUTES, '    """One entry."""\n', "")],
    "events_are_described": [(WORK, "        entry_id: key of the entry.\n", "        other: a thing.\n")],
    "openapi_is_complete": [
        (ROUTES, "from sqlalchemy.orm", "from collections.abc import Callable\nfrom sqlalchemy.orm"),
        (ROUTES, "", ODD),
    ],
    "paths_can_be_tried": [
        (ROUTES, "from sqlalchemy.orm", "from typing import Annotated\nfrom sqlalchemy.orm"),
        (ROUTES, "    ROLES,\n", "    ROLES,\n    PathPattern,\n"),
        (ROUTES, "", CODED),
    ],
    "tables_belong_to_organizations": [
        (MODELS, "", NOWHERE),
        (FIRST, "    op.create_index(", WORDS),
        (FIRST, DROPPED, f'{DROPPED}    op.drop_table("tiny_word")\n'),
    ],
    "migrations_make_what_models_describe": [(MODELS, "    is_open:", "    size: Mapped[int | None]\n    is_open:")],
    "every_revision_can_be_undone": [(SECOND, UNDONE, "    pass\n")],
    "undoing_all_leaves_nothing": [(FIRST, DROPPED, LEFT)],
    "migrations_render_as_sql": [(SECOND, UP, ASKING)],
    "migrations_hold_nobody_up": [(SECOND, UP, RETYPED)],
    "migrations_keep_rows": [(SECOND, UP, f'{UP}    op.execute("DELETE FROM tiny_entry")\n')],
    "quick_reads_hold_nobody_up": [
        (ROUTES, "    return ctx.page(entries, query)\n", LOCKED),
        (ROUTES, "router = Router", "LOCK = threading.Lock()\nrouter = Router"),
        (ROUTES, "from sqlalchemy.orm", "import threading\nfrom sqlalchemy.orm"),
    ],
    "rows_of_others_are_unknown": [
        (ROUTES, "    return ctx.one(entries, entry)\n", LEAK),
        (ROUTES, "    ROLES,\n", "    ROLES,\n    NotFound,\n"),
        (ROUTES, "from sqlalchemy.orm", "from sqlalchemy import select\nfrom sqlalchemy.orm"),
    ],
}
"""What would be wrong with the plugin, by the check that tells."""


def wrong(outcomes: dict[str, Outcome]) -> dict[str, str]:
    return {name: outcome.text for name, outcome in outcomes.items() if outcome.verdict == WRONG}


def test_a_sound_plugin_passes_every_check(tiny: Tiny) -> None:
    outcomes = tiny.outcomes()
    assert wrong(outcomes) == {}
    assert {outcome.verdict for outcome in outcomes.values()} == {OK}
    assert list(outcomes) == [check.name for check in CHECKS]


@pytest.mark.parametrize("check", MISTAKES)
def test_a_mistake_fails_the_check_that_is_about_it(tiny: Tiny, check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "PATIENCE_SECONDS", 2.0)
    for edit in MISTAKES[check]:
        tiny.edit(*edit)
    found = wrong(tiny.outcomes())
    assert list(found) == [check], found
    assert "where: " in found[check]
    assert "mend:  " in found[check]


def test_an_example_makes_a_path_known(tiny: Tiny) -> None:
    for edit in MISTAKES["paths_can_be_tried"]:
        tiny.edit(*edit)
    tiny.edit(ROUTES, 'PathPattern("[QX]{3}")', 'PathPattern("[QX]{3}", example="QXQ")')
    assert wrong(tiny.outcomes()) == {}


def test_a_plugin_that_does_not_load_fails_at_that_alone(tiny: Tiny) -> None:
    tiny.edit(PLUGIN, "", "\nraise RuntimeError('not today')\n")
    outcomes = tiny.outcomes()
    found = wrong(outcomes)
    assert list(found) == ["it_loads"]
    assert "RuntimeError: not today (plugin.py:" in found["it_loads"]
    assert outcomes["off_operations_are_refused"].text == "the plugin is not active"


def test_a_service_that_cannot_be_made_is_told(tiny: Tiny) -> None:
    tiny.edit(PLUGIN, "", "\n\n@hookimpl\ndef register_services():\n    return [lambda settings, clock: 1 / 0]\n")
    outcomes = tiny.outcomes()
    assert "ZeroDivisionError" in outcomes["it_starts"].text


def test_what_a_check_does_not_expect_is_told_as_well(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "enqueue", lambda *_: 1 / 0)
    outcomes = tiny.outcomes()
    assert list(outcomes) == [check.name for check in CHECKS]
    assert outcomes["off_jobs_wait"].text == "the check came to no end: ZeroDivisionError: division by zero"
    assert outcomes["migrations_keep_rows"].verdict == OK


def test_models_without_migrations_are_told(tiny: Tiny) -> None:
    for path in (tiny.package / "migrations").iterdir():
        path.unlink()
    (tiny.package / "migrations").rmdir()
    assert list(wrong(tiny.outcomes())) == ["models_have_migrations"]


def everything(_contributions: Contributions, hook: str, _session: Any) -> list[Any]:
    return [item for _, item in _contributions.all(hook)]


def deliver(runner: Runner) -> int:
    now = runner._clock.now()
    return fanout.pass_on(runner._database, runner._registry.handlers, lambda *_: True, now)


def admit_only(kind: type[UnitOfWork]) -> Any:
    """Return what admits everybody with a credential, for requests that `kind` itself serves."""

    def admit(unit: UnitOfWork, endpoint: Any, principal: Any) -> None:
        if type(unit) is not kind or principal is None:
            ADMIT(unit, endpoint, principal)

    return admit


def admit_strangers(unit: UnitOfWork, endpoint: Any, principal: Any) -> None:
    if principal is not None:
        ADMIT(unit, endpoint, principal)


def all_kinds(session: Any) -> Iterable[Any]:
    declared = session.info["bus"].extra[Contributions].all("register_notification_kinds")
    return iter(declared)


OPENED: dict[str, tuple[Any, str, Any]] = {
    "strangers_are_turned_away": (UnitOfWork, "_admit", admit_strangers),
    "off_operations_are_refused": (UnitOfWork, "_admit", admit_only(UnitOfWork)),
    "off_pages_are_closed": (UnitOfWork, "_admit", admit_only(Pages)),
    "off_handlers_hear_nothing": (Runner, "pass_on", deliver),
    "off_schedules_rest": (schedules, "_has_on", lambda *_: True),
    "off_jobs_wait": (Runner, "_is_on", lambda *_: True),
    "off_contributions_are_not_used": (Contributions, "of", everything),
    "off_nobody_is_told": (doors, "kinds_on", all_kinds),
    "off_resources_are_closed": (Resources, "is_open", lambda *_: True),
    "off_is_not_documented": (Documents, "closed_for", lambda *_: frozenset()),
    "uninstalling_leaves_nothing": (removal, "_delete_named", lambda *_: None),
    "on_again_it_answers": (Installation, "enable", lambda *_: None),
}
"""What would be broken, in the core, for a plugin that is off to be reached through one door; and with what."""


@pytest.mark.parametrize("check", OPENED)
def test_an_open_door_fails_the_check_that_is_about_it(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    monkeypatch.setattr(*OPENED[check])
    found = wrong(tiny.outcomes())
    assert list(found) == [check], found


def test_every_check_is_proven() -> None:
    elsewhere = {"it_loads", "it_starts", "models_have_migrations"}
    assert {check.name for check in CHECKS} == MISTAKES.keys() | OPENED.keys() | elsewhere
