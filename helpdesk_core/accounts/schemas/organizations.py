"""Organisations: shown, created, changed."""

from typing import Any, Literal

from pydantic import Field

from helpdesk_core.accounts.schemas.types import Domain, Policy, Slug, Tier
from helpdesk_core.schemas import DbInt, Filters, JsonObject, Line, QueryBool, Schema, UtcDateTime, Words


class OrganizationRead(Schema):
    """An organisation."""

    id: DbInt
    name: str
    slug: str
    domain: str | None
    subscription_tier: Tier
    settings: dict[str, Any]
    is_active: bool
    created_at: UtcDateTime
    updated_at: UtcDateTime


class OrganizationExtras(Schema):
    """What `?include=` adds to an organisation."""

    registration: Policy
    """Who may register: anybody, those with an address of the verified domain, the invited, or nobody."""
    domain_verified_at: UtcDateTime | None
    """When the domain was proved to be the organisation's."""


SHOWN = frozenset({*OrganizationRead.model_fields, *OrganizationExtras.model_fields})


class OrganizationCreate(Schema):
    """A new organisation."""

    read_only = SHOWN

    name: Line
    slug: Slug | None = None
    """Appears in registrations and never changes; made from the name when it is left out."""
    domain: Domain | None = None
    subscription_tier: Tier = "free"
    settings: JsonObject = Field(default_factory=dict)
    registration: Policy = "open"


class OrganizationUpdate(Schema):
    """What can be changed of an organisation; only fields that are sent count."""

    read_only = SHOWN

    name: Line = ""
    domain: Domain | None = None
    subscription_tier: Tier = "free"
    """A change of it is for platform administrators."""
    settings: JsonObject = Field(default_factory=dict)
    registration: Policy = "open"


class TierUpdate(Schema):
    """Another subscription tier."""

    subscription_tier: Tier


class TierChangeRead(Schema):
    """One change of the subscription tier."""

    before: Tier
    after: Tier
    changed_by_id: DbInt | None
    created_at: UtcDateTime


class SubscriptionRead(Schema):
    """The subscription of an organisation, and how it came to it."""

    subscription_tier: Tier
    changes: list[TierChangeRead]
    """The hundred newest, newest first."""


class SlugRead(Schema):
    """An organisation that can be registered with."""

    name: str
    slug: str
    registration: Policy


class OrganizationFilters(Filters):
    """How the list of organisations is narrowed."""

    subscription_tier: Words[Literal["free", "basic", "professional", "enterprise"]] | None = None
    is_active: QueryBool | None = None
