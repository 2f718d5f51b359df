"""The one import surface of plugin authors.

What is in `__all__` is the contract; nothing else of the core is. See docs/ for a tutorial and the reference.
"""

from helpdesk_core.accounts.languages import LANGUAGES
from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.accounts.queries import core_settings
from helpdesk_core.accounts.queries import settings_of as organization_settings
from helpdesk_core.accounts.schemas import Language, OrganizationSummary, Person, Username, UserRef
from helpdesk_core.accounts.substitutes import actor_of
from helpdesk_core.accounts.visiting import visit
from helpdesk_core.clock import Clock, api_time
from helpdesk_core.counters import adjust, next_number
from helpdesk_core.database import BigKey, Ranked, Timestamped, UtcDateTime, metadata
from helpdesk_core.deprecations import Deprecated, finder
from helpdesk_core.errors import (
    AlreadyExists,
    BadRequest,
    Conflict,
    FieldError,
    HelpdeskError,
    Invalid,
    NotFound,
    PermissionDenied,
    PluginNotEnabled,
    RateLimitExceeded,
    Unprocessable,
)
from helpdesk_core.events import (
    Event,
    EventCatalogue,
    EventDescription,
    Handler,
    HandlerContext,
    Happened,
    acting,
    now,
    on,
    past_event,
    past_events,
    publish,
)
from helpdesk_core.files import FileStore, discard_upload, store_upload, stored_file
from helpdesk_core.hookspecs import hookimpl, hookspec
from helpdesk_core.http.failures import OutboundError, Unresolved, UnsafeUrl
from helpdesk_core.http.outbound import Outbound, Reply
from helpdesk_core.indexes import create_index_online, drop_index_online
from helpdesk_core.jobs import Job, JobContext, Retries, check_schedule, enqueue, job, last_slot
from helpdesk_core.keys import Undecipherable, Vault
from helpdesk_core.notifications.kinds import NotificationKind, Wording
from helpdesk_core.notifications.service.telling import UnknownNotification, notify, notify_address
from helpdesk_core.permissions import (
    PLATFORM,
    ROLES,
    STAFF,
    Actor,
    Permission,
    Visibility,
    everyone_in_the_organization,
    own_or,
    unless,
)
from helpdesk_core.placeholders import fill, filled_length, is_variable, variables_in
from helpdesk_core.plugins import Contributions, LifeCycleContext, PluginNames
from helpdesk_core.queries import (
    Column,
    Computed,
    Count,
    Criteria,
    FullText,
    Many,
    One,
    Order,
    ReadModel,
    Totals,
    Varying,
    Viewer,
    any_of,
    at_least,
    at_most,
    equals,
    matches,
    through,
    words_in,
)
from helpdesk_core.resources import Resource, Resources
from helpdesk_core.schemas import (
    Body,
    Color,
    DbInt,
    Dialect,
    Filters,
    JsonObject,
    Keys,
    Line,
    Message,
    Page,
    QueryBool,
    Ref,
    Schema,
    Text,
    UntilDateTime,
    Words,
    changes,
)
from helpdesk_core.schemas import UtcDateTime as Instant
from helpdesk_core.search import SearchIndex
from helpdesk_core.statements import Among, Prepared, insertion
from helpdesk_core.telemetry.declared import Counter, Gauge, Histogram, Metric
from helpdesk_core.telemetry.metrics import Metrics, UndeclaredMetric
from helpdesk_core.tenancy import TenantScoped, organization_of, tenant_key, tenant_reference
from helpdesk_core.web.answers import Download
from helpdesk_core.web.context import Context
from helpdesk_core.web.pages import Document, Html, Redirect
from helpdesk_core.web.requests import read_query
from helpdesk_core.web.routing import Key, PathPattern, Router, Upload

DEPRECATED: dict[str, Deprecated] = {}
"""Names that were part of the contract and still work; whoever asks for one is told until when."""

__getattr__ = finder(__name__, DEPRECATED)

__all__ = [
    "LANGUAGES",
    "PLATFORM",
    "ROLES",
    "STAFF",
    "Actor",
    "AlreadyExists",
    "Among",
    "BadRequest",
    "BigKey",
    "Body",
    "Clock",
    "Color",
    "Column",
    "Computed",
    "Conflict",
    "Context",
    "Contributions",
    "Count",
    "Counter",
    "Criteria",
    "DbInt",
    "Dialect",
    "Document",
    "Download",
    "Event",
    "EventCatalogue",
    "EventDescription",
    "FieldError",
    "FileStore",
    "Filters",
    "FullText",
    "Gauge",
    "Handler",
    "HandlerContext",
    "Happened",
    "HelpdeskError",
    "Histogram",
    "Html",
    "Instant",
    "Invalid",
    "Job",
    "JobContext",
    "JsonObject",
    "Key",
    "Keys",
    "Language",
    "LifeCycleContext",
    "Line",
    "Many",
    "Message",
    "Metric",
    "Metrics",
    "NotFound",
    "NotificationKind",
    "One",
    "Order",
    "Organization",
    "OrganizationSummary",
    "Outbound",
    "OutboundError",
    "Page",
    "PathPattern",
    "Permission",
    "PermissionDenied",
    "Person",
    "PluginNames",
    "PluginNotEnabled",
    "Prepared",
    "QueryBool",
    "Ranked",
    "RateLimitExceeded",
    "ReadModel",
    "Redirect",
    "Ref",
    "Reply",
    "Resource",
    "Resources",
    "Retries",
    "Router",
    "Schema",
    "SearchIndex",
    "TenantScoped",
    "Text",
    "Timestamped",
    "Totals",
    "Undecipherable",
    "UndeclaredMetric",
    "UnknownNotification",
    "Unprocessable",
    "Unresolved",
    "UnsafeUrl",
    "UntilDateTime",
    "Upload",
    "User",
    "UserRef",
    "Username",
    "UtcDateTime",
    "Varying",
    "Vault",
    "Viewer",
    "Visibility",
    "Wording",
    "Words",
    "acting",
    "actor_of",
    "adjust",
    "any_of",
    "api_time",
    "at_least",
    "at_most",
    "changes",
    "check_schedule",
    "core_settings",
    "create_index_online",
    "discard_upload",
    "drop_index_online",
    "enqueue",
    "equals",
    "everyone_in_the_organization",
    "fill",
    "filled_length",
    "hookimpl",
    "hookspec",
    "insertion",
    "is_variable",
    "job",
    "last_slot",
    "matches",
    "metadata",
    "next_number",
    "notify",
    "notify_address",
    "now",
    "on",
    "organization_of",
    "organization_settings",
    "own_or",
    "past_event",
    "past_events",
    "publish",
    "read_query",
    "store_upload",
    "stored_file",
    "tenant_key",
    "tenant_reference",
    "through",
    "unless",
    "variables_in",
    "visit",
    "words_in",
]
