"""What a test can ask for by name."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpdesk_core.plugins import PluginHost, load_plugins
from helpdesk_core.testing.clients import Client
from helpdesk_core.testing.databases import Databases
from helpdesk_core.testing.doubles import TestClock
from helpdesk_core.testing.installation import Installation, running


@pytest.fixture(scope="session")
def helpdesk_host() -> PluginHost:
    """Every installed plugin, loaded once."""
    return load_plugins()


@pytest.fixture(scope="session")
def helpdesk_databases(
    helpdesk_host: PluginHost, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[Databases]:
    """Databases for tests, one at a time for each worker."""
    databases = Databases(tmp_path_factory.mktemp("database"), helpdesk_host, worker_id)
    yield databases
    databases.drop()


@pytest.fixture
def installation(helpdesk_host: PluginHost, helpdesk_databases: Databases, tmp_path: Path) -> Iterator[Installation]:
    """A running helpdesk of its own."""
    with running(helpdesk_databases, helpdesk_host, tmp_path) as installation:
        yield installation


@pytest.fixture
def clock(installation: Installation) -> TestClock:
    """The clock of the installation."""
    return installation.clock


@pytest.fixture
def run_jobs(installation: Installation) -> Callable[[], None]:
    """Deliver every event, and run every job, that is due."""
    return installation.run_jobs


@pytest.fixture
def run_schedules(installation: Installation) -> Callable[[], None]:
    """Run what its schedule says to have been due since it last ran, and everything that follows from it."""
    return installation.run_schedules


@pytest.fixture
def owner(installation: Installation) -> Client:
    """The administrator of Acme."""
    return installation.client("owner")


@pytest.fixture
def agent(installation: Installation) -> Client:
    """An agent of Acme."""
    return installation.client("agent")


@pytest.fixture
def technician(installation: Installation) -> Client:
    """A technician of Acme."""
    return installation.client("technician")


@pytest.fixture
def member(installation: Installation) -> Client:
    """A customer of Acme."""
    return installation.client("member")


@pytest.fixture
def second_member(installation: Installation) -> Client:
    """Another customer of Acme."""
    return installation.client("second_member")


@pytest.fixture
def outsider(installation: Installation) -> Client:
    """The administrator of another organisation."""
    return installation.client("outsider")


@pytest.fixture
def anonymous(installation: Installation) -> Client:
    """Somebody without an account."""
    return installation.client("anonymous")
