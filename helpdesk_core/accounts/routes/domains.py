"""Proving that a domain is the organisation's."""

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.domains import DomainProof, Resolver
from helpdesk_core.accounts.errors import DomainNotVerified, NoDomain
from helpdesk_core.accounts.routes.answers import organization_at
from helpdesk_core.accounts.schemas.organizations import OrganizationExtras, OrganizationRead
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router

router = Router("organizations", tag="Organizations", document=Dialect.COMPREHENSIVE)


def look_up(ctx: Context, organization_id: Key) -> str:
    """Return the domain, once its record has been found.

    Raises:
        NoDomain: there is nothing to prove (422).
        DomainNotVerified: the record is not there; `details` say what it must be (422).
        NameServersUnavailable: nobody could tell (503).
    """
    organization = organization_at(ctx, organization_id)
    domain, verified_at = organization.domain, organization.domain_verified_at
    if domain is None:
        raise NoDomain
    if verified_at is not None:
        return domain
    ctx.session.rollback()  # no transaction, and no connection, waits for name servers
    proof = ctx.services.get(DomainProof)
    if not proof.proves(ctx.services.get(Resolver).texts(proof.name(domain)), organization_id, domain):
        record = {"record_name": proof.name(domain), "record_type": "TXT"}
        raise DomainNotVerified(details={**record, "record_value": proof.value(organization_id, domain)})
    return domain


@router.post(
    "/{organization_id}/verify-domain/",
    permission=permissions.CHANGE_ORGANIZATION,
    within="organization_id",
    slow=True,
    prepare=look_up,
    include=OrganizationExtras,
)
def verify_domain(ctx: Context, organization_id: Key, prepared: str) -> OrganizationRead:
    """Prove that the domain is the organization's, by a DNS record of type TXT.

    Without it the answer is 422, and its `details` say which record to set: `record_name`, `record_type`,
    `record_value`. Another domain has to be proved again.
    """
    service.verify_domain(ctx.session, organization_at(ctx, organization_id), prepared)
    return ctx.one(queries.organizations, organization_id)
