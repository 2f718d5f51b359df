"""What the tests of automations share."""

import pytest

from plugins.workflow.tests.workshop import Workshop


@pytest.fixture
def workshop(installation, run_jobs):
    """Automations and tickets of Acme."""
    return Workshop(installation, run_jobs)
