"""What an operation answers: bodies, statuses, headers and errors."""

from collections.abc import Iterator
from inspect import Signature
from typing import Any

from helpdesk_core.web.answers import Answer, Download
from helpdesk_core.web.downloads import SAFE_IN_BROWSER
from helpdesk_core.web.openapi.components import Schemas
from helpdesk_core.web.openapi.generators import REF, Document, name_in, schema_of
from helpdesk_core.web.openapi.inputs import gives_etag
from helpdesk_core.web.requests import JSON
from helpdesk_core.web.routing import Endpoint

_TEXT: Document = {"type": "string"}
_FIELD: Document = {
    "type": "object",
    "properties": {"field": _TEXT, "message": _TEXT},
    "required": ["field", "message"],
}

ERRORS: dict[str, Document] = {
    "ClassicError": {
        "title": "Error (CLASSIC)",
        "type": "object",
        "properties": {
            "error": {**_TEXT, "description": "A sentence for people."},
            "details": {"type": "object", "description": "Messages by field, or facts that depend on the error."},
        },
        "required": ["error", "details"],
        "additionalProperties": False,
    },
    "ComprehensiveError": {
        "title": "Error (COMPREHENSIVE)",
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    "code": {**_TEXT, "pattern": "^[A-Z][A-Z0-9_]*$", "examples": ["VALIDATION_ERROR"]},
                    "message": {**_TEXT, "description": "A sentence for people."},
                    "details": {
                        "type": "object",
                        "properties": {"field": _TEXT, "message": _TEXT, "errors": {"type": "array", "items": _FIELD}},
                    },
                    "timestamp": {"type": "string", "format": "date-time"},
                    "request_id": _TEXT,
                },
                "required": ["code", "message", "details"],
                "additionalProperties": False,
            },
        },
        "required": ["error"],
        "additionalProperties": False,
    },
}

