"""What the contract's tests share: the stage on which documented examples are sent."""

import pytest

from tests.contract.scenes import Stage


@pytest.fixture
def stage(owner, agent, technician, member, anonymous):
    """The cast together, with a maker for every record that an example names."""
    return Stage(owner, agent, technician, member, anonymous)
