"""Another organisation's keys answer exactly like keys that do not exist: in paths, queries and bodies.

Walks the registry of endpoints, so that a new one is covered without a new test.
"""

import re

import pytest

from helpdesk_core.testing import Installation, Response
from helpdesk_core.web.routing import Endpoint
from tests.guards.samples import reference_fields
from tests.guards.world import SHARED, World, request

UNKNOWN = 987_654_321
UNKNOWN_UUID = "00000000-0000-4000-8000-000000000000"
MADE_ELSEWHERE = {"/tickets/by-number/", "/audit-log/"}
"""Keys under these paths are not made by POST there; they are counted per organisation, so both have the same."""


def told(reply: Response) -> tuple[int, str]:
    """Return what a caller can learn, without what differs between any two requests."""
    text = re.sub(
        r'"(timestamp|request_id|created_at|updated_at|ticket_number|id|access|refresh)":("[^"]*"|\d+)', "", reply.text
    )
    return reply.status_code, re.sub(r"\bsample\d+", "sample", text)


def endpoints(installation: Installation) -> list[Endpoint]:
    return [endpoint for endpoint in installation.parts.endpoints if not endpoint.public]


def test_foreign_keys_in_paths_are_unknown(installation: Installation) -> None:
    world, owner = World(installation), installation.client("owner")
    probed = 0
    for endpoint in endpoints(installation):
        if "{" not in endpoint.path or any(endpoint.path.startswith(prefix) for prefix in MADE_ELSEWHERE):
            continue
        for parameter in (each for each in re.findall(r"\{\w+\}", endpoint.path) if each not in SHARED):
            before, _, after = endpoint.path.partition(parameter)
            foreign = world.object_of("outsider", before)
            assert foreign, f"nothing can be made below {before}: name its maker in this test"
            keys = [foreign["id"]]
            head, tail = world.fill("owner", before), world.fill("owner", before + parameter + after)
            assert head is not None
            assert tail is not None
            rest = tail[len(head) :].partition("/")[2]
            for key in keys:
                unknown = UNKNOWN_UUID if isinstance(key, str) else UNKNOWN
                answers = [told(request(owner, endpoint, f"{head}{k}/{rest}")) for k in (key, unknown)]
                assert answers[0][0] in {403, 404}, f"{endpoint.method} {head}{key}/{rest}: {answers[0]}"
                assert answers[0] == answers[1], f"{endpoint.method} {endpoint.path}"
                probed += 1
    assert probed >= 10


def test_foreign_keys_in_queries_are_unknown(installation: Installation) -> None:
    world, owner = World(installation), installation.client("owner")
    for endpoint in endpoints(installation):
        if endpoint.query is None:
            continue
        path = world.fill("owner", endpoint.path)
        for name, info in endpoint.query.model_fields.items():
            if "_split_keys" not in f"{info.annotation} {info.metadata}":
                continue
            key = world.foreign_key(name)
            answers = [told(owner.raw(endpoint.method, f"/api/v1{path}?{name}={k}")) for k in (key, UNKNOWN)]
            assert answers[0] == answers[1], f"{endpoint.method} {endpoint.path}?{name}={key}"


def test_foreign_keys_in_bodies_are_unknown(installation: Installation) -> None:
    world, owner = World(installation), installation.client("owner")
    for endpoint in endpoints(installation):
        if endpoint.body is None:
            continue
        path = world.fill("owner", endpoint.path)
        assert path is not None, f"nothing can be made for {endpoint.path}"
        for name in reference_fields(endpoint.body):
            key = world.foreign_key(name)
            values = [[k] if _is_list(endpoint, name) else k for k in (key, UNKNOWN)]
            replies = [told(request(owner, endpoint, path, {name: value})) for value in values]
            assert replies[0][0] == replies[1][0], f"{endpoint.method} {path} {name}={key}: {replies}"
            same = replies[0][1].replace(str(key), "") == replies[1][1].replace(str(UNKNOWN), "")
            assert same, f"{endpoint.method} {path} {name}={key}: {replies}"


def _is_list(endpoint: Endpoint, name: str) -> bool:
    assert endpoint.body is not None
    return "'type': 'array'" in str(endpoint.body.model_json_schema()["properties"][name])


@pytest.mark.parametrize("path", ["/tickets/", "/users/", "/organizations/"])
def test_lists_of_another_organisation_share_no_row(installation: Installation, path: str) -> None:
    ids = []
    for who in ("owner", "outsider"):
        reply = installation.client(who).get(path)
        if reply.status_code == 404:
            pytest.skip("no such plugin")
        ids.append({row["id"] for row in reply.json()["results"]})
    assert ids[0].isdisjoint(ids[1])
