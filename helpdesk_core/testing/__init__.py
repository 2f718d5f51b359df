"""The test kit, a pytest plugin: an installation of its own for every test, with a standing cast.

Acme Corporation has an `owner` (administrator), an `agent`, a `technician`, a `member` and a `second_member` (both
customers). The `outsider` administers another organisation, Globex; `anonymous` has no account. Each is a client:

    def test_outsider_finds_no_ticket(outsider, ticket):
        assert outsider.get(f"/tickets/{ticket['id']}/").status_code == 404

Paths are relative to `/api/v1`. `member.classic` is the same person with a token of the CLASSIC document. The database
is built by the real migrations, once, and copied for each test; it is SQLite, or PostgreSQL when
`HELPDESK_TEST_DATABASE_URL` says so. Nothing happens in the background: events wait for `run_jobs`, the clock for
`clock.advance`.
"""

from helpdesk_core.testing.clients import API, PASSWORD, Account, Client, Response
from helpdesk_core.testing.databases import CAST, Databases
from helpdesk_core.testing.doubles import START, TestClock, TestResolver
from helpdesk_core.testing.fixtures import (
    agent,
    anonymous,
    clock,
    helpdesk_databases,
    helpdesk_host,
    installation,
    member,
    outsider,
    owner,
    run_jobs,
    run_schedules,
    second_member,
    technician,
)
from helpdesk_core.testing.installation import Installation, running, test_settings

__all__ = [
    "API",
    "CAST",
    "PASSWORD",
    "START",
    "Account",
    "Client",
    "Databases",
    "Installation",
    "Response",
    "TestClock",
    "TestResolver",
    "agent",
    "anonymous",
    "clock",
    "helpdesk_databases",
    "helpdesk_host",
    "installation",
    "member",
    "outsider",
    "owner",
    "run_jobs",
    "run_schedules",
    "running",
    "second_member",
    "technician",
    "test_settings",
]
