"""Bodies that no client should send are answered with a 400 that says what is wrong, by every endpoint with a body."""

import re
from typing import Any

import pytest

from helpdesk_core.testing import Client, Installation, Response
from helpdesk_core.web.routing import Endpoint
from tests.guards.world import SHARED

UNREADABLE = {
    "truncated": b'{"subject": "a',
    "not UTF-8": b'{"subject": "\xff"}',
    "UTF-16": '{"subject": "a"}'.encode("utf-16"),
    "a lone surrogate": rb'{"subject": "\ud800"}',
    "not a number": b'{"subject": NaN}',
    "infinite": b'{"subject": 1e400}',
    "deeper than is read": b"[" * 100_000 + b"]" * 100_000,
    "a list": b"[]",
    "a text": b'"subject"',
    "null": b"null",
}
DEPTHS = [30, 199, 200, 253, 254, 255, 1000]
HUGE = ["1" + "0" * 30, "-9223372036854775809", "18446744073709551616"]


@pytest.fixture
def endpoints(owner: Client, installation: Installation) -> list[Endpoint]:
    """Every endpoint with a body that the owner may call."""
    taking = [endpoint for endpoint in installation.parts.endpoints if endpoint.body is not None]
    return [endpoint for endpoint in taking if send(owner, endpoint, b"[]").status_code != 403]


def send(owner: Client, endpoint: Endpoint, body: bytes) -> Response:
    path = endpoint.path.replace("{organization_id}", str(owner.organization_id))
    for parameter, known in SHARED.items():
        path = path.replace(parameter, known)
    path = re.sub(r"{\w+}", "1", path)
    reply = owner.raw(endpoint.method, f"/api/v1{path}", content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code < 500, f"{endpoint.method} {path} {body[:60]!r}: {reply.text}"
    return reply


def named_by(reply: Response) -> set[str]:
    """Return the fields that an error names."""
    details: dict[str, Any] = reply.json()["error"]["details"]
    return {details["field"], *(each["field"] for each in details.get("errors", ()))}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_json_object_is_refused(owner: Client, endpoints: list[Endpoint], body: bytes) -> None:
    found = {endpoint.operation_id: send(owner, endpoint, body).status_code for endpoint in endpoints}
    assert found == dict.fromkeys(found, 400)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_what_is_nested_too_deeply_is_refused_by_name(
    owner: Client, endpoints: list[Endpoint], depth: int, opening: str, closing: str
) -> None:
    deep = f"{opening * depth}1{closing * depth}"
    for endpoint in endpoints:
        assert endpoint.body is not None
        for name in endpoint.body.model_fields:
            reply = send(owner, endpoint, f'{{"{name}": {deep}}}'.encode())
            assert reply.status_code == 400, f"{endpoint.operation_id}: {name}"
            assert name in {field.partition(".")[0] for field in named_by(reply)}, reply.text


@pytest.mark.parametrize("number", HUGE)
def test_huge_numbers_crash_nothing(owner: Client, endpoints: list[Endpoint], number: str) -> None:
    for endpoint in endpoints:
        assert endpoint.body is not None
        for name in endpoint.body.model_fields:
            send(owner, endpoint, f'{{"{name}": {number}}}'.encode())


@pytest.mark.parametrize("escape", [r"\u0000", "\x7f", r"\u202e", "😀"])
def test_odd_characters_crash_nothing(owner: Client, endpoints: list[Endpoint], escape: str) -> None:
    for endpoint in endpoints:
        assert endpoint.body is not None
        for name in endpoint.body.model_fields:
            send(owner, endpoint, f'{{"{name}": "a{escape}b", "{escape}": 1}}'.encode())
            send(owner, endpoint, f'{{"{name}": "a{escape}b"}}'.encode())
