"""Deliveries: made for an event, made again, tested, removed when they are old."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import Session

from helpdesk_core.api import NotFound, Vault, now
from helpdesk_integrations.errors import DeliveryPending, WebhookInactive
from helpdesk_integrations.models import Delivery, Message, Webhook
from helpdesk_integrations.service.messages import body_of, new_uid
from helpdesk_integrations.service.rows import delivery_of, row_of
from helpdesk_integrations.service.sending import Letter, Outcome, begin_attempt, finish_attempt, move
from helpdesk_integrations.service.webhooks import secrets_of

TEST_EVENT = "webhook.test"
BATCH = 100


def fan_out(session: Session, message: Message, webhooks: Sequence[int]) -> list[Delivery]:
    """Store a message and a delivery of it for each of the webhooks, which are counted there."""
    session.add(message)
    session.flush()
    moment = now(session)
    deliveries = [
        Delivery(webhook_id=key, message_id=message.id, event_type=message.event_type, created_at=moment)
        for key in webhooks
    ]
    session.add_all(deliveries)
    session.execute(
        update(Webhook)
        .where(Webhook.id.in_(webhooks))
        .values(delivery_count=Webhook.delivery_count + 1)
        .execution_options(synchronize_session=False)
    )
    session.flush()
    return deliveries


def order_of(delivery: Delivery, message: Message) -> str:
    """Return what deliveries have in common that are made one after the other."""
    return f"webhook:{delivery.webhook_id}|{message.aggregate}" if message.aggregate else ""


def requeue_delivery(session: Session, webhook_id: int, delivery_id: int) -> Delivery:
    """Give a finished delivery all its tries again, with the same `webhook-id` and the same body.

    Raises:
        NotFound: there is no such delivery, or it was a test (404).
        WebhookInactive: the webhook is switched off (409).
        DeliveryPending: it is on its way (409).
    """
    webhook, delivery = delivery_of(session, webhook_id, delivery_id)
    if delivery.is_test:
        raise NotFound("A test is made again by another test.")
    if not webhook.is_active:
        raise WebhookInactive
    if delivery.state == "pending":
        raise DeliveryPending
    webhook.resume_at = None  # somebody asks for it: this try finds out whether the receiver is back
    _renew(webhook, delivery)
    session.flush()
    return delivery


def begin_replay(session: Session, webhook_id: int, since: datetime, until: datetime, states: Sequence[str]) -> int:
    """Return how many deliveries a replay will make; a pause of the webhook ends.

    Raises:
        WebhookInactive: the webhook is switched off (409).
    """
    webhook = row_of(session, Webhook, webhook_id)
    if not webhook.is_active:
        raise WebhookInactive
    webhook.resume_at = None
    found = select(func.count(Delivery.id)).where(*_within(webhook_id, since, until, states))
    return session.scalar(found) or 0


def requeue_batch(
    session: Session, webhook_id: int, since: datetime, until: datetime, *, states: Sequence[str], after: int
) -> list[Delivery]:
    """Renew the next deliveries of a replay, those with keys behind `after`; none when it is done."""
    webhook = session.get(Webhook, webhook_id, with_for_update=True, populate_existing=True)
    if webhook is None or not webhook.is_active:
        return []
    wanted = select(Delivery).where(*_within(webhook_id, since, until, states), Delivery.id > after)
    batch = list(session.scalars(wanted.order_by(Delivery.id).limit(BATCH)))
    for delivery in batch:
        _renew(webhook, delivery)
    session.flush()
    return batch


def trial_letter(webhook: Webhook, moment: datetime, vault: Vault) -> Letter:
    """Return a message that tells of nothing but that it can be sent."""
    uid = new_uid()
    body = body_of(uid, TEST_EVENT, moment, {"webhook_id": webhook.id, "name": webhook.name})
    return Letter(webhook.url, uid, body, tuple(secrets_of(webhook, vault, moment)))


def record_test(
    session: Session, webhook_id: int, letter: Letter, headers: Mapping[str, str], outcome: Outcome
) -> Delivery:
    """Add a test to the log; it counts for nothing else."""
    moment = now(session)
    row_of(session, Webhook, webhook_id)
    message = Message(uid=letter.uid, event_type=TEST_EVENT, aggregate="", body=letter.body.decode(), created_at=moment)
    session.add(message)
    session.flush()
    delivery = Delivery(
        webhook_id=webhook_id,
        message_id=message.id,
        event_type=TEST_EVENT,
        state="delivered" if outcome.arrived else "dead",
        is_test=True,
        tries=1,
        response_status=outcome.status,
        error=outcome.error,
        created_at=moment,
        finished_at=moment,
    )
    session.add(delivery)
    session.flush()
    attempt = begin_attempt(session, delivery, letter, headers)
    finish_attempt(session, attempt.id, outcome)
    session.flush()
    return delivery


def purge_deliveries(session: Session, before: datetime, *, limit: int = 1000) -> int:
    """Remove finished deliveries from before an instant, up to a number; return how many rows went."""
    old = select(Delivery.id).where(Delivery.created_at < before, Delivery.state != "pending").limit(limit)
    keys = session.scalars(old).all()
    unused = select(Message.id).where(Message.created_at < before, ~exists().where(Delivery.message_id == Message.id))
    unsynchronized = {"synchronize_session": False}
    session.execute(delete(Delivery).where(Delivery.id.in_(keys)).execution_options(**unsynchronized))
    messages = session.scalars(unused.limit(limit)).all()
    session.execute(delete(Message).where(Message.id.in_(messages)).execution_options(**unsynchronized))
    return len(keys) + len(messages)


def _renew(webhook: Webhook, delivery: Delivery) -> None:
    move(webhook, delivery, "pending")
    delivery.tries = 0
    delivery.error = delivery.next_try_at = delivery.finished_at = None


def _within(
    webhook_id: int, since: datetime, until: datetime, states: Sequence[str]
) -> tuple[ColumnElement[bool], ...]:
    return (
        Delivery.webhook_id == webhook_id,
        Delivery.state.in_(states),
        Delivery.is_test.is_(False),
        Delivery.created_at >= since,
        Delivery.created_at <= until,
    )
