"""OAuth 2: tokens for calls, fetched and renewed through the guarded way out, and the consent of people."""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
from httpx2 import HTTPError
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import BadRequest, Outbound, OutboundError, Vault, now, organization_of, publish
from helpdesk_integrations.errors import NoCredentials, NotAuthorized, TokenNotRenewed
from helpdesk_integrations.events import ApiIntegrationCredentialsChanged
from helpdesk_integrations.models import ApiIntegration, Consent, Credential
from helpdesk_integrations.service.apis import credential_of, secrets_in
from helpdesk_integrations.service.rows import row_of

CONSENT_LASTS = timedelta(minutes=10)
RENEWED_BEFORE = timedelta(seconds=60)
"""The end of a token."""
RENEWAL_LASTS = timedelta(seconds=30)
LONGEST_LIFE = 365 * 86_400

Apart = Callable[[], AbstractContextManager[Session]]
"""Opens a transaction of its own that writes."""


@dataclass(frozen=True, slots=True)
class Party:
    """Us, as the other system's server of tokens knows us."""

    credential_id: int
    client_id: str
    client_secret: str | None
    grant: str
    token_url: str
    scope: str | None
    token: Mapping[str, Any] | None = None

    def client(self, outbound: Outbound, redirect_uri: str | None = None) -> OAuth2Client:
        """Return a client that reaches nothing but what `outbound` lets it."""
        return OAuth2Client(
            self.client_id,
            self.client_secret,
            token_endpoint_auth_method="client_secret_basic" if self.client_secret else "none",
            scope=self.scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            transport=outbound.transport(),
            trust_env=False,
        )


@dataclass(frozen=True, slots=True)
class Granted:
    """A consent that came back: what a code is exchanged with."""

    api_id: int
    party: Party
    verifier: str
    redirect_uri: str


def begin_consent(
    session: Session, api_id: int, redirect_uri: str, *, vault: Vault, outbound: Outbound
) -> tuple[str, datetime]:
    """Return where somebody gives consent, and until when; the state in it works once, for this organisation.

    Raises:
        NoCredentials: the integration has none for the grant `authorization_code` (409).
    """
    row_of(session, ApiIntegration, api_id)
    credential = credential_of(session, api_id)
    if credential is None or credential.grant != "authorization_code":
        raise NoCredentials
    state = f"{organization_of(session)}.{secrets.token_urlsafe(32)}"
    verifier = secrets.token_urlsafe(48)
    expires_at = now(session) + CONSENT_LASTS
    session.add(
        Consent(
            api_id=api_id,
            state_hash=_hashed(state),
            verifier=vault.encrypt(verifier),
            redirect_uri=redirect_uri,
            expires_at=expires_at,
        )
    )
    session.flush()
    with _party(credential, vault).client(outbound, redirect_uri) as client:
        address = credential.settings["authorize_url"]
        url, _ = client.create_authorization_url(address, state=state, code_verifier=verifier)
    return str(url), expires_at


def take_consent(session: Session, state: str, vault: Vault) -> Granted:
    """Use a state up, and return what it began.

    Raises:
        BadRequest: there is no such state, it was used, or it is too old (400).
    """
    found = select(Consent).where(Consent.state_hash == _hashed(state)).with_for_update()
    consent = session.scalars(found).one_or_none()
    credential = credential_of(session, consent.api_id) if consent else None
    if consent is None or credential is None or credential.grant != "authorization_code":
        raise BadRequest("This consent was not asked for here, or it was used already. Begin again.")
    session.delete(consent)
    session.flush()
    if consent.expires_at <= now(session):
        raise BadRequest("This took too long. Begin again.")
    return Granted(consent.api_id, _party(credential, vault), vault.decrypt(consent.verifier), consent.redirect_uri)


def exchange_code(outbound: Outbound, granted: Granted, code: str) -> dict[str, Any]:
    """Return the token that the other system gives for a code.

    Raises:
        TokenNotRenewed: it gives none (409).
    """
    with granted.party.client(outbound, granted.redirect_uri) as client:
        return _fetched(
            lambda: client.fetch_token(
                granted.party.token_url, grant_type="authorization_code", code=code, code_verifier=granted.verifier
            )
        )


