"""What people were told long ago is forgotten."""

import pytest
from sqlalchemy import func, select

from helpdesk_core.notifications import jobs
from helpdesk_core.notifications.models import Notification
from tests.notifications.conftest import inbox


@pytest.fixture
def count(installation):
    """Counts the rows."""

    def counted():
        with installation.session() as session:
            return session.scalar(select(func.count()).select_from(Notification))

    return counted


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(jobs, "BATCH", 2)


def test_old_ones_are_forgotten_and_the_others_kept(installation, agent, member, tell, count):
    clock = installation.clock
    for number in range(3):
        tell(agent, member, key=f"shift {number}")
    clock.advance(days=89)
    installation.run_schedules()
    assert count() == 6
    tell(agent, key="new")
    clock.advance(days=1, hours=2)
    installation.run_schedules()
    assert count() == 1
    assert len(inbox(agent)) == 1
    assert inbox(member) == []


def test_one_run_removes_a_bounded_number(installation, agent, tell, count, monkeypatch):
    clock = installation.clock
    monkeypatch.setattr(jobs, "MOST_BATCHES", 1)
    for number in range(5):
        tell(agent, key=f"shift {number}")
    clock.advance(days=91)
    installation.run_schedules()
    assert count() == 3
    clock.advance(hours=1)
    installation.run_schedules()
    assert count() == 1
