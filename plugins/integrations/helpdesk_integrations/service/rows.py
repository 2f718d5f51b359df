"""Rows by their keys."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import NotFound
from helpdesk_integrations.models import Delivery, Webhook

RowT = TypeVar("RowT")


def row_of(session: Session, kind: type[RowT], key: int) -> RowT:
    """Return the row of the session's organisation with this key, locked; `NotFound` when there is none."""
    row = session.get(kind, key, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound
    return row


def delivery_of(session: Session, webhook_id: int, delivery_id: int) -> tuple[Webhook, Delivery]:
    """Return a webhook, locked, and one of its deliveries; `NotFound` when there is no such pair."""
    webhook = row_of(session, Webhook, webhook_id)
    found = select(Delivery).where(Delivery.id == delivery_id, Delivery.webhook_id == webhook_id)
    delivery = session.scalars(found.execution_options(populate_existing=True)).one_or_none()
    if delivery is None:
        raise NotFound
    return webhook, delivery
