"""Consent of people at other systems: where to give it, and where they come back to."""

from helpdesk_core.api import BadRequest, Context, Dialect, Key, Message, Outbound, Router, Vault
from helpdesk_integrations.permissions import MANAGE_APIS
from helpdesk_integrations.schemas.apis import Authorization, OauthReturn
from helpdesk_integrations.service import oauth as service

router = Router("integration-platform", tag="API integrations", document=Dialect.COMPREHENSIVE)
CALLBACK = "/api/v1/integration-platform/oauth/callback/"


@router.post("/api-integrations/{api_id}/oauth/authorize/", permission=MANAGE_APIS)
def authorize_api_integration(ctx: Context, api_id: Key) -> Authorization:
    """Return where somebody gives consent at the other system; the address works once and for ten minutes."""
    url, expires_at = service.begin_consent(
        ctx.session,
        api_id,
        f"{ctx.incoming.base_url}{CALLBACK}",
        vault=ctx.services.get(Vault),
        outbound=ctx.services.get(Outbound),
    )
    return Authorization(authorization_url=url, expires_at=expires_at)


@router.get("/oauth/callback/", public=True, slow=True)
def finish_oauth_consent(ctx: Context, query: OauthReturn) -> Message:
    """Take what somebody brings back from the other system, and fetch the token for it."""
    organization, _, rest = query.state.partition(".")
    if not rest or not organization.isascii() or not organization.isdigit() or len(organization) > 15:
        raise BadRequest("This consent was not asked for here. Begin again.")
    vault, outbound = ctx.services.get(Vault), ctx.services.get(Outbound)
    ctx.session.rollback()
    with ctx.apart(int(organization)) as session:
        granted = service.take_consent(session, query.state, vault)
    if query.error is not None or query.code is None:
        raise BadRequest("The other system gave no consent.", details={"reason": query.error or "no code"})
    token = service.exchange_code(outbound, granted, query.code)
    with ctx.apart(int(organization)) as session:
        service.keep_token(session, granted.party.credential_id, token, vault, tell=True)
    return Message(message="The integration is authorized. You can close this window.")
