"""What can be read of automations; they are administrators' things, and those see all of their organisation."""

from typing import Any

from helpdesk_core.api import Column, One, ReadModel, Username, at_least, at_most, equals, matches, words_in
from helpdesk_workflow.models import Automation, AutomationVersion, Run
from helpdesk_workflow.schemas.automations import (
    AutomationDetails,
    AutomationRead,
    AutomationSummary,
    ExecutionRead,
    TicketSummary,
    VersionRead,
)

automations = ReadModel(
    Automation,
    schema=AutomationRead,
    optional=AutomationDetails,
    fields={"author": One(Automation.author, Username)},
    filters={
        "is_active": equals(Automation.is_active),
        "trigger": equals(Automation.event_type),
        "author": equals(Automation.author_id),
        "has_problem": matches(lambda: Automation.problem != ""),
    },
    ordering=["name", "is_active", "execution_count", "last_executed", "created_at", "updated_at"],
    default_order="-created_at",
    search=words_in(Automation.name, Automation.description),
    where=Automation.deleted_at.is_(None),
)

versions: ReadModel[VersionRead] = ReadModel(
    AutomationVersion,
    schema=VersionRead,
    fields={
        "version": Column(AutomationVersion.number),
        "changed_by": One(AutomationVersion.changed_by, Username),
    },
    filters={"automation": equals(AutomationVersion.automation_id)},
    ordering={"version": AutomationVersion.number, "created_at": AutomationVersion.created_at},
    default_order="-version",
    search=words_in(AutomationVersion.name, AutomationVersion.description),
)

_TICKET: dict[str, Any] = {"id": "uuid", "ticket_number": "number", "key": "id"}

executions: ReadModel[ExecutionRead] = ReadModel(
    Run,
    schema=ExecutionRead,
    fields={
        "automation": One(Run.automation, AutomationSummary),
        "event": Column(Run.event_type),
        "executed_by": Column(Run.executed_by_id),
        "ticket": One(Run.ticket, TicketSummary, _TICKET),
    },
    filters={
        "automation": equals(Run.automation_id),
        "ticket": equals(Run.ticket_id),
        "matched": equals(Run.matched),
        "status": equals(Run.status),
        "cause": equals(Run.cause),
        "event_id": equals(Run.event_id),
        "created_after": at_least(Run.created_at),
        "created_before": at_most(Run.created_at),
    },
    ordering={"id": Run.id, "created_at": Run.id, "duration_ms": Run.duration_ms},
    default_order="-id",
    search=words_in(Run.event_type, Run.status, Run.reason),
)
