"""Calls to other systems: admitted in a transaction, made without one, recorded in another."""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import orjson
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Outbound, OutboundError, RateLimitExceeded, api_time, now
from helpdesk_integrations.errors import CircuitOpen, IntegrationInactive
from helpdesk_integrations.models import ApiIntegration, Call, Consent
from helpdesk_integrations.service.rows import row_of

TIMEOUT = timedelta(seconds=30)
TRIP_AFTER = 5
"""Failures in a row that open the circuit."""
PAUSE = timedelta(seconds=30)
KEPT_CHARACTERS = 1024
STARS = "***"
HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
SENSITIVE = ("authorization", "cookie", "key", "password", "secret", "token")
"""Parts of names whose values no log shows."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call that is made, with what the integration shows of itself.

    Attributes:
        headers: chosen by the caller.
        credentials: more headers, from the integration's credentials.
        secrets: texts that appear in no answer and no log.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    credentials: Mapping[str, str]
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a call."""

    status: int | None
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    duration_ms: int
    error: str | None
    kind: str = ""

    @property
    def succeeded(self) -> bool:
        """Tell whether it was answered as the caller wished."""
        return self.status is not None and self.status < 400

    @property
    def worked(self) -> bool:
        """Tell whether the other system works at all."""
        return self.status is not None and self.status < 500


def admit_call(session: Session, api_id: int) -> None:
    """Count a call against the limits of its integration; exact, because the row is locked.

    Raises:
        IntegrationInactive: it is switched off (409).
        CircuitOpen: the other system failed several times in a row (409).
        RateLimitExceeded: one of the limits is used up (429).
    """
    api, moment = row_of(session, ApiIntegration, api_id), now(session)
    if not api.is_active:
        raise IntegrationInactive
    if api.open_until is not None and api.open_until > moment:
        raise CircuitOpen(headers={"Retry-After": str(_seconds(api.open_until - moment))})
    minute = moment.replace(second=0, microsecond=0)
    day = minute.replace(hour=0, minute=0)
    by_minute = api.minute_count if api.minute == minute else 0
    by_day = api.day_count if api.day == day else 0
    if by_day >= api.requests_per_day:
        raise _exceeded(api.requests_per_day, day + timedelta(days=1), moment)
    if by_minute >= api.requests_per_minute:
        raise _exceeded(api.requests_per_minute, minute + timedelta(minutes=1), moment)
    api.minute, api.minute_count, api.day, api.day_count = minute, by_minute + 1, day, by_day + 1
    if api.consecutive_failures >= TRIP_AFTER:
        api.open_until = moment + PAUSE  # this one call finds out; until then nobody else needs to
    session.flush()


def make_call(outbound: Outbound, request: Request) -> Result:
    """Make a call; credentials go to the address that they are for, because no redirect is followed."""
    began = time.monotonic()
    try:
        reply = outbound.request(
            request.method,
            request.url,
            headers={**request.headers, **request.credentials},
            content=request.content,
            timeout=TIMEOUT.total_seconds(),
            secrets=request.secrets,
        )
    except OutboundError as error:
        passed = round((time.monotonic() - began) * 1000)
        return Result(None, {}, b"", truncated=False, duration_ms=passed, error=error.message[:255], kind=error.kind)
    headers = {name: value for name, value in reply.headers.items() if name not in HOP_BY_HOP}
    passed = round(reply.seconds * 1000)
    return Result(reply.status, headers, reply.body, truncated=reply.truncated, duration_ms=passed, error=None)


def record_call(session: Session, api_id: int, request: Request, result: Result, actor_id: int | None) -> None:
    """Count a call that was made, and add it to the log."""
    api, moment = row_of(session, ApiIntegration, api_id), now(session)
    api.total_requests += 1
    api.successful_requests += result.succeeded
    api.failed_requests += not result.succeeded
    if result.status is not None:
        api.answered_requests += 1
        api.total_duration_ms += result.duration_ms
    api.consecutive_failures = 0 if result.worked else api.consecutive_failures + 1
    api.open_until = moment + PAUSE if api.consecutive_failures >= TRIP_AFTER else None
    text = result.body[: KEPT_CHARACTERS * 4].decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    session.add(
        Call(
            api_id=api_id,
            actor_id=actor_id,
            method=request.method,
            url=without_secrets(_without_values(request.url), request.secrets),
            request_headers=_shown_headers(request),
            response_status=result.status,
            response_body=text[:KEPT_CHARACTERS] if result.status is not None else None,
            duration_ms=result.duration_ms,
            error=result.error,
            created_at=moment,
        )
    )
    session.flush()


def body_shown(result: Result) -> Any:
    """Return the body of an answer: parsed if it is JSON, else as text."""
    if "json" in result.headers.get("content-type", "") and not result.truncated:
        try:
            return orjson.loads(result.body)
        except orjson.JSONDecodeError:
            pass
    return result.body.decode(errors="replace")


def content_of(body: Any, headers: dict[str, str]) -> bytes | None:
    """Return the bytes of a body, and name their type in `headers` unless that is done."""
    if body is None:
        return None
    typed = any(name.lower() == "content-type" for name in headers)
    if not typed:
        headers["Content-Type"] = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
    return body.encode() if isinstance(body, str) else orjson.dumps(body)


def basic(username: str, password: str) -> str:
    """Return the value of `Authorization` for a name and a password."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def without_secrets(text: str, secrets: tuple[str, ...]) -> str:
    """Return `text` with the secrets starred out, also where they are written as in a URL."""
    for secret in secrets:
        for written in {secret, quote(secret), quote(secret, safe="")}:
            text = text.replace(written, STARS)
    return text


def purge_calls(session: Session, before: datetime, *, limit: int = 1000) -> int:
    """Remove calls from before an instant, up to a number, and consents that nobody gave; return how many calls."""
    keys = session.scalars(select(Call.id).where(Call.created_at < before).limit(limit)).all()
    unsynchronized = {"synchronize_session": False}
    session.execute(delete(Call).where(Call.id.in_(keys)).execution_options(**unsynchronized))
    session.execute(delete(Consent).where(Consent.expires_at < now(session)).execution_options(**unsynchronized))
    return len(keys)


def _exceeded(limit: int, reset: datetime, moment: datetime) -> RateLimitExceeded:
    details = {"limit": limit, "remaining": 0, "reset_time": api_time(reset)}
    return RateLimitExceeded(details=details, headers={"Retry-After": str(_seconds(reset - moment))})


def _seconds(duration: timedelta) -> int:
    return max(1, -int(-duration.total_seconds() // 1))


def _shown_headers(request: Request) -> dict[str, str]:
    def shown(name: str, value: str) -> str:
        hidden = name in request.credentials or any(part in name.lower() for part in SENSITIVE)
        return STARS if hidden else without_secrets(value, request.secrets)

    return {name: shown(name, value) for name, value in {**request.headers, **request.credentials}.items()}


def _without_values(url: str) -> str:
    """Return a URL whose query has stars for what is called like a secret."""
    path, mark, query = url.partition("?")
    parts = []
    for part in query.split("&") if query else []:
        name, equals, value = part.partition("=")
        parts.append(f"{name}{equals}{STARS if any(word in name.lower() for word in SENSITIVE) else value}")
    return f"{path}{mark}{'&'.join(parts)}"
