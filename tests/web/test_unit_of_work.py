"""What two requests at once do to each other; SQLite lets one write after the other, PostgreSQL has to be told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from helpdesk_core.testing import Client, Response
from tests.contract.steps import served

ROUNDS = 10


def at_once(send: Callable[[str], Response]) -> list[int]:
    """Send a request for each of two names, at the same time; return the statuses."""
    start = Barrier(2)

    def go(name: str) -> int:
        start.wait()
        return send(name).status_code

    with ThreadPoolExecutor(2) as threads:
        return sorted(threads.map(go, ("first", "second")))


@pytest.mark.parametrize(
    ("path", "field"),
    [("/users/{user}/", "first_name"), ("/organizations/{organization}/", "name"), ("{settings}", "motto")],
    ids=["user", "organization", "settings"],
)
def test_one_tag_lets_one_of_two_writes_through(owner: Client, path: str, field: str) -> None:
    assert owner.user is not None
    assert owner.token
    settings = f"/organizations/{owner.organization_id}/settings/"
    path = path.format(user=owner.user.id, organization=owner.organization_id, settings=settings)
    for number in range(ROUNDS):
        headers = {"If-Match": owner.get(path).headers["ETag"]}
        assert at_once(
            lambda name, headers=headers, number=number: owner.patch(
                path, json={field: f"{name} {number}"}, headers=headers
            )
        ) == [200, 412]


def test_writes_elsewhere_make_no_tag_stale(owner: Client) -> None:
    assert owner.user is not None
    assert owner.token
    paths = {"first": f"/users/{owner.user.id}/", "second": f"/organizations/{owner.organization_id}/"}
    fields = {"first": "first_name", "second": "name"}
    for number in range(ROUNDS):
        tags = {name: {"If-Match": owner.get(path).headers["ETag"]} for name, path in paths.items()}
        assert at_once(
            lambda name, tags=tags, number=number: owner.patch(
                paths[name], json={fields[name]: f"{name} {number}"}, headers=tags[name]
            )
        ) == [200, 200]


@pytest.mark.parametrize("part", ["", "settings/"], ids=["organization", "settings"])
def test_two_merges_keep_both(owner: Client, part: str) -> None:
    assert owner.token
    own = f"/organizations/{owner.organization_id}/"
    for number in range(ROUNDS):

        def merge(name: str, number: int = number) -> Response:
            sent = {f"{name}{number}": 1}
            return owner.patch(own + part, json=sent if part else {"settings": sent})

        assert at_once(merge) == [200, 200]
        assert {f"first{number}", f"second{number}"} <= set(served(owner.get(own))["settings"])
