"""The test kit: an installation of its own for every test, with a standing cast.

Acme Corporation has an `owner` (administrator), an `agent`, a `technician`, a `member` and a `second_member` (both
customers). The `outsider` administers another organisation, Globex; `anonymous` has no account. Each is a client:

    def test_outsider_finds_no_ticket(outsider, ticket):
        assert outsider.get(f"/tickets/{ticket['id']}/").status_code == 404

Paths are relative to `/api/v1`. `member.classic` is the same person with a token of the CLASSIC document. The database
is built by the real migrations, once, and copied for each test; it is SQLite, or PostgreSQL when
`HELPDESK_TEST_POSTGRES_URL` says so. Nothing happens in the background: events wait for `run_jobs`, the clock for
`clock.advance`.

pytest finds the fixtures by itself, in `helpdesk_core.pytest_plugin`; docs/reference/test-kit.md lists them. Tests see
the plugins that the option `helpdesk_plugins` names, with what these require:

    [tool.pytest.ini_options]
    helpdesk_plugins = "oncall"
"""

from helpdesk_core.testing.clients import API, PASSWORD, Account, Client, Response
from helpdesk_core.testing.conformance import (
    CHECKS,
    NOT_APPLICABLE,
    OK,
    WRONG,
    Case,
    Check,
    Finding,
    NotApplicable,
    Outcome,
    PluginConformance,
    Wrong,
    outcome_of,
)
from helpdesk_core.testing.databases import CAST, Databases
from helpdesk_core.testing.doubles import START, TestClock, TestResolver
from helpdesk_core.testing.installation import Installation, environment, running, test_settings
from helpdesk_core.testing.published import Published
from helpdesk_core.testing.scratch import Scratch
from helpdesk_core.testing.selection import load_selected, refuse_unusable

__all__ = [
    "API",
    "CAST",
    "CHECKS",
    "NOT_APPLICABLE",
    "OK",
    "PASSWORD",
    "START",
    "WRONG",
    "Account",
    "Case",
    "Check",
    "Client",
    "Databases",
    "Finding",
    "Installation",
    "NotApplicable",
    "Outcome",
    "PluginConformance",
    "Published",
    "Response",
    "Scratch",
    "TestClock",
    "TestResolver",
    "Wrong",
    "environment",
    "load_selected",
    "outcome_of",
    "refuse_unusable",
    "running",
    "test_settings",
]
