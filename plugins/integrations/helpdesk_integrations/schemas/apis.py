"""What goes over the wire about API integrations."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from helpdesk_core.api import DbInt, Filters, Instant, Line, Person, QueryBool, Schema, Text, UntilDateTime, Words
from helpdesk_integrations.paths import FORBIDDEN_HEADERS
from helpdesk_integrations.schemas.types import Address, BaseAddress, cleared_to, untouched

Kind = Literal["api_key", "basic", "bearer", "oauth2"]
Grant = Literal["client_credentials", "authorization_code"]
ApiType = Literal["rest", "graphql", "soap", "odata", "other"]
Count = Annotated[int, Field(ge=0)]
Short = Annotated[Text, Field(max_length=50)]
Hidden = Annotated[Text, Field(min_length=1, max_length=5000)]
Methods = Annotated[list[Kind], Field(max_length=4), AfterValidator(lambda kinds: list(dict.fromkeys(kinds)))]


def _free(name: str) -> str:
    if name.lower() in FORBIDDEN_HEADERS - {"authorization"}:
        raise PydanticCustomError("header", "This header is not for credentials.")
    return name


def _sendable(value: Any, depth: int = 0) -> Any:
    if depth > DEEPEST:
        raise PydanticCustomError("depth", "This is nested too deeply.")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise PydanticCustomError("int", "This number is too large.")
    if isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            _sendable(part, depth + 1)
    return value


Sendable = Annotated[Any, AfterValidator(_sendable)]
HeaderName = Annotated[Text, Field(pattern=r"^[A-Za-z0-9-]{1,100}$"), AfterValidator(_free)]

PER_MINUTE, PER_DAY = 60, 10_000
DEEPEST = 20
"""Objects and lists within each other, of a body."""


class RateLimits(Schema):
    """How many calls the other system takes; more are refused here with 429."""

    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = PER_MINUTE
    requests_per_day: Annotated[int, Field(ge=1, le=1_000_000_000)] = PER_DAY


class ApiDocumentation(Schema):
    """The document that describes the API."""

    swagger_url: Address | None = None
    """Where it is, as JSON; it is fetched when its operations are refreshed."""
    version: Annotated[Short, cleared_to("")] = ""
    """Of the document."""


UNLESS_SET = RateLimits(requests_per_minute=PER_MINUTE, requests_per_day=PER_DAY)
UNDOCUMENTED = ApiDocumentation(swagger_url=None, version="")


class ApiIntegrationRead(Schema):
    """An API integration."""

    id: DbInt
    name: str
    api_type: ApiType
    base_url: str
    version: str
    authentication_methods: list[Kind]
    rate_limits: RateLimits
    api_documentation: ApiDocumentation
    total_requests: Count
    """Calls made through this server."""
    successful_requests: Count
    """Those that were answered with a status below 400."""
    failed_requests: Count
    """Those that were answered with another one, or not at all."""
    average_response_time: Annotated[float, Field(ge=0)]
    """Of those that were answered, in milliseconds."""
    is_active: bool
    created_at: Instant
    updated_at: Instant


class ApiIntegrationDetails(Schema):
    """What is shown of an API integration on request."""

    open_until: Instant | None
    """After several failures in a row, no call is made before."""
    operations_at: Instant | None
    """When the operations were last refreshed."""


class ApiIntegrationCreate(Schema):
    """A new API integration."""

    read_only = frozenset({*ApiIntegrationRead.model_fields, *ApiIntegrationDetails.model_fields})

    name: Line
    api_type: ApiType = "rest"
    base_url: BaseAddress
    """Every call goes below it, and credentials go nowhere else."""
    version: Annotated[Short, cleared_to("")] = ""
    authentication_methods: Annotated[Methods, cleared_to([])] = Field([])
    """The kinds of credentials that it can have."""
    rate_limits: Annotated[RateLimits, cleared_to(UNLESS_SET)] = RateLimits()
    api_documentation: Annotated[ApiDocumentation, cleared_to(UNDOCUMENTED)] = ApiDocumentation()
    is_active: Annotated[bool, cleared_to(True)] = True


class ApiIntegrationUpdate(ApiIntegrationCreate):
    """Changes of an API integration; what is left out stays."""

    name: Line = untouched()
    base_url: BaseAddress = untouched()


class ApiIntegrationFilters(Filters):
    """Query parameters of the list of API integrations."""

    api_type: Words[ApiType] | None = None
    is_active: QueryBool | None = None


class CredentialsWrite(Schema):
    """What the integration shows to the other system. Nothing of it is ever shown again."""

    kind: Kind
    """One of `authentication_methods`."""
    api_key: Hidden | None = None
    header: HeaderName = "X-API-Key"
    """The header that takes the API key."""
    username: Hidden | None = None
    password: Hidden | None = None
    token: Hidden | None = None
    """Of kind `bearer`."""
    grant: Grant | None = None
    """Of OAuth 2."""
    client_id: Hidden | None = None
    client_secret: Hidden | None = None
    """Public clients have none."""
    token_url: Address | None = None
    authorize_url: Address | None = None
    """Where people give consent; for the grant `authorization_code`."""
    scope: Annotated[Text, Field(max_length=2000)] | None = None


class CredentialsRead(Schema):
    """What can be told of credentials."""

    kind: Kind
    grant: Grant | None
    is_ready: bool
    """Whether calls can be made with it; the grant `authorization_code` needs somebody's consent first."""
    updated_at: Instant


class ApiCall(Schema):
    """A call to make."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    path: Annotated[Text, Field(max_length=2000)] = ""
    """Below `base_url`."""
    headers: Annotated[dict[str, Text], Field(max_length=50)] = Field({})
    query: Annotated[dict[str, str | int | float | bool | list[str]], Field(max_length=100)] = Field({})
    body: Sendable = None
    """Text is sent as it is, everything else as JSON."""


class ApiAnswer(Schema):
    """What the other system answered."""

    status: int
    headers: dict[str, str]
    body: Any
    """Parsed if it is JSON, else as text."""
    truncated: bool
    """Whether it was longer than what is shown."""
    duration_ms: Count


class TestResult(Schema):
    """What came of a test."""

    ok: bool
    status: int | None
    duration_ms: Count
    error: str | None


class CallRead(Schema):
    """A call in the log."""

    id: DbInt
    method: str
    url: str
    request_headers: dict[str, str]
    response_status: int | None
    response_body: str | None
    """The first kilobyte of the answer."""
    duration_ms: Count
    error: str | None
    actor: Person | None
    created_at: Instant


class CallFilters(Filters):
    """Query parameters of the log of calls."""

    method: Words[Text] | None = None
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    created_after: Instant | None = None
    created_before: UntilDateTime | None = None


class Authorization(Schema):
    """Where somebody gives consent."""

    authorization_url: str
    expires_at: Instant


class OauthReturn(Schema):
    """What the other system sends people back with."""

    state: Annotated[Text, Field(max_length=200)] = ""
    code: Annotated[Text, Field(max_length=4000)] | None = None
    error: Annotated[Text, Field(max_length=200)] | None = None
    error_description: Annotated[Text, Field(max_length=2000)] | None = None
    error_uri: Annotated[Text, Field(max_length=2000)] | None = None
    scope: Annotated[Text, Field(max_length=4000)] | None = None
    iss: Annotated[Text, Field(max_length=2000)] | None = None
    session_state: Annotated[Text, Field(max_length=2000)] | None = None


class OperationRead(Schema):
    """One operation of the other system's API."""

    method: str
    path: str
    operation_id: str | None
    summary: str | None
