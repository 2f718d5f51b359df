"""Finds the caller of a request by its access token."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from helpdesk_core.accounts.models import Login, Organization, User
from helpdesk_core.accounts.presence import Presence
from helpdesk_core.accounts.tokens import Access, BadToken, Tokens
from helpdesk_core.permissions import Actor, RolePermissions
from helpdesk_core.queries import Prepared
from helpdesk_core.web.authentication import Authenticator, Principal
from helpdesk_core.web.context import Services
from helpdesk_core.web.requests import Incoming

STANDING = Prepared(
    select(
        Login.ended_at,
        User.is_active,
        Organization.is_active,
        User.token_version,
        Login.user_id,
        User.organization_id,
        User.role,
        User.is_platform_admin,
        Organization.subscription_tier,
        Organization.disabled_plugins,
    )
    .select_from(Login)
    .join(User, User.id == Login.user_id)
    .join(Organization, Organization.id == User.organization_id)
    .where(Login.id == bindparam("login_id"))
)
"""The one statement that every authenticated request runs; it reads by primary keys only."""


def by_access_token(services: Services) -> Authenticator:
    """Return the authenticator for `Authorization: Bearer`."""
    tokens = services.get(Tokens)
    presence = Presence(services.database)
    services.upkeep.append(presence.flush)
    grants = Grants(services.roles)
    clock = services.clock

    def authenticate(session: Session, incoming: Incoming) -> Principal | None:
        header = incoming.headers.get("authorization")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise BadToken("The Authorization header must be: Bearer <access token>.")
        access = tokens.read(token.strip())
        actor = grants.actor(standing(session, access))
        presence.note(actor.user_id, clock.now())
        return Principal(actor, access.dialect, "jwt", access.login_id)

    return authenticate


def standing(session: Session, access: Access) -> Sequence[Any]:
    """Return what `Grants.actor` takes, as it is stored now.

    Raises:
        BadToken: the login has ended, the token was revoked, or the user or the organisation is not active.
    """
    rows = STANDING.rows(session, {"login_id": access.login_id})
    if not rows:
        raise BadToken
    ended_at, user_is_active, organization_is_active, version, *stored = rows[0]
    if ended_at or not user_is_active or not organization_is_active:
        raise BadToken
    if version != access.version or stored[0] != access.user_id:
        raise BadToken
    return stored


class Grants:
    """Turns what is stored of a user into an actor; what depends on the role alone is worked out once."""

    def __init__(self, roles: RolePermissions) -> None:
        """Keep the permissions of each role."""
        self._roles = roles
        self._known: dict[tuple[str, bool], frozenset[str]] = {}

    def actor(self, row: Sequence[Any]) -> Actor:
        """Return the actor for user id, organisation, role, platform flag, tier and disabled plugins."""
        user_id, organization_id, role, platform, tier, disabled = row
        kind = (role, bool(platform))
        permissions = self._known.get(kind)
        if permissions is None:
            permissions = self._known[kind] = self._roles.for_role(role, platform=kind[1])
        return Actor(user_id, organization_id, role, kind[1], permissions, tier, plugin_ids(disabled))


def plugin_ids(stored: Any) -> frozenset[str]:
    """Return the ids in a stored list, which SQLite gives as text."""
    if stored in ("[]", []):
        return frozenset()
    return frozenset(orjson.loads(stored) if isinstance(stored, str) else stored)
