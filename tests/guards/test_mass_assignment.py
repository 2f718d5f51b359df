"""Fields that a caller may not set change nothing, whichever operation they are sent to.

Walks the registry: every operation with a body gets every forbidden field that its schema does not declare. What a
resource shows but nobody writes is ignored, because clients send it back; anything else is refused by name.
"""

from collections.abc import Collection, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from helpdesk_core.schemas import Schema
from helpdesk_core.testing import Client, Installation, Response
from helpdesk_core.web.routing import Endpoint
from tests.guards.samples import sample_body
from tests.guards.test_role_matrix import operations, path_of

LONG_AGO = "2001-01-01T00:00:00Z"
FORBIDDEN: dict[str, Any] = {
    "id": 424_242,
    "role": "admin",
    "is_platform_admin": True,
    "is_verified": True,
    "is_active": False,
    "is_agent": True,
    "organization": 2,
    "organization_id": 2,
    "subscription_tier": "basic",
    "token_version": 424_242,
    "password_hash": "planted",
    "slug": "planted-slug",
    "user": 6,
    "user_id": 6,
    "domain_verified_at": LONG_AGO,
    "created_at": LONG_AGO,
    "updated_at": LONG_AGO,
    "last_active_at": LONG_AGO,
}
USERS = (
    "SELECT id, organization_id, role, is_platform_admin, is_verified, is_active, token_version, password_hash, "
    "created_at FROM core_user ORDER BY id"
)
ORGANIZATIONS = (
    "SELECT id, slug, subscription_tier, is_active, domain_verified_at, created_at FROM core_organization ORDER BY id"
)


def stored(installation: Installation) -> dict[str, dict[int, Any]]:
    """Return what is stored of every user and organisation in the columns that matter."""
    with installation.session() as session:
        found = {name: session.execute(text(sql)).all() for name, sql in (("user", USERS), ("org", ORGANIZATIONS))}
    return {name: {row[0]: tuple(row) for row in rows} for name, rows in found.items()}


def forbidden(schema: type[Schema], *, shown: bool) -> dict[str, Any]:
    """Return the fields that `schema` does not declare, of those that its resource shows or of the others."""
    declared = {*schema.model_fields, *schema.spellings}
    return {
        name: value for name, value in FORBIDDEN.items() if name not in declared and (name in schema.read_only) == shown
    }


def send(client: Client, endpoint: Endpoint, path: str, planted: dict[str, Any]) -> Response:
    assert endpoint.body is not None
    client._token = None if "log" in endpoint.path or "session" in endpoint.path else client._token
    body = {**sample_body(endpoint.body, {}), **planted}
    return client.raw(endpoint.method, f"/api/v1{path}", json=body)


def shown(reply: Response, name: str) -> Any:
    """Return what an answer shows of a field, if it succeeded and shows it."""
    if reply.status_code not in {200, 201}:
        return None
    body = reply.json()
    body = body.get("user", body) if isinstance(body, dict) else {}
    return body.get(name) if isinstance(body, dict) else None


def troubles(installation: Installation, client: Client, who: str, endpoint: Endpoint) -> Iterator[str]:
    assert endpoint.body is not None
    path = path_of(installation, who, endpoint)
    operation = f"{endpoint.method} {endpoint.path}"
    unknown, ignored = (forbidden(endpoint.body, shown=shown) for shown in (False, True))
    plain = send(client, endpoint, path, {})
    before = stored(installation)
    refused = send(client, endpoint, path, unknown)
    free = endpoint.body.model_config["extra"] == "allow"  # an object that keeps whatever it gets, in its own place
    if not free and plain.status_code not in {401, 403, 404} and not refusal_names(refused, unknown):
        yield f"{operation} took {', '.join(unknown)}: {refused.status_code} {refused.text[:200]}"
    if stored(installation) != before:
        yield f"{operation} changed something although it refused"
    reply = send(client, endpoint, path, ignored)
    yield from (f"{operation}: {trouble}" for trouble in differences(before, stored(installation), client))
    if reply.status_code >= 500:
        yield f"{operation} answers {reply.status_code}"
    for name, value in ignored.items():
        if shown(reply, name) == value and shown(plain, name) != value:
            yield f"{operation} shows the planted {name}"


def refusal_names(reply: Response, fields: Collection[str]) -> bool:
    """Tell whether an answer refuses the request and names every one of the fields."""
    return reply.status_code == 400 and all(f'"{name}"' in reply.text for name in fields)


def differences(before: dict[str, dict[int, Any]], after: dict[str, dict[int, Any]], client: Client) -> Iterator[str]:
    """Say what happened to accounts and organisations that no forbidden field may bring about."""
    for kind, rows in before.items():
        yield from (f"changed {kind} {row}" for key, row in rows.items() if after[kind].get(key) != row)
    for key in after["user"].keys() - before["user"].keys():
        identity, organization, role, platform, verified, active, version, password, created = after["user"][key]
        if identity == 424_242 or role != "customer" or platform or verified or not active or version:
            yield f"made user {after['user'][key]}"
        if password == "planted" or str(created)[:4] == "2001" or organization != client.organization_id:
            yield f"made user {after['user'][key]}"


@pytest.mark.parametrize("who", ["member", "owner"])
def test_forbidden_fields_change_nothing(installation: Installation, who: str) -> None:
    found, tried = [], 0
    for endpoint in operations(installation):
        if endpoint.body is not None and endpoint.writes:
            found += troubles(installation, installation.client(who), who, endpoint)
            tried += 1
    assert not found, "\n".join(found)
    assert tried > 40


def test_the_forbidden_fields_are_twelve_and_more() -> None:
    assert len(FORBIDDEN) >= 12
