"""The verbs of organisations."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, delete, func, select
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts import permissions
from helpdesk_core.accounts.errors import DomainChanged, OrganizationNotEmpty
from helpdesk_core.accounts.events import OrganizationUpdated
from helpdesk_core.accounts.models import Organization, TierChange, User
from helpdesk_core.accounts.service.second_factors import require_two_factor
from helpdesk_core.database import metadata
from helpdesk_core.errors import AlreadyExists
from helpdesk_core.events import now, publish
from helpdesk_core.limits.quota import forget_marks
from helpdesk_core.permissions import Actor

LONGEST_SLUG = 63


def create_organization(
    session: Session,
    *,
    name: str,
    slug: str | None = None,
    domain: str | None = None,
    tier: str = "free",
    settings: Mapping[str, Any] | None = None,
    registration: str = "open",
) -> Organization:
    """Make an organisation, without users yet; nothing is published.

    Args:
        session: any that writes.
        name: for people.
        slug: appears in registrations and never changes; made from the name when it is left out.
        domain: of its members' addresses, unique without case.
        tier: one of `TIERS`.
        settings: as `OrganizationSettings.checked` returned them.
        registration: who may register: `open`, `domain`, `invitation` or `closed`.

    Raises:
        AlreadyExists: the slug or the domain is taken (409).
    """
    _refuse_taken_domain(session, domain)
    if slug is None:
        slug = _free_slug(session, name)
    elif _slug_taken(session, slug):
        raise AlreadyExists.field("slug", "An organization with this slug exists.")
    moment = now(session)
    organization = Organization(
        id=_next_key(session),
        name=name,
        slug=slug,
        domain=domain.lower() if domain else None,
        subscription_tier=tier,
        settings=dict(settings or {}),
        registration=registration,
        disabled_plugins=[],
        created_at=moment,
        updated_at=moment,
    )
    session.add(organization)
    session.flush()
    shown = {"name": name, "slug": slug, "subscription_tier": tier}
    audit.record(
        session, "organization.created", "organization", organization.id,
        after=shown, organization_id=organization.id,
    )  # fmt: skip
    return organization


def change_organization(session: Session, actor: Actor, organization: Organization, values: Mapping[str, Any]) -> None:
    """Change fields of an organisation.

    Raises:
        AlreadyExists: the domain is taken (409).
        PermissionDenied: the tier would change, which takes a platform administrator (403).
    """
    changed = sorted(name for name, value in values.items() if getattr(organization, name) != value)
    if not changed:
        return
    if "subscription_tier" in changed:
        _change_tier(session, actor, organization, values["subscription_tier"])
    if "domain" in changed:
        _refuse_taken_domain(session, values["domain"])
        organization.domain_verified_at = None
    before = {name: getattr(organization, name) for name in changed}
    for name in changed:
        setattr(organization, name, values[name])
    _changed(session, organization, changed)
    if "settings" in changed:
        require_two_factor(session, organization)
    after = {name: values[name] for name in changed}
    audit.record(session, "organization.updated", "organization", organization.id, before=before, after=after)


def verify_domain(session: Session, organization: Organization, domain: str) -> None:
    """Note that `domain` was proved to be the organisation's: its addresses join it from now on, as its policy says.

    Raises:
        DomainChanged: it is not the organisation's domain any more (409).
    """
    if organization.domain != domain:
        raise DomainChanged
    if organization.domain_verified_at is None:
        organization.domain_verified_at = now(session)
        _changed(session, organization, ["domain_verified_at"])
        audit.record(session, "organization.domain_verified", "organization", organization.id, after={"domain": domain})


def set_organization_active(session: Session, organization: Organization, *, active: bool) -> None:
    """Close an organisation or open it again; while it is closed, no member can log in or use a token."""
    if organization.is_active != active:
        organization.is_active = active
        _changed(session, organization, ["is_active"])
        act = "organization.activated" if active else "organization.deactivated"
        audit.record(session, act, "organization", organization.id)


def delete_organization(session: Session, organization: Organization) -> None:
    """Remove an organisation that has no users, with its history.

    Raises:
        OrganizationNotEmpty: it has (409).
    """
    if session.scalar(select(func.count()).select_from(User)):
        raise OrganizationNotEmpty
    for table in _tables_of_organizations():
        session.execute(delete(table).where(table.c.organization_id == organization.id))
    audit.record(session, "organization.deleted", "organization", organization.id)
    session.delete(organization)
    session.flush()


def _tables_of_organizations() -> list[Table]:
    """Return the core's tables whose rows belong to organisations, those that others refer to last.

    Those of the audit log are not among them. A plugin with rows of its own keeps the organisation.
    """
    return [
        table
        for table in reversed(metadata.sorted_tables)
        if table.name.startswith("core_")
        and any(key.column.table is Organization.__table__ for key in table.foreign_keys)
    ]


def _next_key(session: Session) -> int | None:
    """Return a key that no organisation ever had: SQLite would give out that of the last one again."""
    if session.info["database"] != "sqlite":
        return None
    highest = session.connection().execute(select(func.max(Organization.id))).scalar() or 0
    return max(highest, audit.last_organization(session)) + 1


def _change_tier(session: Session, actor: Actor, organization: Organization, tier: str) -> None:
    actor.require(permissions.CHANGE_TIER, "Only platform administrators change the subscription tier.")
    session.add(
        TierChange(
            before=organization.subscription_tier, after=tier, changed_by_id=actor.user_id, created_at=now(session)
        )
    )
    forget_marks(session, now(session))


def _changed(session: Session, organization: Organization, changed: list[str]) -> None:
    organization.updated_at = now(session)
    session.flush()
    publish(session, OrganizationUpdated(organization_id=organization.id, changed=changed))


def _refuse_taken_domain(session: Session, domain: str | None) -> None:
    if domain and session.scalar(select(Organization.id).where(Organization.domain == domain.lower())):
        raise AlreadyExists.field("domain", "Another organization has this domain.")


def _slug_taken(session: Session, slug: str) -> bool:
    return session.scalar(select(Organization.id).where(Organization.slug == slug)) is not None


def _free_slug(session: Session, name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", ascii_name)[: LONGEST_SLUG - 10].strip("-") or "organization"
    slug, number = stem, 1
    while _slug_taken(session, slug):
        number += 1
        slug = f"{stem}-{number}"
    return slug
