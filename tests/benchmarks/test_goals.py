"""The goals as a test, on less data: `uv run --group benchmarks pytest tests/benchmarks`. Wants a quiet machine."""

import pytest

pytest.importorskip("django", reason="needs: uv run --group benchmarks")

from tests.benchmarks import speed
from tests.benchmarks.size import QUICK


@pytest.mark.timeout(900)
def test_goals_are_met():
    results = speed.run(QUICK, print)
    assert not [goal for goal in results.goals if not goal.met]
