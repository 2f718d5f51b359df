"""The suite's `tests/realtime/test_mirror.py` with many more writes; run by name."""

import pytest

from helpdesk_core.testing import Installation
from tests.realtime.mirror import write_and_follow

CAST = ("owner", "agent", "technician", "member", "second_member")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mirrors_of_thousands_of_writes(installation: Installation, seed: int) -> None:
    clients = {name: installation.client(name) for name in CAST}
    mirrors = write_and_follow(clients, threads=8, acts=300, seed=seed)
    assert len(mirrors[0].seen) > 2000
    for mirror in mirrors:
        mirror.check()
