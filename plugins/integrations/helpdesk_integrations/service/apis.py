"""API integrations: added, changed, switched on and off; their credentials."""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Invalid, NotFound, Vault, changes, now, publish
from helpdesk_integrations.errors import TooManyIntegrations
from helpdesk_integrations.events import (
    ApiIntegrationCreated,
    ApiIntegrationCredentialsChanged,
    ApiIntegrationDeleted,
    ApiIntegrationUpdated,
)
from helpdesk_integrations.models import ApiIntegration, Consent, Credential
from helpdesk_integrations.schemas.apis import ApiIntegrationCreate, ApiIntegrationUpdate, CredentialsWrite
from helpdesk_integrations.service.rows import row_of

MOST = 100

_NEEDED = {
    "api_key": ("api_key",),
    "basic": ("username", "password"),
    "bearer": ("token",),
    "client_credentials": ("client_id", "client_secret", "token_url"),
    "authorization_code": ("client_id", "token_url", "authorize_url"),
}
_WITHIN = {
    "rate_limits": {"requests_per_minute": "requests_per_minute", "requests_per_day": "requests_per_day"},
    "api_documentation": {"swagger_url": "swagger_url", "version": "documentation_version"},
}
"""Objects that are kept in columns: what each of their fields is called there."""
_SECRETS = ("api_key", "username", "password", "token", "client_id", "client_secret")
_SETTINGS = ("header", "token_url", "authorize_url", "scope")


def create_api(session: Session, actor: Actor, data: ApiIntegrationCreate) -> ApiIntegration:
    """Add an API integration.

    Raises:
        TooManyIntegrations: the organisation has a hundred (409).
    """
    if (session.scalar(select(func.count(ApiIntegration.id))) or 0) >= MOST:
        raise TooManyIntegrations
    moment = now(session)
    values = {name: getattr(data, name) for name in ApiIntegrationCreate.model_fields}
    api = ApiIntegration(
        **_columns(values, whole=True), created_by_id=actor.user_id, created_at=moment, updated_at=moment
    )
    session.add(api)
    session.flush()
    publish(session, ApiIntegrationCreated(api_integration_id=api.id, name=api.name))
    return api


def update_api(session: Session, api_id: int, data: ApiIntegrationUpdate) -> ApiIntegration:
    """Change what was sent of an integration. Credentials for another host, or of a kind that it no longer has, go."""
    api = row_of(session, ApiIntegration, api_id)
    sent = _columns(changes(data), whole=False)
    changed = [name for name, value in sent.items() if getattr(api, name) != value]
    moves = "base_url" in changed and host_of(sent["base_url"]) != host_of(api.base_url)
    for name in changed:
        setattr(api, name, sent[name])
    credential = credential_of(session, api_id)
    if credential is not None and (moves or credential.kind not in api.authentication_methods):
        _forget(session, api)
    if "is_active" in changed:
        _close_circuit(api)
    _changed(session, api, changed)
    return api


def switch_api(session: Session, api_id: int, *, active: bool) -> None:
    """Switch an integration on or off; no call is made through one that is off."""
    api = row_of(session, ApiIntegration, api_id)
    if api.is_active != active:
        api.is_active = active
        _close_circuit(api)
        _changed(session, api, ["is_active"])


def delete_api(session: Session, api_id: int) -> None:
    """Remove an integration with its credentials and the log of its calls."""
    api = row_of(session, ApiIntegration, api_id)
    session.delete(api)
    session.flush()
    publish(session, ApiIntegrationDeleted(api_integration_id=api_id, name=api.name))


def put_credentials(session: Session, api_id: int, data: CredentialsWrite, vault: Vault) -> Credential:
    """Replace the credentials of an integration, and whatever token it had.

    Raises:
        Invalid: the kind is none of the integration's, or something is missing that it needs (400).
    """
    api = row_of(session, ApiIntegration, api_id)
    if data.kind not in api.authentication_methods:
        known = ", ".join(api.authentication_methods) or "none"
        raise Invalid.field("kind", f"The integration's authentication_methods do not have it. They are: {known}.")
    _require(data)
    _drop(session, api_id)
    credential = Credential(
        api_id=api_id,
        kind=data.kind,
        grant=data.grant or "" if data.kind == "oauth2" else "",
        settings={name: getattr(data, name) for name in _SETTINGS},
        secret=vault.encrypt(orjson.dumps({name: getattr(data, name) for name in _SECRETS}).decode()),
        updated_at=now(session),
    )
    session.add(credential)
    session.flush()
    _tell(session, api, data.kind)
    return credential


def delete_credentials(session: Session, api_id: int) -> None:
    """Remove the credentials of an integration.

    Raises:
        NotFound: it has none (404).
    """
    api = row_of(session, ApiIntegration, api_id)
    if credential_of(session, api_id) is None:
        raise NotFound
    _forget(session, api)


def credential_of(session: Session, api_id: int) -> Credential | None:
    """Return the credentials of an integration, if it has any."""
    found = select(Credential).where(Credential.api_id == api_id)
    return session.scalars(found.execution_options(populate_existing=True)).one_or_none()


def secrets_in(credential: Credential, vault: Vault) -> dict[str, Any]:
    """Return what is secret of credentials, in the clear."""
    opened: dict[str, Any] = orjson.loads(vault.decrypt(credential.secret))
    return opened


def host_of(url: str) -> str:
    """Return scheme, host and port of a URL."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}".lower()


def _columns(values: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    """Return the columns for what was sent; of the objects within, all or what was sent of them."""
    columns = {name: value for name, value in values.items() if name not in _WITHIN}
    for name in _WITHIN.keys() & values.keys():
        part = values[name]
        named = _WITHIN[name].items()
        columns |= {column: getattr(part, key) for key, column in named if whole or key in part.model_fields_set}
    return columns


def _require(data: CredentialsWrite) -> None:
    if data.kind == "oauth2" and data.grant is None:
        raise Invalid.field("grant", "This field is required.")
    needed = _NEEDED[data.grant if data.kind == "oauth2" and data.grant else data.kind]
    missing = [name for name in needed if getattr(data, name) is None]
    if missing:
        raise Invalid.field(missing[0], "This field is required.")


def _forget(session: Session, api: ApiIntegration) -> None:
    _drop(session, api.id)
    _tell(session, api, None)


def _drop(session: Session, api_id: int) -> None:
    for table in (Credential, Consent):
        session.execute(delete(table).where(table.api_id == api_id).execution_options(synchronize_session="fetch"))


def _tell(session: Session, api: ApiIntegration, kind: str | None) -> None:
    publish(session, ApiIntegrationCredentialsChanged(api_integration_id=api.id, name=api.name, kind=kind))


def _close_circuit(api: ApiIntegration) -> None:
    api.consecutive_failures = 0
    api.open_until = None


def _changed(session: Session, api: ApiIntegration, fields: list[str]) -> None:
    if fields:
        api.updated_at = now(session)
        session.flush()
        publish(session, ApiIntegrationUpdated(api_integration_id=api.id, name=api.name, fields=tuple(sorted(fields))))
