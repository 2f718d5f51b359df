"""Events: what happened is a row, written in the transaction in which it happened; others are told afterwards."""

from helpdesk_core.events.acting import Bus, Origin, acting, attribute_session, now, origin_of
from helpdesk_core.events.catalogue import EventCatalogue, EventDescription
from helpdesk_core.events.event import EVERY, Event, EventT, type_of
from helpdesk_core.events.handling import Handler, HandlerContext, named, on
from helpdesk_core.events.history import past_event, past_events
from helpdesk_core.events.outbox import ForgottenEvents, Happened, OutboxEvent, happened, publish

__all__ = [
    "EVERY",
    "Bus",
    "Event",
    "EventCatalogue",
    "EventDescription",
    "EventT",
    "ForgottenEvents",
    "Handler",
    "HandlerContext",
    "Happened",
    "Origin",
    "OutboxEvent",
    "acting",
    "attribute_session",
    "happened",
    "named",
    "now",
    "on",
    "origin_of",
    "past_event",
    "past_events",
    "publish",
    "type_of",
]
