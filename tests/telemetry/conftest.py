"""What is shown, as a program reads it."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from helpdesk_core.telemetry.collecting import Telemetry


def read(text):
    """Return every sample by its name and its labels."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def shown(installation):
    """Return what the process of the test shows now: name and values of labels, these in the order of their names."""
    return lambda: read(installation.parts.services.get(Telemetry).answer()[0].decode())
