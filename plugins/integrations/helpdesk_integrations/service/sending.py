"""Sending one delivery: claim it in a transaction, talk outside without one, settle it in another."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Outbound, OutboundError, Undecipherable, Vault, now
from helpdesk_integrations.models import Attempt, Delivery, Message, Webhook
from helpdesk_integrations.schedule import (
    GIVE_UP_AFTER,
    MOST_AN_HOUR,
    MOST_AT_ONCE,
    TIMEOUT,
    TRIP_AFTER,
    asked_pause,
    delay_after,
    pause_after,
)
from helpdesk_integrations.service.webhooks import disable_webhook, secrets_of
from helpdesk_integrations.signatures import headers_for

KEPT_BYTES = 1024
"""Of an answer."""
ABANDONED_AFTER = timedelta(seconds=60)
"""An attempt without an outcome after this long belonged to a process that died."""
HOLDS_BACK = 3
"""Tries after which a delivery no longer holds back those of its aggregate behind it."""
MOMENT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent, where to, and by whose secrets it is signed."""

    url: str
    uid: str
    body: bytes
    secrets: tuple[str, ...]

    def headers(self, moment: datetime) -> dict[str, str]:
        """Return the headers of a request at `moment`."""
        signed = headers_for(self.secrets, self.uid, moment, self.body)
        return {"Content-Type": "application/json", "User-Agent": "Helpdesk-Webhooks", **signed}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request."""

    status: int | None
    body: str | None
    duration_ms: int
    error: str | None
    retry_after: str | None = None

    @property
    def arrived(self) -> bool:
        """Tell whether the receiver took it."""
        return self.error is None


@dataclass(frozen=True, slots=True)
class Claim:
    """A try that is under way: it counts for the limits of its webhook until it is settled."""

    delivery_id: int
    attempt_id: int
    letter: Letter
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wait:
    """Why something cannot be sent yet, and until when."""

    until: datetime
    reason: str


def claim_delivery(session: Session, delivery_id: int, vault: Vault) -> Claim | Wait | None:
    """Begin a try of a delivery, unless it has to wait; nothing if there is nothing to send any more."""
    moment = now(session)
    delivery = session.get(Delivery, delivery_id)
    webhook = _locked(session, delivery)
    if delivery is None or webhook is None or delivery.state != "pending":
        return None
    if not webhook.is_active:
        _end(session, webhook, delivery, "dead", "The webhook is switched off.")
        return None
    if delivery.next_try_at is not None and delivery.next_try_at > moment:
        return Wait(delivery.next_try_at, "The time of the next try has not come.")
    message = session.get_one(Message, delivery.message_id)
    wait = _pause_of(session, webhook, moment) or _predecessor(session, delivery, message, moment)
    if wait is not None:
        return wait
    try:
        secrets = tuple(secrets_of(webhook, vault, moment))
    except Undecipherable:
        _end(session, webhook, delivery, "dead", "The secret cannot be read any more. Rotate it.")
        return None
    letter = Letter(webhook.url, message.uid, message.body.encode(), secrets)
    headers = letter.headers(moment)
    attempt = begin_attempt(session, delivery, letter, headers)
    return Claim(delivery.id, attempt.id, letter, headers)


def send_letter(outbound: Outbound, letter: Letter, headers: Mapping[str, str]) -> Outcome:
    """Send a letter once; only an answer of the kind 2xx is success, and redirects are not followed."""
    began = time.monotonic()
    try:
        reply = outbound.request(
            "POST",
            letter.url,
            headers=headers,
            content=letter.body,
            timeout=TIMEOUT.total_seconds(),
            secrets=letter.secrets,
        )
    except OutboundError as error:
        return Outcome(None, None, round((time.monotonic() - began) * 1000), error.message[:255])
    text = reply.body[:KEPT_BYTES].decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    duration, status = round(reply.seconds * 1000), reply.status
    return Outcome(status, text, duration, _problem(status), reply.headers.get("retry-after"))


def settle_delivery(session: Session, claim: Claim, outcome: Outcome) -> Wait | None:
    """Record what came of a try, and return when the next one is due, if there is one."""
    moment = now(session)
    delivery = session.get(Delivery, claim.delivery_id)
    webhook = _locked(session, delivery)
    if delivery is None or webhook is None:
        return None
    finish_attempt(session, claim.attempt_id, outcome)
    delivery.tries += 1
    delivery.response_status = outcome.status
    webhook.last_delivery = moment
    if outcome.arrived:
        webhook.consecutive_failures = 0
        webhook.failing_since = webhook.resume_at = None
        _end(session, webhook, delivery, "delivered", None)
        return None
    asked = asked_pause(outcome.status, outcome.retry_after, moment)
    _failed(session, webhook, outcome, asked, moment)
    delay = delay_after(delivery.tries) if webhook.is_active else None
    if delay is None:
        _end(session, webhook, delivery, "dead", outcome.error)
        return None
    delivery.error = outcome.error
    delivery.next_try_at = moment + max(delay, asked or delay)
    return Wait(delivery.next_try_at, outcome.error or "")


def begin_attempt(session: Session, delivery: Delivery, letter: Letter, headers: Mapping[str, str]) -> Attempt:
    """Add an attempt that has no outcome yet."""
    made = select(func.count(Attempt.id)).where(Attempt.delivery_id == delivery.id)
    attempt = Attempt(
        webhook_id=delivery.webhook_id,
        delivery_id=delivery.id,
        number=(session.scalar(made) or 0) + 1,
        started_at=now(session),
        url=letter.url,
        request_headers={**headers, "webhook-signature": "***"},
    )
    session.add(attempt)
    session.flush()
    return attempt


def finish_attempt(session: Session, attempt_id: int, outcome: Outcome) -> None:
    """Add the outcome to an attempt."""
    attempt = session.get_one(Attempt, attempt_id)
    attempt.finished = True
    attempt.response_status = outcome.status
    attempt.response_body = outcome.body
    attempt.duration_ms = outcome.duration_ms
    attempt.error = outcome.error


def move(webhook: Webhook, delivery: Delivery, state: str) -> None:
    """Put a delivery into another state; the counters of its webhook, which is locked, follow."""
    if not delivery.is_test:
        webhook.success_count += (state == "delivered") - (delivery.state == "delivered")
        webhook.failure_count += (state == "dead") - (delivery.state == "dead")
    delivery.state = state


def _locked(session: Session, delivery: Delivery | None) -> Webhook | None:
    if delivery is None:
        return None
    return session.get(Webhook, delivery.webhook_id, with_for_update=True, populate_existing=True)


def _end(session: Session, webhook: Webhook, delivery: Delivery, state: str, error: str | None) -> None:
    move(webhook, delivery, state)
    delivery.error = error
    delivery.next_try_at = None
    delivery.finished_at = now(session)


def _failed(session: Session, webhook: Webhook, outcome: Outcome, asked: timedelta | None, moment: datetime) -> None:
    """Count a failure against a webhook: pause it, or switch it off."""
    webhook.consecutive_failures += 1
    webhook.failing_since = webhook.failing_since or moment
    pauses = [pause for pause in (pause_after(webhook.consecutive_failures), asked) if pause is not None]
    if pauses:
        webhook.resume_at = max(moment + max(pauses), webhook.resume_at or moment)
    if outcome.status == 410:
        disable_webhook(session, webhook, "The receiver answered 410: it is gone.")
    elif webhook.is_active and moment - webhook.failing_since >= GIVE_UP_AFTER:
        disable_webhook(session, webhook, f"For {GIVE_UP_AFTER.days} days, nothing that was sent has arrived.")


def _pause_of(session: Session, webhook: Webhook, moment: datetime) -> Wait | None:
    """Return why nothing can be sent to a webhook now, if so. While the circuit is half open, one try at a time may."""
    if webhook.resume_at is not None and webhook.resume_at > moment:
        return Wait(webhook.resume_at, "The webhook pauses: its receiver failed, or asked for it.")
    of_webhook = select(Attempt.started_at).where(Attempt.webhook_id == webhook.id)
    recent = of_webhook.where(Attempt.started_at > moment - ABANDONED_AFTER, Attempt.finished.is_(False))
    probing = webhook.consecutive_failures >= TRIP_AFTER
    if (session.scalar(select(func.count()).select_from(recent.subquery())) or 0) >= (1 if probing else MOST_AT_ONCE):
        return Wait(moment + (TIMEOUT if probing else MOMENT), "Enough requests to this webhook are under way.")
    newest_first = of_webhook.order_by(Attempt.started_at.desc(), Attempt.id.desc())
    oldest = session.scalar(newest_first.offset(MOST_AN_HOUR - 1).limit(1))
    if oldest is not None and oldest > moment - timedelta(hours=1):
        return Wait(oldest + timedelta(hours=1), f"The webhook had {MOST_AN_HOUR} requests within an hour.")
    return None


def _predecessor(session: Session, delivery: Delivery, message: Message, moment: datetime) -> Wait | None:
    """Return the wait for an earlier event of the same aggregate, unless that one has failed a few times already."""
    if not message.aggregate:
        return None
    earlier = (
        select(Delivery.next_try_at)
        .join(Message, Message.id == Delivery.message_id)
        .where(
            Delivery.webhook_id == delivery.webhook_id,
            Delivery.state == "pending",
            Delivery.tries < HOLDS_BACK,
            Delivery.id < delivery.id,
            Message.aggregate == message.aggregate,
        )
        .order_by(Delivery.id)
        .limit(1)
    )
    found = session.execute(earlier).first()
    if found is None:
        return None
    return Wait(max(found[0] or moment, moment + MOMENT), "An earlier event of the same thing is on its way.")


def _problem(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"The receiver answered {status}; redirects are not followed."
    return f"The receiver answered {status}."
