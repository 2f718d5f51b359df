"""What the contract's tests share: the stage on which documented examples are sent."""

from importlib.metadata import entry_points

import pytest

from tests.contract.scenes import Stage

# Both documents are served by the core and the tickets plugin together; the core alone has tests of its own.
if not entry_points(group="helpdesk.plugins"):
    collect_ignore_glob = ["*.py", "rules/*"]


@pytest.fixture
def stage(owner, agent, technician, member, anonymous):
    """The cast together, with a maker for every record that an example names."""
    return Stage(owner, agent, technician, member, anonymous)
