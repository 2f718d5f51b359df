"""The conformance suite, to inherit from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from helpdesk_core.plugins import PluginHost
from helpdesk_core.testing.conformance import doors, importing, isolation, loading, operations, removal, schema, serving
from helpdesk_core.testing.conformance.case import Case, Check, NotApplicable, Wrong
from helpdesk_core.testing.databases import Databases

CHECKS = tuple(
    Check(look)
    for look in (
        loading.it_loads,
        loading.it_starts,
        loading.manifest_and_distribution_agree,
        loading.dependencies_leave_the_core_free,
        loading.hooks_return_what_they_declare,
        loading.names_begin_with_the_id,
        importing.only_published_names_are_imported,
        importing.importing_does_nothing_else,
        operations.operations_ask_for_known_permissions,
        operations.operations_are_described,
        operations.events_are_described,
        operations.openapi_is_complete,
        operations.paths_can_be_tried,
        schema.models_have_migrations,
        schema.tables_belong_to_organizations,
        schema.migrations_make_what_models_describe,
        schema.every_revision_can_be_undone,
        schema.undoing_all_leaves_nothing,
        schema.migrations_render_as_sql,
        schema.migrations_hold_nobody_up,
        schema.migrations_keep_rows,
        isolation.strangers_are_turned_away,
        isolation.rows_of_others_are_unknown,
        serving.quick_reads_hold_nobody_up,
        doors.off_operations_are_refused,
        doors.off_pages_are_closed,
        doors.off_handlers_hear_nothing,
        doors.off_schedules_rest,
        doors.off_jobs_wait,
        doors.off_contributions_are_not_used,
        doors.off_nobody_is_told,
        doors.off_resources_are_closed,
        doors.off_is_not_documented,
        doors.on_again_it_answers,
        removal.uninstalling_leaves_nothing,
    )
)
"""Every check, in the order in which they are run: the first ones tell why the others fail."""


OK, WRONG, NOT_APPLICABLE = "ok", "WRONG", "not applicable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one check.

    Attributes:
        check: its name.
        verdict: `ok`, `WRONG` or `not applicable`.
        text: what is wrong, or why it does not apply.
    """

    check: str
    verdict: str
    text: str = ""


def outcome_of(
    check: Check, plugin: str, host: PluginHost, databases: Callable[[], Databases], folder: Path
) -> Outcome:
    """Run one check on the plugin called `plugin`.

    Args:
        check: which one.
        plugin: id of the plugin.
        host: every plugin that was loaded.
        databases: returns where databases are made.
        folder: for files of the installation.
    """
    with Case(plugin, host, databases, folder) as case:
        try:
            check(case)
        except NotApplicable as reason:
            return Outcome(check.name, NOT_APPLICABLE, str(reason))
        except Wrong as wrong:
            return Outcome(check.name, WRONG, str(wrong))
    return Outcome(check.name, OK)


class PluginConformance:
    """What every plugin promises, as tests: inherit it in the tests of a plugin.

        class TestConformance(PluginConformance):
            plugin = "oncall"

    Attributes:
        plugin: its id.
        exceptions: checks that are left out, by name, each with the reason.
    """

    plugin: ClassVar[str]
    exceptions: ClassVar[Mapping[str, str]] = {}

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Make a test of each check."""
        if "check" in metafunc.fixturenames:
            metafunc.parametrize("check", CHECKS, ids=lambda check: check.name)

    def test_plugin(
        self, check: Check, helpdesk_conformance: "Callable[[type[PluginConformance], Check], None]"
    ) -> None:
        """The plugin does as plugins do."""
        helpdesk_conformance(type(self), check)
