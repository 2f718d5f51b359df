"""The goals as a test, on less data: `uv run --group benchmarks pytest tests/benchmarks`. Wants a quiet machine."""

import pytest

pytest.importorskip("django", reason="needs: uv run --group benchmarks")

from tests.benchmarks import speed


@pytest.mark.timeout(600)
def test_goals_are_met():
    results = speed.run(speed.QUICK, print)
    assert not [goal for goal in results.goals if not goal.met]
