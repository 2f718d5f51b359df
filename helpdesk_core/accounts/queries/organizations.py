"""What can be read of organisations."""

from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import Session

from helpdesk_core.accounts import permissions
from helpdesk_core.accounts.models import (
    Organization,
    TierChange,
)
from helpdesk_core.accounts.queries.visibility import OwnOrganizationOr
from helpdesk_core.accounts.schemas.organizations import OrganizationExtras, OrganizationRead
from helpdesk_core.accounts.schemas.settings import CoreSettings
from helpdesk_core.accounts.schemas.types import domain_of
from helpdesk_core.limits.models import Usage
from helpdesk_core.queries import ReadModel, equals, words_in
from helpdesk_core.statements import Prepared
from helpdesk_core.tenancy import organization_of

SettingsT = TypeVar("SettingsT", bound=BaseModel)


organizations = ReadModel(
    Organization,
    schema=OrganizationRead,
    optional=OrganizationExtras,
    filters={
        "subscription_tier": equals(Organization.subscription_tier),
        "is_active": equals(Organization.is_active),
    },
    ordering=["created_at", "name"],
    default_order="-created_at",
    search=words_in(Organization.name),
    visible=OwnOrganizationOr(permissions.VIEW_ALL_ORGANIZATIONS, Organization.id),
)


def registering_organization(session: Session, slug: str | None, default: str, email: str = "") -> Organization | None:
    """Return the active organisation that a registration joins.

    Args:
        session: any.
        slug: what the registration names, if anything.
        default: slug of the one that takes the others; empty means the oldest.
        email: its address: where no slug is given, an organisation takes the addresses of its verified domain, as far
            as its policy lets them in.
    """
    query = select(Organization).where(Organization.is_active)
    if not slug and (owner := session.scalars(query.where(*_takes(email))).first()):
        return owner
    wanted = slug or default
    query = query.where(Organization.slug == wanted) if wanted else query.order_by(Organization.id).limit(1)
    return session.scalars(query).first()


def _takes(email: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Organization.domain == domain_of(email),
        Organization.domain_verified_at.is_not(None),
        Organization.registration.in_(("open", "domain")),
    )


def settings_of(session: Session, plugin: str, schema: type[SettingsT]) -> SettingsT:
    """Return what the session's organisation has set for a plugin, with the defaults of what it has not.

    Args:
        session: of the organisation.
        plugin: the plugin's id.
        schema: as the plugin registered it; what is stored and no longer fits it counts as not set.
    """
    chosen = select(Organization.settings).where(Organization.id == organization_of(session))
    return _fitting(session.scalars(chosen).one().get(plugin), schema)


def core_settings(organization: Organization) -> CoreSettings:
    """Return what an organisation has set for the core, with the defaults of what it has not.

    Settings were free once: what is stored and does not fit counts as not set.
    """
    return _fitting(organization.settings, CoreSettings)


def _fitting(stored: object, schema: type[SettingsT]) -> SettingsT:
    present = {name: stored[name] for name in schema.model_fields if name in stored} if isinstance(stored, dict) else {}
    try:
        return schema.model_validate_json(orjson.dumps(present))
    except ValidationError as error:
        wrong = {problem["loc"][0] for problem in error.errors()}
        fitting = {name: value for name, value in present.items() if name not in wrong}
        return schema.model_validate_json(orjson.dumps(fitting))


def tier_changes(session: Session) -> list[TierChange]:
    """Return the hundred newest changes of the tier of the session's organisation."""
    return list(session.scalars(select(TierChange).order_by(TierChange.id.desc()).limit(100)))


def usage(session: Session) -> list[Usage]:
    """Return the stored requests of the session's organisation by month, the newest first, for two years."""
    return list(session.scalars(select(Usage).order_by(Usage.month.desc()).limit(25)))


def plugin_ids(stored: Any) -> frozenset[str]:
    """Return the ids in a stored list, which SQLite gives as text."""
    if stored in ("[]", []):
        return frozenset()
    return frozenset(orjson.loads(stored) if isinstance(stored, str) else stored)


_PLAN = Prepared(
    select(Organization.subscription_tier, Organization.disabled_plugins).where(
        Organization.id == bindparam("organization_id")
    )
)


def plan_of(session: Session) -> tuple[str, frozenset[str]]:
    """Return the tier and the switched-off plugins of the organisation that `session` works for."""
    ((tier, disabled),) = _PLAN.rows(session, {})
    return tier, plugin_ids(disabled)


def active_organizations(session: Session) -> list[int]:
    """Return the keys of the organisations that are not closed; `session` is unscoped."""
    return list(session.scalars(select(Organization.id).where(Organization.is_active).order_by(Organization.id)))
