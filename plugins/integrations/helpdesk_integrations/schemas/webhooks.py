"""What goes over the wire about webhooks."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from helpdesk_core.api import DbInt, Filters, Instant, Line, QueryBool, Schema, Text, UntilDateTime, Words
from helpdesk_integrations.schemas.types import Address, cleared_to, untouched
from helpdesk_integrations.signatures import STARS, problem_of

DAY = 86_400


def _usable(secret: str) -> str:
    problem = None if secret.endswith(STARS) else problem_of(secret)
    if problem is not None:
        raise PydanticCustomError("secret", "{problem}", {"problem": problem})
    return secret


EventNames = Annotated[
    list[Annotated[Text, Field(min_length=1, max_length=100)]],
    Field(min_length=1, max_length=100, examples=[["ticket.created", "ticket.updated"]]),
]
"""Names of events in either spelling, `ticket.*` for all of a kind, `*` for all."""
Secret = Annotated[Text, Field(max_length=255), AfterValidator(_usable)]
Count = Annotated[int, Field(ge=0)]


class WebhookRead(Schema):
    """A webhook."""

    id: DbInt
    name: str
    url: str
    events: list[str]
    secret: str
    """In full when it is new, masked ever after."""
    is_active: bool
    delivery_count: Count
    """Events that were queued for it, however often each was tried."""
    success_count: Count
    """Deliveries that arrived."""
    failure_count: Count
    """Deliveries that were given up."""
    last_delivery: Instant | None
    """When something was last sent."""
    created_at: Instant
    updated_at: Instant


class WebhookDetails(Schema):
    """What is shown of a webhook on request."""

    consecutive_failures: Count
    """Tries that failed since the last one that did not."""
    failing_since: Instant | None
    resume_at: Instant | None
    """Nothing is sent before."""
    disabled_reason: str | None
    """Why it was switched off by itself."""
    previous_secret_until: Instant | None
    """How long the secret of before signs as well."""


class WebhookCreate(Schema):
    """A new webhook."""

    read_only = frozenset({*WebhookRead.model_fields, *WebhookDetails.model_fields})

    name: Line
    url: Address
    events: EventNames
    secret: Secret | None = None
    """`whsec_` and the base64 of 24 to 64 bytes, or any text from 16 characters; one is made when it is left out."""
    is_active: Annotated[bool, cleared_to(True)] = True


class WebhookUpdate(WebhookCreate):
    """Changes of a webhook; what is left out stays. Another secret replaces the one of before at once."""

    name: Line = untouched()
    url: Address = untouched()
    events: EventNames = untouched()
    secret: Secret = untouched()


class WebhookFilters(Filters):
    """Query parameters of the list of webhooks."""

    is_active: QueryBool | None = None


class SecretRotation(Schema):
    """How a secret is replaced."""

    secret: Secret | None = None
    """The new one; one is made when it is left out."""
    overlap_seconds: Annotated[int, Field(ge=0, le=7 * DAY)] = DAY
    """How long the secret of before signs as well: up to seven days, not at all with 0."""


class EventRead(Schema):
    """An event that webhooks can be told of."""

    type: str
    version: int
    plugin: str
    description: str
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    """JSON Schema of the event's own payload: the `data` of events about nothing else, and of what is gone."""
    sample: dict[str, Any]
    """A request body as receivers get it."""


class MessageKey(Schema):
    """What receivers know a message by."""

    id: str
    """The header `webhook-id`."""


class MessageRead(MessageKey):
    """What was sent."""

    body: str
    """Byte for byte, UTF-8."""


class AttemptRead(Schema):
    """One try."""

    number: Annotated[int, Field(ge=1)]
    started_at: Instant
    url: str
    request_headers: dict[str, str]
    response_status: int | None
    response_body: str | None
    """The first kilobyte of the answer."""
    duration_ms: int | None
    error: str | None


State = Literal["pending", "delivered", "dead"]


class DeliveryRead(Schema):
    """A message on its way to a webhook."""

    id: DbInt
    webhook_id: DbInt
    message: MessageKey
    event_type: str
    state: State
    is_test: bool
    tries: Count
    """Since it was queued, for the first time or again."""
    response_status: int | None
    """Of the last answer."""
    error: str | None
    """What went wrong last."""
    next_try_at: Instant | None
    created_at: Instant
    finished_at: Instant | None


class DeliveryDetail(DeliveryRead):
    """A delivery with what was sent and every try."""

    message: MessageRead
    attempts: list[AttemptRead]
    """The hundred newest, the oldest of these first."""


class DeliveryFilters(Filters):
    """Query parameters of the log of deliveries."""

    state: Words[State] | None = None
    event_type: Words[Text] | None = None
    is_test: QueryBool | None = None
    created_after: Instant | None = None
    created_before: UntilDateTime | None = None


class Replay(Schema):
    """Which deliveries are made again."""

    since: Annotated[Instant, Field(examples=["2024-01-01T00:00:00Z"])]
    until: UntilDateTime | None = None
    """The present when it is left out."""
    states: Annotated[list[Literal["delivered", "dead"]], Field(min_length=1, max_length=2)] = Field(["dead"])


class ReplayQueued(Schema):
    """A replay that has begun."""

    message: str
    deliveries: Count
    """How many there are to make."""
