"""Actions that say how a run goes on; the engine does what they say."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from helpdesk_core.api import Schema
from helpdesk_workflow.actions.context import ActionContext
from helpdesk_workflow.actions.registry import Action

WAIT = "wait"
STOP = "stop"
LONGEST_WAIT = timedelta(days=90)


class Wait(Schema):
    """How long to wait before the actions that follow, as minutes or as hours."""

    minutes: Annotated[float, Field(ge=1, le=LONGEST_WAIT / timedelta(minutes=1))] | None = None
    hours: Annotated[float, Field(gt=0, le=LONGEST_WAIT / timedelta(hours=1))] | None = None

    @model_validator(mode="after")
    def one_way(self) -> "Wait":
        """Refuse none or both."""
        if (self.minutes is None) == (self.hours is None):
            raise PydanticCustomError("wait", "Enter either minutes or hours.")
        return self

    @property
    def duration(self) -> timedelta:
        """Return how long, in whole seconds."""
        length = timedelta(minutes=self.minutes or 0, hours=self.hours or 0)
        return timedelta(seconds=int(length.total_seconds()))


class Stop(Schema):
    """Nothing more of this automation, and none of the later ones for the same event."""


def _nothing(_context: ActionContext, _given: object) -> None:
    """Leave it to the engine."""


FLOW_ACTIONS = (
    Action(WAIT, "Wait before the next action", Wait, _nothing, needs_ticket=False, changes_ticket=False),
    Action(
        STOP,
        "End here, and leave out later automations for the same event",
        Stop,
        _nothing,
        needs_ticket=False,
        changes_ticket=False,
    ),
)
"""What the engine does itself."""
