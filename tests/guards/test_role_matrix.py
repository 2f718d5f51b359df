"""Every role against every operation: who may call is what the operation declares, and nothing else.

Walks the registry of endpoints, so that a new one is held as well.
"""

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy import update

from helpdesk_core.accounts.models import User
from helpdesk_core.permissions import PLATFORM, ROLES
from helpdesk_core.testing import Client, Installation, Response
from helpdesk_core.web.routing import Endpoint, Router
from tests.guards.world import World, request

WHO = {"customer": "member", "technician": "technician", "agent": "agent", "admin": "owner", PLATFORM: "owner"}
ANY_KEY = ("1", "TK-1", "tickets", "acme-corp")
DOOR = {"INSUFFICIENT_PERMISSIONS", "LOGIN_REQUIRED", "TWO_FACTOR_REQUIRED", "PLUGIN_NOT_ENABLED"}


@pytest.fixture(params=[*ROLES, PLATFORM])
def role(request: pytest.FixtureRequest, installation: Installation) -> str:
    """A built-in role, or that of platform administrators, which the owner has then."""
    if request.param == PLATFORM:
        owner = installation.accounts["owner"].id
        with installation.session() as session:
            session.execute(update(User).where(User.id == owner).values(is_platform_admin=True))
            installation.commit(session)
    return str(request.param)


def operations(installation: Installation) -> Iterator[Endpoint]:
    """Iterate over all operations; those that end the caller's own login or switch plugins off come last."""
    words = ("logout", "session", "disable", "change-tier")
    ending = [e for e in installation.parts.endpoints if any(word in e.path for word in words)]
    yield from (e for e in installation.parts.endpoints if e not in ending)
    yield from ending


def may(role: str, endpoint: Endpoint) -> bool:
    roles = {role, "admin"} if role == PLATFORM else {role}
    wanted = [permission for permission in (endpoint.permission, endpoint.needs) if permission is not None]
    return all(roles & set(permission.roles) for permission in wanted)


def path_of(installation: Installation, who: str, endpoint: Endpoint) -> str:
    """Fill a path with new things of the caller, who sees those; with the owner's where they can make none.

    What nobody makes has any key of the right form.
    """
    world, path = World(installation), endpoint.path
    for parameter in re.findall(r"\{\w+\}", endpoint.path):
        pattern = next(each.pattern for each in endpoint.parameters if parameter == f"{{{each.name}}}")
        keys = (*keys_of(world, who, endpoint.path.partition(parameter)[0]), *ANY_KEY)
        path = path.replace(parameter, next(key for key in keys if re.fullmatch(pattern, key)), 1)
    return path


def keys_of(world: World, who: str, collection: str) -> Iterator[str]:
    for maker in (who, "owner"):
        with suppress(AssertionError):
            owned = world.object_of(maker, collection)
            if owned is not None:
                yield str(owned["id"])


def call(client: Client, endpoint: Endpoint, path: str) -> Response:
    client._token = None  # an operation before may have ended the login
    return request(client, endpoint, path)


def refused(reply: Response) -> str | None:
    """Return the code of a refusal for lack of rights."""
    if reply.status_code not in {401, 403}:
        return None
    body = reply.json()["error"]
    return body["code"] if isinstance(body, dict) else str(reply.status_code)


def test_a_role_may_do_what_its_permissions_say_and_nothing_else(installation: Installation, role: str) -> None:
    who = WHO[role]
    client = installation.client(who)
    wrong = []
    for endpoint in operations(installation):
        if endpoint.public:
            continue
        reply = call(client, endpoint, path_of(installation, who, endpoint))
        code = refused(reply)
        if may(role, endpoint):
            fine = code is None or code not in DOOR
        elif endpoint.permission is not None and not may(role, replaced(endpoint)):
            fine = reply.status_code == 403 and code == "INSUFFICIENT_PERMISSIONS"
        else:  # they may come in, but not do it; a thing that they cannot see is unknown to them
            fine = reply.status_code in {403, 404}
        if not fine:
            wrong.append(f"{endpoint.method} {endpoint.path}: {reply.status_code} {reply.text[:120]}")
    assert not wrong, "\n".join(wrong)


def replaced(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint as its door alone declares it."""
    return Endpoint(
        endpoint.method, endpoint.path, endpoint.function, endpoint.tag, permission=endpoint.permission
    )  # fmt: skip


def test_nobody_comes_in_without_a_credential(installation: Installation, anonymous: Client) -> None:
    wrong = []
    for endpoint in operations(installation):
        reply = request(anonymous, endpoint, path_of(installation, "owner", endpoint))
        if endpoint.public == (reply.status_code == 401 and "Authentication required" in reply.text):
            wrong.append(f"{endpoint.method} {endpoint.path}: {reply.status_code} {reply.text[:120]}")
    assert not wrong, "\n".join(wrong)


def test_an_operation_without_a_declared_permission_cannot_be_made() -> None:
    router = Router("rotas", tag="On-call")
    with pytest.raises(TypeError, match="declares neither a permission nor public=True"):

        @router.get("/")
        def list_rotas(ctx: object) -> None:
            """Rotas."""


def test_every_permission_of_an_operation_is_declared_by_its_plugin(installation: Installation) -> None:
    declared = installation.parts.services.roles.declared
    undeclared = [
        f"{endpoint.method} {endpoint.path}: {permission.code}"
        for endpoint in installation.parts.endpoints
        for permission in (endpoint.permission, endpoint.needs)
        if permission is not None and declared.get(permission.code) != permission
    ]
    assert not undeclared, "\n".join(undeclared)