HEADERS: dict[str, Document] = {
    "RequestId": {"description": "Names this request in the log.", "required": True, "schema": _TEXT},
    "ApiVersion": {"description": "The version that answered.", "required": True, "schema": {"const": "v1"}},
    "ETag": {"description": "The state that was read, for `If-Match` and `If-None-Match`.", "schema": _TEXT},
    "CountCapped": {"description": "A search has more hits than `count` says.", "schema": {"type": "integer"}},
    "Replayed": {"description": "This is the first answer to the same `Idempotency-Key`.", "schema": {"const": "true"}},
    "Allow": {"description": "With 405: the methods that are supported.", "schema": _TEXT},
    "RateLimitLimit": {
        "description": "Requests that the caller's bucket with the least left grants in its window.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimitRemaining": {"description": "What is left of them.", "schema": {"type": "integer", "minimum": 0}},
    "RateLimitReset": {
        "description": "When the window ends, in seconds since 1970.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimitPolicy": {
        "description": "The bucket's name, its limit `q` and its window `w` in seconds, as the IETF's draft has it.",
        "schema": {**_TEXT, "examples": ['"default";q=1000;w=3600']},
    },
    "RateLimit": {
        "description": "The bucket's name, what is left of it `r`, and the seconds `t` until its window ends.",
        "schema": {**_TEXT, "examples": ['"default";r=999;t=50']},
    },
    "RetryAfter": {
        "description": "Seconds after which to try again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "Authenticate": {"description": "The credential that is missing.", "schema": _TEXT},
}
ALWAYS = {
    "X-Request-ID": "RequestId",
    "X-API-Version": "ApiVersion",
    "X-RateLimit-Limit": "RateLimitLimit",
    "X-RateLimit-Remaining": "RateLimitRemaining",
    "X-RateLimit-Reset": "RateLimitReset",
    "RateLimit-Policy": "RateLimitPolicy",
    "RateLimit": "RateLimit",
}
OF_STATUS = {
    401: {"WWW-Authenticate": "Authenticate"},
    429: {"Retry-After": "RetryAfter"},
    503: {"Retry-After": "RetryAfter"},
}
REFUSALS = {
    400: ("BadRequest", "The request is wrong; `details` names the fields."),
    401: ("Unauthenticated", "No credential, or a bad one."),
    403: ("PermissionDenied", "Not allowed, or not part of the organisation's subscription."),
    404: ("NotFound", "It does not exist, or the caller may not see it."),
    406: ("NotAcceptable", "The version of the API that was asked for does not exist."),
    409: ("Conflict", "It conflicts with what is stored."),
    410: ("Gone", "It was kept for a while only."),
    412: ("PreconditionFailed", "The resource has changed since it was read."),
    413: ("PayloadTooLarge", "The body is too large."),
    415: ("UnsupportedMediaType", "This type of content is not supported here."),
    422: ("Unprocessable", "It does not fit the present state."),
    429: ("TooManyRequests", "A bucket or the quota is empty; `details` has `limit`, `remaining` and `reset_time`."),
    503: ("Unavailable", "Busy, or under maintenance; try again shortly."),
}


def _headers(**names: str) -> Document:
    return {header: {"$ref": f"#/components/headers/{name}"} for header, name in (ALWAYS | names).items()}


def error_responses() -> dict[str, Document]:
    """Return the shared answers to everything that goes wrong, by the name of their status."""
    both = {JSON: {"schema": {"anyOf": [{"$ref": f"{REF}{name}"} for name in ERRORS]}}}
    found = {}
    for status, (name, sentence) in REFUSALS.items():
        headers = _headers(**OF_STATUS.get(status, {}))
        found[name] = {"description": sentence, "headers": headers, "content": both}
    other = "Any other error, for instance 405 for a method that is not supported."
    found["OtherError"] = {"description": other, "headers": _headers(Allow="Allow"), "content": both}
    return found


def responses_of(endpoint: Endpoint, schemas: Schemas) -> Document:
    """Return everything that an operation may answer, by status."""
    status, success = _success(endpoint, schemas)
    found: Document = {str(status): success}
    if endpoint.method == "GET" and gives_etag(endpoint):
        found["304"] = {"description": "Not modified.", "headers": _headers(ETag="ETag")}
    for error in sorted(_errors(endpoint)):
        found[str(error)] = {"$ref": f"#/components/responses/{REFUSALS[error][0]}"}
    found["default"] = {"$ref": "#/components/responses/OtherError"}
    return found


def _errors(endpoint: Endpoint) -> Iterator[int]:
    yield from (400, 401, 406, 429, 503)
    if not endpoint.public:
        yield 403
    if endpoint.parameters or endpoint.query is not None:
        yield 404
    if endpoint.forgets:
        yield 410
    if endpoint.writes:
        yield from (409, 422)
    if endpoint.method in {"PUT", "PATCH", "DELETE"}:
        yield 412
    if endpoint.body is not None or endpoint.upload is not None:
        yield from (413, 415)


def _success(endpoint: Endpoint, schemas: Schemas) -> tuple[int, Document]:
    answer = endpoint.answer
    if answer is None or answer is type(None):
        status = 204 if endpoint.status == 200 else endpoint.status
        return status, {"description": "Done.", "headers": _headers()}
    names = {}
    if gives_etag(endpoint):
        names["ETag"] = "ETag"
    if endpoint.method == "POST" and not endpoint.public:
        names["Idempotency-Replayed"] = "Replayed"
    if endpoint.query is not None and "search" in endpoint.query.model_fields:
        names["X-Count-Capped"] = "CountCapped"
    description = "Created." if endpoint.status == 201 else "OK."
    return endpoint.status, {
        "description": description, "headers": _headers(**names), "content": _content(endpoint, schemas)
    }  # fmt: skip


def _content(endpoint: Endpoint, schemas: Schemas) -> Document:
    answer = endpoint.answer
    if answer is Download:
        return {media: {} for media in ("application/octet-stream", *sorted(SAFE_IN_BROWSER))}
    if answer is Answer:
        return {"*/*": {}}
    schema, definitions = schema_of(Any if answer is Signature.empty else answer, "answer")
    if endpoint.include is not None:
        optional, more = schema_of(endpoint.include, "answer")
        properties = more.pop(name_in(optional)).get("properties", {})
        definitions |= more
        schema = with_optional(schema, definitions, properties)
    return {JSON: {"schema": schemas.adopt(schema, definitions, endpoint.plugin, suffix="Output")}}


def with_optional(schema: Document, definitions: dict[str, Document], properties: Document) -> Document:
    """Return the schema of an answer whose objects may have more `properties`, asked for by `?include=`."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [with_optional(each, definitions, properties) for each in schema["anyOf"]]}
    if "$ref" not in schema:
        return _widened(schema, definitions, properties)
    name = name_in(schema)
    wider = f"{name[:-1]}WithOptional_" if name.endswith("_") else f"{name}WithOptional"
    definitions[wider] = _widened(definitions[name], definitions, properties)
    return {"$ref": REF + wider}


def _widened(schema: Document, definitions: dict[str, Document], properties: Document) -> Document:
    if schema.get("type") == "array":
        return {**schema, "items": with_optional(schema["items"], definitions, properties)}
    own = schema.get("properties", {})
    if "results" in own and "count" in own:
        return {**schema, "properties": {**own, "results": _widened(own["results"], definitions, properties)}}
    if "id" not in own:  # an answer around the object, `{"message": ..., "user": {...}}`
        return {**schema, "properties": {name: _inner(part, definitions, properties) for name, part in own.items()}}
    return {**schema, "properties": {**properties, **own}}


def _inner(schema: Document, definitions: dict[str, Document], properties: Document) -> Document:
    return with_optional(schema, definitions, properties) if "$ref" in schema else schema
