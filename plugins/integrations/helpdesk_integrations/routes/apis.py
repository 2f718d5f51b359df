"""`/integration-platform/api-integrations/`"""

from typing import Any, cast

from helpdesk_core.api import Context, Dialect, Key, NotFound, Page, Router, Vault
from helpdesk_integrations.errors import NoAnswer
from helpdesk_integrations.models import ApiIntegration
from helpdesk_integrations.permissions import CALL_APIS, MANAGE_APIS, VIEW_APIS
from helpdesk_integrations.queries.apis import apis, calls
from helpdesk_integrations.routes.outside import Made, call, call_base, check_token_url, check_urls, read_document
from helpdesk_integrations.schemas.apis import (
    ApiAnswer,
    ApiCall,
    ApiIntegrationCreate,
    ApiIntegrationDetails,
    ApiIntegrationFilters,
    ApiIntegrationRead,
    ApiIntegrationUpdate,
    CallFilters,
    CallRead,
    CredentialsRead,
    CredentialsWrite,
    OperationRead,
    TestResult,
)
from helpdesk_integrations.service import apis as service
from helpdesk_integrations.service.calls import body_shown, record_call
from helpdesk_integrations.service.documents import keep_operations
from helpdesk_integrations.service.oauth import expire_token, is_ready

router = Router("integration-platform", tag="API integrations", document=Dialect.COMPREHENSIVE)


@router.get("/api-integrations/", permission=VIEW_APIS, include=ApiIntegrationDetails)
def list_api_integrations(ctx: Context, query: ApiIntegrationFilters) -> Page[ApiIntegrationRead]:
    """API integrations, newest first."""
    return ctx.page(apis, query)


@router.post(
    "/api-integrations/", permission=MANAGE_APIS, status=201, include=ApiIntegrationDetails, slow=True,
    prepare=check_urls,
)  # fmt: skip
def create_api_integration(ctx: Context, body: ApiIntegrationCreate, prepared: None) -> ApiIntegrationRead:  # noqa: ARG001 - addresses were checked
    """Add an API integration; credentials are put afterwards."""
    return ctx.one(apis, service.create_api(ctx.session, ctx.actor, body).id)


@router.get("/api-integrations/{api_id}/", permission=VIEW_APIS, include=ApiIntegrationDetails)
def retrieve_api_integration(ctx: Context, api_id: Key) -> ApiIntegrationRead:
    """One API integration."""
    return ctx.one(apis, api_id)


@router.put(
    "/api-integrations/{api_id}/", permission=MANAGE_APIS, include=ApiIntegrationDetails, slow=True, prepare=check_urls
)
def update_api_integration(ctx: Context, api_id: Key, body: ApiIntegrationUpdate, prepared: None) -> ApiIntegrationRead:  # noqa: ARG001 - addresses were checked
    """Change an API integration. Its credentials go when `base_url` gets another host."""
    service.update_api(ctx.session, api_id, body)
    return ctx.one(apis, api_id)


@router.delete("/api-integrations/{api_id}/", permission=MANAGE_APIS)
def delete_api_integration(ctx: Context, api_id: Key) -> None:
    """Remove an API integration with its credentials and the log of its calls."""
    service.delete_api(ctx.session, api_id)


@router.post("/api-integrations/{api_id}/activate/", permission=MANAGE_APIS)
def activate_api_integration(ctx: Context, api_id: Key) -> ApiIntegrationRead:
    """Switch an API integration on."""
    service.switch_api(ctx.session, api_id, active=True)
    return ctx.one(apis, api_id)


@router.post("/api-integrations/{api_id}/deactivate/", permission=MANAGE_APIS)
def deactivate_api_integration(ctx: Context, api_id: Key) -> ApiIntegrationRead:
    """Switch an API integration off: calls through it are refused with 409."""
    service.switch_api(ctx.session, api_id, active=False)
    return ctx.one(apis, api_id)


@router.replace("/api-integrations/{api_id}/credentials/", permission=MANAGE_APIS, slow=True, prepare=check_token_url)
def put_api_credentials(ctx: Context, api_id: Key, body: CredentialsWrite, prepared: None) -> CredentialsRead:  # noqa: ARG001 - addresses were checked
    """Set the credentials; they are kept encrypted and never shown, and those of before are gone."""
    credential = service.put_credentials(ctx.session, api_id, body, ctx.services.get(Vault))
    return CredentialsRead(
        kind=body.kind,
        grant=body.grant if body.kind == "oauth2" else None,
        is_ready=is_ready(credential),
        updated_at=credential.updated_at,
    )


@router.delete("/api-integrations/{api_id}/credentials/", permission=MANAGE_APIS)
def delete_api_credentials(ctx: Context, api_id: Key) -> None:
    """Remove the credentials; 404 if there are none."""
    service.delete_credentials(ctx.session, api_id)


@router.get("/api-integrations/{api_id}/requests/", permission=VIEW_APIS)
def list_api_requests(ctx: Context, api_id: Key, query: CallFilters) -> Page[CallRead]:
    """The log of calls, newest first, without secrets."""
    apis.find_one(ctx.session, ctx.viewer, apis.key, api_id)
    return ctx.page(calls, query, api=api_id)


@router.post("/api-integrations/{api_id}/requests/", permission=CALL_APIS, slow=True, prepare=call)
def call_api(ctx: Context, api_id: Key, body: ApiCall, prepared: Made) -> ApiAnswer:  # noqa: ARG001 - `call` reads it
    """Call the other system below `base_url`, with the credentials of the integration."""
    result = prepared.result
    _record(ctx, api_id, prepared)
    if result.status is None:
        raise NoAnswer(result.error, details={"kind": result.kind, "duration_ms": result.duration_ms})
    return ApiAnswer(
        status=result.status,
        headers=dict(result.headers),
        body=body_shown(result),
        truncated=result.truncated,
        duration_ms=result.duration_ms,
    )


@router.post("/api-integrations/{api_id}/test/", permission=CALL_APIS, slow=True, prepare=call_base)
def test_api_integration(ctx: Context, api_id: Key, prepared: Made) -> TestResult:
    """Call `base_url` itself, and tell whether the other system answers and knows us."""
    result = prepared.result
    _record(ctx, api_id, prepared)
    known = result.status not in {401, 403}
    error = result.error or (None if result.worked and known else f"The other system answered {result.status}.")
    return TestResult(ok=error is None, status=result.status, duration_ms=result.duration_ms, error=error)


@router.get("/api-integrations/{api_id}/operations/", permission=VIEW_APIS)
def list_api_operations(ctx: Context, api_id: Key) -> Page[OperationRead]:
    """The operations that the API's document listed when it was last read."""
    api = ctx.session.get(ApiIntegration, api_id)
    if api is None:
        raise NotFound
    return _operations(api.operations)


@router.post("/api-integrations/{api_id}/operations/refresh/", permission=MANAGE_APIS, slow=True, prepare=read_document)
def refresh_api_operations(ctx: Context, api_id: Key, prepared: list[dict[str, Any]]) -> Page[OperationRead]:
    """Read the API's document at `swagger_url` again, and list its operations."""
    keep_operations(ctx.session, api_id, prepared)
    return _operations(prepared)


def _record(ctx: Context, api_id: int, made: Made) -> None:
    record_call(ctx.session, api_id, made.request, made.result, ctx.actor.user_id)
    if made.result.status == 401:
        expire_token(ctx.session, api_id)


def _operations(listed: list[Any]) -> Page[OperationRead]:
    results = cast("list[OperationRead]", listed)
    return Page.model_construct(count=len(listed), next=None, previous=None, results=results)