def keep_token(session: Session, credential_id: int, token: Mapping[str, Any], vault: Vault, *, tell: bool) -> None:
    """Store a token, unless its credentials were replaced meanwhile; `tell` others that somebody gave consent."""
    credential = session.get(Credential, credential_id, with_for_update=True, populate_existing=True)
    if credential is None:
        return
    moment = now(session)
    lasts = _seconds(token.get("expires_in"))
    credential.token = vault.encrypt(orjson.dumps(dict(token)).decode())
    credential.token_expires_at = moment + timedelta(seconds=lasts) if lasts else None
    credential.renewing_until = None
    session.flush()
    if tell:
        api = session.get_one(ApiIntegration, credential.api_id)
        publish(session, ApiIntegrationCredentialsChanged(api_integration_id=api.id, name=api.name, kind="oauth2"))


def access_token(apart: Apart, credential_id: int, *, vault: Vault, outbound: Outbound) -> str:
    """Return a token that works now, renewed if it ends soon; of several that want to renew it, one does.

    Raises:
        NotAuthorized: nobody has given consent, or it has run out (409).
        TokenNotRenewed: the other system gives no token, or somebody else is just asking for one (409).
    """
    with apart() as session:
        party, current = _begin_renewal(session, credential_id, vault)
    if current is not None:
        return current
    try:
        token = _renewed(outbound, party)
    except TokenNotRenewed:
        with apart() as session:
            _end_renewal(session, credential_id)
        raise
    with apart() as session:
        keep_token(session, credential_id, token, vault, tell=False)
    return str(token["access_token"])


def is_ready(credential: Credential) -> bool:
    """Tell whether calls can be made with credentials."""
    if credential.grant != "authorization_code":
        return True
    return credential.token is not None


def expire_token(session: Session, api_id: int) -> None:
    """Renew the token at the next call: the other system refused it."""
    credential = credential_of(session, api_id)
    if credential is not None and credential.token is not None:
        credential.token_expires_at = now(session)


def _begin_renewal(session: Session, credential_id: int, vault: Vault) -> tuple[Party, str | None]:
    """Return who we are, and the token if it is good for a while or somebody else is renewing it."""
    moment = now(session)
    credential = session.get(Credential, credential_id, with_for_update=True, populate_existing=True)
    if credential is None:
        raise NoCredentials
    party = _party(credential, vault)
    ends, held = credential.token_expires_at, credential.renewing_until
    text = str(party.token["access_token"]) if party.token else None
    if text is not None and (ends is None or ends > moment + RENEWED_BEFORE):
        return party, text
    if held is not None and held > moment:
        if text is not None and ends is not None and ends > moment:
            return party, text
        raise TokenNotRenewed("A token is being fetched. Try again shortly.", headers={"Retry-After": "2"})
    if credential.grant == "authorization_code" and not (party.token and party.token.get("refresh_token")):
        raise NotAuthorized
    credential.renewing_until = moment + RENEWAL_LASTS
    session.flush()
    return party, None


def _end_renewal(session: Session, credential_id: int) -> None:
    credential = session.get(Credential, credential_id, with_for_update=True, populate_existing=True)
    if credential is not None:
        credential.renewing_until = None


def _renewed(outbound: Outbound, party: Party) -> dict[str, Any]:
    with party.client(outbound) as client:
        if party.grant == "client_credentials":
            return _fetched(lambda: client.fetch_token(party.token_url, grant_type="client_credentials"))
        refresh_token = (party.token or {})["refresh_token"]
        renewed = _fetched(lambda: client.refresh_token(party.token_url, refresh_token=refresh_token))
        return {"refresh_token": refresh_token, **renewed}


def _fetched(fetch: Callable[[], Any]) -> dict[str, Any]:
    try:
        token = dict(fetch())
    except OutboundError as error:
        raise TokenNotRenewed(f"The server of tokens did not answer: {error.message}") from None
    except (AuthlibBaseError, HTTPError, ValueError):  # their messages may quote what was sent
        raise TokenNotRenewed("The server of tokens gave no token.") from None
    if not isinstance(token.get("access_token"), str) or not token["access_token"].isascii():
        raise TokenNotRenewed("The server of tokens gave no token.")
    kept = ("access_token", "refresh_token", "token_type", "expires_in", "scope")
    return {name: token[name] for name in kept if token.get(name) is not None}


def _party(credential: Credential, vault: Vault) -> Party:
    opened = secrets_in(credential, vault)
    return Party(
        credential.id,
        opened["client_id"],
        opened["client_secret"],
        credential.grant,
        credential.settings["token_url"],
        credential.settings["scope"],
        orjson.loads(vault.decrypt(credential.token)) if credential.token else None,
    )


def _seconds(value: Any) -> int:
    try:
        return min(max(int(value), 0), LONGEST_LIFE)
    except (TypeError, ValueError, OverflowError):
        return 0


def _hashed(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
