"""What talks to other systems on behalf of an endpoint, before its transaction opens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from helpdesk_core.api import Context, HelpdeskError, Outbound, Vault
from helpdesk_integrations.errors import IntegrationInactive, UnreadableDocument
from helpdesk_integrations.models import ApiIntegration, Credential
from helpdesk_integrations.paths import checked_headers, url_below
from helpdesk_integrations.queries.apis import apis
from helpdesk_integrations.routes.webhooks import refuse_unsafe
from helpdesk_integrations.schemas.apis import ApiCall, ApiIntegrationCreate, CredentialsWrite
from helpdesk_integrations.service.apis import credential_of, secrets_in
from helpdesk_integrations.service.calls import Request, Result, admit_call, basic, content_of, make_call
from helpdesk_integrations.service.documents import fetch_operations
from helpdesk_integrations.service.oauth import access_token


@dataclass(frozen=True, slots=True)
class Made:
    """A call with what came of it."""

    request: Request
    result: Result


def check_urls(ctx: Context, body: ApiIntegrationCreate, **_: Any) -> None:
    """Refuse addresses that would not be called now."""
    refuse_unsafe(ctx, "base_url", body.base_url)
    if body.api_documentation is not None:
        refuse_unsafe(ctx, "api_documentation.swagger_url", body.api_documentation.swagger_url)


def check_token_url(ctx: Context, body: CredentialsWrite, **_: Any) -> None:
    """Refuse an address of tokens that would not be called now; the other one is opened by people's browsers."""
    refuse_unsafe(ctx, "token_url", body.token_url)


def call(ctx: Context, api_id: int, body: ApiCall) -> Made:
    """Make a call through an integration; no transaction is open meanwhile."""
    api = _api(ctx, api_id)
    credential = credential_of(ctx.session, api_id)
    url = url_below(api.base_url, body.path, body.query)
    reserved = credential.settings["header"] if credential is not None and credential.kind == "api_key" else ""
    headers = checked_headers(body.headers, reserved)
    content = content_of(body.body, headers)
    opened = secrets_in(credential, ctx.services.get(Vault)) if credential else {}
    ctx.session.rollback()
    with ctx.apart() as session:
        admit_call(session, api_id)
    hidden = tuple(value for name, value in opened.items() if value and name not in {"client_id", "username"})
    try:
        shown = _credentials(ctx, credential, opened)
    except HelpdeskError as error:
        request = Request(body.method, url, headers, content, {}, hidden)
        return Made(request, Result(None, {}, b"", truncated=False, duration_ms=0, error=error.message, kind="token"))
    hidden = (*hidden, *(value.partition(" ")[2] or value for value in shown.values()))
    request = Request(body.method, url, headers, content, shown, hidden)
    return Made(request, make_call(ctx.services.get(Outbound), request))


def call_base(ctx: Context, api_id: int) -> Made:
    """Call the base address of an integration."""
    return call(ctx, api_id, ApiCall())


def read_document(ctx: Context, api_id: int) -> list[dict[str, Any]]:
    """Fetch the document of an API; no transaction is open meanwhile."""
    url = _api(ctx, api_id).swagger_url
    ctx.session.rollback()
    if url is None:
        raise UnreadableDocument("The integration has no api_documentation.swagger_url.")
    return fetch_operations(ctx.services.get(Outbound), url)


def _api(ctx: Context, api_id: int) -> ApiIntegration:
    """Return an integration that is switched on."""
    api = ctx.session.get_one(ApiIntegration, apis.find_one(ctx.session, ctx.viewer, apis.key, api_id))
    if not api.is_active:
        raise IntegrationInactive
    return api


def _credentials(ctx: Context, credential: Credential | None, opened: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that show who we are."""
    if credential is None:
        return {}
    match credential.kind:
        case "api_key":
            return {credential.settings["header"]: opened["api_key"]}
        case "basic":
            return {"Authorization": basic(opened["username"], opened["password"])}
        case "bearer":
            return {"Authorization": f"Bearer {opened['token']}"}
    vault, outbound = ctx.services.get(Vault), ctx.services.get(Outbound)
    return {"Authorization": f"Bearer {access_token(ctx.apart, credential.id, vault=vault, outbound=outbound)}"}
