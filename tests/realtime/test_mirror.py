"""Whoever follows the change feed ends up with what the API shows, whatever happens meanwhile."""

from helpdesk_core.testing import Installation
from tests.realtime.mirror import write_and_follow

CAST = ("owner", "agent", "technician", "member", "second_member")


def test_clients_that_lose_answers_end_up_with_what_the_api_shows(installation: Installation) -> None:
    clients = {name: installation.client(name) for name in CAST}
    mirrors = write_and_follow(clients, threads=8, acts=40, seed=1)
    assert len(mirrors[0].seen) > 300
    for mirror in mirrors:
        mirror.check()
