"""What can be read of deliveries."""

from helpdesk_core.api import Many, One, ReadModel, at_least, at_most, equals
from helpdesk_integrations.models import Attempt, Delivery
from helpdesk_integrations.schemas.webhooks import AttemptRead, DeliveryDetail, DeliveryRead, MessageKey, MessageRead

SHOWN_ATTEMPTS = 100

deliveries = ReadModel(
    Delivery,
    schema=DeliveryRead,
    fields={"message": One(Delivery.message, MessageKey, {"id": "uid"})},
    filters={
        "webhook": equals(Delivery.webhook_id),
        "state": equals(Delivery.state),
        "event_type": equals(Delivery.event_type),
        "is_test": equals(Delivery.is_test),
        "created_after": at_least(Delivery.created_at),
        "created_before": at_most(Delivery.created_at),
    },
    ordering={"id": Delivery.id, "created_at": Delivery.created_at},
    default_order="-id",
)

delivery_details = ReadModel(
    Delivery,
    schema=DeliveryDetail,
    fields={
        "message": One(Delivery.message, MessageRead, {"id": "uid"}),
        "attempts": Many(Attempt.delivery_id, shows=AttemptRead, order=(Attempt.id,), newest=SHOWN_ATTEMPTS),
    },
    default_order="-id",
    ordering={"id": Delivery.id},
)
