"""Webhooks: added, changed, switched on and off, given other secrets."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, EventCatalogue, Invalid, Vault, changes, now, publish
from helpdesk_integrations.errors import TooManyWebhooks
from helpdesk_integrations.event_names import patterns_of
from helpdesk_integrations.events import (
    WebhookCreated,
    WebhookDeleted,
    WebhookDisabled,
    WebhookSecretRotated,
    WebhookUpdated,
)
from helpdesk_integrations.models import Webhook
from helpdesk_integrations.schemas.webhooks import SecretRotation, WebhookCreate, WebhookUpdate
from helpdesk_integrations.service.rows import row_of
from helpdesk_integrations.signatures import STARS, masked, new_secret

MOST = 100


def create_webhook(
    session: Session, actor: Actor, data: WebhookCreate, *, vault: Vault, catalogue: EventCatalogue
) -> tuple[Webhook, str]:
    """Add a webhook; return it with its secret, which is not shown again.

    Raises:
        Invalid: it names an event that there is not, or a secret that was shown masked (400).
        TooManyWebhooks: the organisation has a hundred (409).
    """
    patterns = patterns_of(catalogue, data.events)
    if (session.scalar(select(func.count(Webhook.id))) or 0) >= MOST:
        raise TooManyWebhooks
    secret = _chosen(data.secret)
    moment = now(session)
    webhook = Webhook(
        name=data.name,
        url=data.url,
        events=data.events,
        patterns=patterns,
        secret=vault.encrypt(secret),
        secret_mask=masked(secret),
        is_active=data.is_active,
        created_by_id=actor.user_id,
        created_at=moment,
        updated_at=moment,
    )
    session.add(webhook)
    session.flush()
    publish(session, WebhookCreated(webhook_id=webhook.id, name=webhook.name))
    return webhook, secret


def update_webhook(
    session: Session, webhook_id: int, data: WebhookUpdate, *, vault: Vault, catalogue: EventCatalogue
) -> Webhook:
    """Change what was sent of a webhook; the masked secret of the answer, sent back, changes nothing.

    Raises:
        Invalid: it names an event that there is not (400).
    """
    webhook = row_of(session, Webhook, webhook_id)
    sent = changes(data)
    if "events" in sent:
        webhook.patterns = patterns_of(catalogue, data.events)
    secret = sent.pop("secret", None)
    replaces = secret is not None and secret != webhook.secret_mask
    if replaces:
        _replace_secret(webhook, _chosen(secret), vault)
        webhook.previous_secret = webhook.previous_until = None
    changed = {name for name, value in sent.items() if getattr(webhook, name) != value}
    if "is_active" in changed:
        _turn(webhook, active=data.is_active)
    for name in changed:
        setattr(webhook, name, sent[name])
    _changed(session, webhook, *changed, *(["secret"] if replaces else []))
    return webhook


def switch_webhook(session: Session, webhook_id: int, *, active: bool) -> Webhook:
    """Switch a webhook on, with a clean record, or off: what is on its way then is given up."""
    webhook = row_of(session, Webhook, webhook_id)
    if webhook.is_active != active:
        _turn(webhook, active=active)
        _changed(session, webhook, "is_active")
    return webhook


def rotate_secret(session: Session, webhook_id: int, data: SecretRotation, *, vault: Vault) -> str:
    """Give a webhook another secret and return it; the one of before signs as well for a while, no older one."""
    webhook = row_of(session, Webhook, webhook_id)
    secret, overlap = _chosen(data.secret), timedelta(seconds=data.overlap_seconds)
    moment = now(session)
    webhook.previous_secret = webhook.secret if overlap else None
    webhook.previous_until = moment + overlap if overlap else None
    _replace_secret(webhook, secret, vault)
    webhook.updated_at = moment
    session.flush()
    event = WebhookSecretRotated(webhook_id=webhook.id, name=webhook.name, overlap_seconds=data.overlap_seconds)
    publish(session, event)
    return secret


def delete_webhook(session: Session, webhook_id: int) -> None:
    """Remove a webhook with the log of its deliveries; nothing more is sent to it."""
    webhook = row_of(session, Webhook, webhook_id)
    session.delete(webhook)
    session.flush()
    publish(session, WebhookDeleted(webhook_id=webhook_id, name=webhook.name))


def disable_webhook(session: Session, webhook: Webhook, reason: str) -> None:
    """Switch a webhook off because of how its receiver behaves."""
    webhook.is_active = False
    webhook.disabled_reason = reason
    webhook.updated_at = now(session)
    session.flush()
    publish(session, WebhookDisabled(webhook_id=webhook.id, name=webhook.name, reason=reason))


def secrets_of(webhook: Webhook, vault: Vault, moment: datetime) -> list[str]:
    """Return the secrets that sign at `moment`, the newest first."""
    valid = [webhook.secret]
    if webhook.previous_secret and webhook.previous_until and webhook.previous_until > moment:
        valid.append(webhook.previous_secret)
    return [vault.decrypt(each) for each in valid]


def _turn(webhook: Webhook, *, active: bool) -> None:
    webhook.is_active = active
    if active:
        webhook.consecutive_failures = 0
        webhook.failing_since = webhook.resume_at = webhook.disabled_reason = None


def _chosen(secret: str | None) -> str:
    if secret is None:
        return new_secret()
    if secret.endswith(STARS):
        raise Invalid.field("secret", "This is a masked secret. Leave it out, or send one in full.")
    return secret


def _replace_secret(webhook: Webhook, secret: str, vault: Vault) -> None:
    webhook.secret, webhook.secret_mask = vault.encrypt(secret), masked(secret)


def _changed(session: Session, webhook: Webhook, *fields: str) -> None:
    if not fields:
        return
    webhook.updated_at = now(session)
    session.flush()
    publish(session, WebhookUpdated(webhook_id=webhook.id, name=webhook.name, fields=tuple(sorted(fields))))
