"""What the tests of read models share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.library import Library, open_library


@pytest.fixture
def library(tmp_path: Path, worker_id: str) -> Iterator[Library]:
    """A library without books."""
    with open_library(tmp_path, worker_id) as opened:
        yield opened
