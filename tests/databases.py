"""What tests that look below the API start from: an empty database, and organisations to put into it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from helpdesk_core.accounts.models import Organization

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SERVER = os.environ.get("HELPDESK_TEST_POSTGRES_URL", "")


@contextmanager
def empty_database(folder: Path, worker: str, purpose: str) -> Iterator[str]:
    """Make a database for as long as the block lasts, and return its URL; it is of the kind that the tests run on."""
    if not SERVER:
        yield f"sqlite:///{folder / f'{purpose}.db'}"
        return
    name = f"helpdesk_{worker}_{purpose}"
    engine = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    engine.dispose()


@contextmanager
def owned_database(worker: str, purpose: str, server: str = SERVER) -> Iterator[str]:
    """Make a database on the server with a role that owns it and is nothing special; return its URL as that role."""
    name = f"helpdesk_{worker}_{purpose}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'DROP ROLE IF EXISTS "{name}"'))
        connection.execute(text(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{name}'"))
        connection.execute(text(f'CREATE DATABASE "{name}" OWNER "{name}"'))
        yield make_url(server).set(database=name, username=name, password=name).render_as_string(hide_password=False)
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        connection.execute(text(f'DROP ROLE "{name}"'))
    engine.dispose()


def organization(key: int) -> Organization:
    """Return an organisation that is not stored yet."""
    return Organization(
        id=key,
        name=f"Organisation {key}",
        slug=f"organisation-{key}",
        subscription_tier="free",
        settings={},
        registration="open",
        disabled_plugins=[],
        created_at=NOW,
        updated_at=NOW,
    )
