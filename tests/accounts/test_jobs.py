"""The core's own jobs."""

import pytest

from helpdesk_core.accounts.jobs import forget_events
from helpdesk_core.jobs import enqueue
from helpdesk_core.testing import Client, Installation


@pytest.fixture
def registered(installation: Installation, anonymous: Client) -> None:
    """Somebody has made an account, which is told of by mail."""
    account = {"username": "newcomer", "email": "new@acme.com", "password": "a passphrase of my own"}
    assert anonymous.post("/users/register/", json=account).status_code == 201


def forget(installation: Installation) -> None:
    with installation.session() as session:
        enqueue(session, forget_events)
        installation.commit(session)
    while installation.parts.runner.run_some(slow=False):
        pass


@pytest.mark.usefixtures("registered")
def test_events_are_forgotten_after_their_days(installation: Installation) -> None:
    installation.run_jobs()
    before = installation.events()
    installation.clock.advance(days=89)
    forget(installation)
    assert installation.events() == before
    installation.clock.advance(days=2)
    forget(installation)
    assert installation.events() == []


@pytest.mark.usefixtures("registered")
def test_events_whose_deliveries_are_not_made_are_kept(installation: Installation) -> None:
    installation.clock.advance(days=100)
    forget(installation)
    kept = {kind for kind, _ in installation.events()}
    assert kept == {"user.registered"}
