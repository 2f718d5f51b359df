"""Finds the caller of a request: by access token, by API key, or by the cookie of a session, in this order."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import orjson
from sqlalchemy import Select, bindparam, false, select
from sqlalchemy.orm import Session

from helpdesk_core.accounts.csrf import Csrf
from helpdesk_core.accounts.forgetting import forgetting
from helpdesk_core.accounts.models import ApiKey, CustomRole, Login, Organization, RoleAssignment, User
from helpdesk_core.accounts.permissions import MANAGE_ORGANIZATIONS
from helpdesk_core.accounts.presence import Presence
from helpdesk_core.accounts.queries import plugin_ids
from helpdesk_core.accounts.scopes import covered
from helpdesk_core.accounts.secrets import read_key, session_secret
from helpdesk_core.accounts.tokens import Access, BadToken, Tokens, hash_of
from helpdesk_core.clock import Clock, stored_instant
from helpdesk_core.errors import Unauthenticated
from helpdesk_core.permissions import Actor, RolePermissions
from helpdesk_core.queries import Prepared
from helpdesk_core.schemas import Dialect
from helpdesk_core.tenancy import reaching
from helpdesk_core.web.authentication import Authenticator, Principal, authenticate
from helpdesk_core.web.context import Services
from helpdesk_core.web.requests import Incoming

KEPT_KINDS = 10_000
"""Combinations of role, permissions and scopes that are remembered."""

KEPT_NETWORKS = 1024
"""Lists of networks that are remembered as they were parsed."""

_ACTOR = (
    User.id,
    User.organization_id,
    User.role,
    User.is_platform_admin,
    Organization.subscription_tier,
    Organization.disabled_plugins,
    CustomRole.permissions,
)
"""What an actor is made of."""


def _with_owner(statement: Any, owner: Any) -> Select[*tuple[Any, ...]]:
    """Join whose credential it is; everything is read by primary keys."""
    joined: Select[*tuple[Any, ...]] = (
        statement.join(User, User.id == owner)
        .join(Organization, Organization.id == User.organization_id)
        .outerjoin(RoleAssignment, RoleAssignment.user_id == User.id)
        .outerjoin(CustomRole, CustomRole.id == RoleAssignment.role_id)
    )
    return joined


_LOGIN = (Login.ended_at, User.is_active, Organization.is_active, User.token_version, *_ACTOR, Login.must_enroll)

# The one statement that every authenticated request runs: one for each kind of credential.
STANDING = Prepared(
    _with_owner(select(*_LOGIN).select_from(Login), Login.user_id).where(Login.id == bindparam("login_id"))
)
SESSION = Prepared(
    _with_owner(select(Login.id, Login.expires_at, *_LOGIN).select_from(Login), Login.user_id).where(
        Login.secret_hash == bindparam("secret_hash")
    )
)
_KEY = (ApiKey.id, ApiKey.secret_hash, ApiKey.previous_hash, ApiKey.previous_until, ApiKey.expires_at)
_KEPT_WITHIN = (ApiKey.revoked_at, ApiKey.addresses, ApiKey.scopes, User.is_active, Organization.is_active)
KEY = Prepared(
    _with_owner(select(*_KEY, *_KEPT_WITHIN, *_ACTOR, false()).select_from(ApiKey), ApiKey.user_id).where(
        ApiKey.prefix == bindparam("prefix")
    )
)


class BadKey(Unauthenticated):
    """The API key is wrong, has expired, was revoked, or may not be used from this address."""

    code = "AUTHENTICATION_REQUIRED"
    challenge = 'ApiKey realm="helpdesk"'


class BadSession(Unauthenticated):
    """The session has ended. Sign in again."""

    code = "AUTHENTICATION_REQUIRED"


@dataclass(frozen=True, slots=True)
class Means:
    """What all kinds of credential are checked with."""

    services: Services
    clock: Clock
    grants: "Grants"
    presence: Presence


def by_credential(services: Services) -> Authenticator:
    """Return the authenticator for all kinds: `Authorization` wins, then `X-API-Key`, then the cookie."""
    presence = Presence(services.database)
    services.upkeep.append(presence.flush)
    services.upkeep.append(forgetting(services.database, services.clock))
    means = Means(services, services.clock, Grants(services.roles), presence)
    kinds: Sequence[Callable[[Means], Authenticator]] = (by_access_token, by_api_key, by_session)
    return partial(authenticate, tuple(kind(means) for kind in kinds))


def by_access_token(means: Means) -> Authenticator:
    """Return the authenticator for `Authorization: Bearer`."""
    tokens = means.services.get(Tokens)

    def find(session: Session, incoming: Incoming) -> Principal | None:
        header = incoming.headers.get("authorization")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise BadToken("The Authorization header must be: Bearer <access token>.")
        access = tokens.read(token.strip())
        actor = means.grants.actor(standing(session, access))
        means.presence.note_login(actor.user_id, access.login_id, means.clock.now())
        return Principal(actor, access.dialect, "jwt", access.login_id, expires_at=access.expires_at)

    return find


def by_api_key(means: Means) -> Authenticator:
    """Return the authenticator for `X-API-Key`."""

    def find(session: Session, incoming: Incoming) -> Principal | None:
        text = incoming.headers.get("x-api-key")
        if text is None:
            return None
        given = read_key(text.strip())
        rows = KEY.rows(session, {"prefix": given[0]}) if given else []
        if given is None or not rows:
            raise BadKey
        now = means.clock.now()
        key_id, secret_hash, previous_hash, previous_until, expires_at, *kept, user_is_active, is_active = rows[0][:10]
        right = hmac.compare_digest(given[1], secret_hash)
        if not right and previous_hash is not None and stored_instant(previous_until) > now:
            right = hmac.compare_digest(given[1], previous_hash)
        revoked_at, addresses, scopes = kept
        if not right or revoked_at or not user_is_active or not is_active:
            raise BadKey
        expires_at = None if expires_at is None else stored_instant(expires_at)
        if expires_at is not None and expires_at <= now:
            raise BadKey
        if not is_within(incoming.address, _json_text(addresses)):
            raise BadKey
        actor = means.grants.actor(rows[0][10:], _json_text(scopes))
        means.presence.note_key(actor.user_id, key_id, now, incoming.address)
        return Principal(actor, Dialect.COMPREHENSIVE, "api_key", key_id=key_id, expires_at=expires_at)

    return find


def by_session(means: Means) -> Authenticator:
    """Return the authenticator for the cookie of a session; what changes something must come from a page of ours."""
    csrf = means.services.get(Csrf)

    def find(session: Session, incoming: Incoming) -> Principal | None:
        secret = session_secret(incoming.headers.get("cookie"))
        if secret is None:
            return None
        rows = SESSION.rows(session, {"secret_hash": hash_of(secret)})
        if not rows:
            raise BadSession
        now = means.clock.now()
        login_id, expires_at, ended_at, user_is_active, organization_is_active, _, *stored = rows[0]
        if ended_at or not user_is_active or not organization_is_active or stored_instant(expires_at) <= now:
            raise BadSession
        csrf.check(incoming, secret)
        actor = means.grants.actor(stored)
        means.presence.note_login(actor.user_id, login_id, now)
        return Principal(actor, Dialect.COMPREHENSIVE, "session", login_id)

    return find


def standing(session: Session, access: Access) -> Sequence[Any]:
    """Return what `Grants.actor` takes, as it is stored now.

    Raises:
        BadToken: the login has ended, the token was revoked, or the user or the organisation is not active.
    """
    with reaching(session):
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
        self._known: dict[tuple[str, bool, str | None, str | None], frozenset[str]] = {}

    def actor(self, row: Sequence[Any], scopes: str | None = None) -> Actor:
        """Return the actor for what the statements above select from the user's id on.

        Args:
            row: the columns of `_ACTOR`, and whether a second factor has to be set up first.
            scopes: of an API key, as a JSON list; nothing leaves all that the user may do.
        """
        user_id, organization_id, role, platform, tier, disabled, custom, must_enroll = row
        custom = None if custom is None else _json_text(custom)
        kind = (role, bool(platform), custom, scopes)
        permissions = self._known.get(kind)
        if permissions is None:
            permissions = self._permissions(*kind)
        plugins = plugin_ids(disabled)
        actor = Actor(user_id, organization_id, role, kind[1], permissions, tier, plugins, bool(must_enroll))
        if scopes is not None and actor.is_platform_admin and not actor.can(MANAGE_ORGANIZATIONS):
            return replace(actor, is_platform_admin=False)  # the key is not for other organisations
        return actor

    def _permissions(
        self,
        role: str,
        platform: bool,  # noqa: FBT001
        custom: str | None,
        scopes: str | None,
    ) -> frozenset[str]:
        """Work out what a role may do: a custom role's permissions stand instead of those of the role it shows as."""
        if len(self._known) >= KEPT_KINDS:
            self._known.clear()
        if custom is None:
            permissions = self._roles.for_role(role, platform=platform)
        else:
            permissions = self._roles.granted(orjson.loads(custom)) | self._roles.for_role("", platform=platform)
        if scopes is not None:
            permissions &= covered(self._roles.declared, orjson.loads(scopes))
        self._known[role, platform, custom, scopes] = permissions
        return permissions


def is_within(address: str, networks: str) -> bool:
    """Tell whether an address is in one of the networks of a JSON list; an empty list means any."""
    if networks == "[]":
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in _parsed(networks))


@lru_cache(maxsize=KEPT_NETWORKS)
def _parsed(networks: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(each) for each in orjson.loads(networks))


def _json_text(stored: Any) -> str:
    """Return a stored list as SQLite keeps it; PostgreSQL gives it parsed."""
    return stored if isinstance(stored, str) else orjson.dumps(stored).decode()
