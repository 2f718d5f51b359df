"""Plugins that are loaded and do not answer for a while."""

from dataclasses import dataclass
from datetime import datetime

from helpdesk_core.plugins.states import State


@dataclass(frozen=True, slots=True)
class Outage:
    """Why a plugin answers nothing at present.

    Attributes:
        state: `needs_migration`, `suspended`, or `blocked` by one that it requires.
        reason: in one sentence.
        phase: where it failed, if it is suspended.
        until: when it is tried again, if that is known.
        cause: the last failure of a suspended one, as operators see it.
    """

    state: State
    reason: str
    phase: str | None = None
    until: datetime | None = None
    cause: str = ""


def suspension(phase: str, cause: str, until: datetime) -> Outage:
    """Return the outage of a plugin that failed too often."""
    return Outage(State.SUSPENDED, f"failed too often, last with {cause}", phase, until, cause)


Outages = dict[str, Outage]
"""By plugin. One object for the whole process: whoever asks sees what `PluginHealth` has found."""
