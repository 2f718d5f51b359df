"""What would hold up a busy PostgreSQL, or break the version before, is told; the rest is not."""

import pytest

from helpdesk_core.migrations import lint
from helpdesk_core.migrations.lint import RULES
from tests.migrations.conftest import CONTRACT, CONTRACTING, EXPANDING, ONLINE, SHIFTS

BAD = {
    "required-column": 'op.add_column("oncall_shift", sa.Column("size", sa.Integer(), nullable=False))',
    "takes-away": CONTRACTING,
    "index-locks": 'op.create_index("ix_oncall_shift_name", "oncall_shift", ["name"])',
    "type-change": 'op.alter_column("oncall_shift", "name", type_=sa.Text())',
    "checks-rows": 'op.create_foreign_key("fk", "oncall_shift", "core_user", ["id"], ["id"])',
    "builds-key": 'op.create_unique_constraint("uq", "oncall_shift", ["name"])',
}
GOOD = [
    EXPANDING,
    'op.add_column("oncall_shift", sa.Column("size", sa.Integer(), nullable=False, server_default="1"))',
    'op.create_foreign_key("fk", "oncall_shift", "core_user", ["id"], ["id"], postgresql_not_valid=True)',
    'op.create_check_constraint("ck", "oncall_shift", "id > 0", postgresql_not_valid=True)',
    'op.alter_column("oncall_shift", "id", nullable=True)',
    'op.execute("UPDATE oncall_shift SET name = id")',
    'op.drop_constraint("ck", "oncall_shift")',
]


@pytest.fixture
def found(releases):
    """Return the rules that a second revision breaks."""

    def look(*lines, said=""):
        releases.add(SHIFTS)
        return [(danger.revision, danger.rule) for danger in lint(releases.add(*lines, said=said))]

    return look


def test_every_rule_has_a_mistake_here():
    assert list(BAD) == [rule.name for rule in RULES]


@pytest.mark.parametrize("rule", BAD)
def test_a_mistake_is_told_by_its_rule_alone(found, rule):
    assert found(BAD[rule]) == [("2", rule)]


@pytest.mark.parametrize("line", GOOD)
def test_what_holds_nobody_up_is_not_told(found, line):
    assert found(line) == []


@pytest.mark.parametrize("line", ["op.rename_table('oncall_shift', 'oncall_duty')", "op.drop_table('oncall_shift')"])
@pytest.mark.parametrize(("said", "told"), [("", [("2", "takes-away")]), (CONTRACT, [])])
def test_a_table_that_goes_is_told_unless_the_revision_contracts(found, line, said, told):
    assert found(line, said=said) == told


def test_what_the_revision_makes_itself_nobody_uses_yet(found):
    duties = SHIFTS.replace("oncall_shift", "oncall_duty")
    assert found(duties, *(line.replace("oncall_shift", "oncall_duty") for line in BAD.values())) == []


def test_a_column_that_is_filled_while_its_table_is_locked_is_told(found):
    assert found(EXPANDING, 'op.execute("UPDATE oncall_shift SET title = name")') == [("2", "fills-under-lock")]


def test_written_out_statements_are_looked_at_as_well(found):
    assert found('op.execute("create index x on public.oncall_shift (name)")') == [("2", "index-locks")]


def test_an_online_revision_has_only_what_can_be_run_again(found):
    index = 'create_index_online(op, "ix_oncall_shift_name", "oncall_shift", ["name"])'
    assert found(index, EXPANDING, said=ONLINE) == [("2", "not-repeatable")]


def test_the_helper_for_indexes_needs_its_revision_to_be_online(found):
    assert found('create_index_online(op, "ix", "oncall_shift", ["name"])') == [("2", "index-locks")]


@pytest.mark.parametrize(("reason", "told"), [("only longer", []), ("", [("2", "type-change")])])
def test_what_a_revision_accepts_with_a_reason_is_not_told(found, reason, told):
    assert found(BAD["type-change"], said=f'accepted = {{"type-change": "{reason}"}}') == told


def test_a_finding_says_what_happens_and_what_to_do(releases):
    releases.add(SHIFTS)
    (danger,) = lint(releases.add(CONTRACTING))
    assert str(danger).splitlines() == [
        "oncall 2: the version before may still use it (takes-away)",
        "    ALTER TABLE oncall_shift DROP COLUMN name",
        '    mend:  say phase = "contract" in the revision, and let a release pass after the code has stopped using it',
    ]
