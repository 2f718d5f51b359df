"""What can be run: the handlers and jobs of the active plugins, by the names under which they are stored."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.orm import Session

from helpdesk_core.events import Handler, type_of
from helpdesk_core.jobs.declared import Job, Retries
from helpdesk_core.plugins import Phase, PluginHost
from helpdesk_core.plugins.outages import Outages

log = logging.getLogger("helpdesk.jobs")

Enabled = Callable[[Session, str], bool]
"""Tells whether the organisation of a session has a plugin on."""


@dataclass(frozen=True, slots=True)
class Tenants:
    """What running jobs has to know of organisations.

    Attributes:
        enabled: tells whether the organisation of a session has a plugin on.
        active: returns the keys of the organisations that are not closed; its session is unscoped.
        outages: the plugins that do not run at present.
    """

    enabled: Enabled
    active: Callable[[Session], Sequence[int]]
    outages: Outages = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Registered:
    """A handler or a job, and whose it is."""

    plugin: str
    what: Handler | Job

    @property
    def name(self) -> str:
        """Return the name under which it is stored."""
        return self.what.name

    @property
    def timeout(self) -> timedelta:
        """Return after which time it counts as failed."""
        return self.what.timeout

    @property
    def phase(self) -> Phase:
        """Return what a plugin does when it runs this."""
        return Phase.EVENT if isinstance(self.what, Handler) else Phase.JOB

    @property
    def retries(self) -> Retries:
        """Return what happens after failures."""
        return self.what.retries if isinstance(self.what, Job) else Retries()

    def asks_for(self, session: Session, event_type: str) -> bool:
        """Tell whether a handler wants a delivery; one whose question fails gets it, and can fail by itself."""
        when = self.what.when if isinstance(self.what, Handler) else None
        if when is None:
            return True
        try:
            return when(session, event_type)
        except Exception:
            log.exception("a handler could not tell what it wants", extra={"handler": self.name})
            return True

    def has_to_do(self, payload: str, version: int) -> bool:
        """Tell whether an event gives a handler anything to do; one that cannot tell gets it, and may fail."""
        handler = self.what
        if not isinstance(handler, Handler) or handler.only is None:
            return True
        try:
            return handler.only(handler.event.read(payload, version))
        except Exception:
            log.exception("a handler could not tell whether it has anything to do", extra={"handler": self.name})
            return True


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything that can be run.

    Attributes:
        handlers: those that run after the commit, by the type of event; `*` for all types.
        by_name: handlers and jobs.
    """

    handlers: Mapping[str, tuple[Registered, ...]]
    by_name: Mapping[str, Registered]

    @classmethod
    def of(cls, host: PluginHost) -> "Registry":
        """Collect what the active plugins declared."""
        handlers: dict[str, tuple[Registered, ...]] = {}
        by_name: dict[str, Registered] = {}
        for plugin, handler in host.declared("register_event_handlers"):
            if not handler.within:
                found = by_name[handler.name] = Registered(plugin.id, handler)
                kind = type_of(handler.event)
                handlers[kind] = (*handlers.get(kind, ()), found)
        for plugin, declared in host.declared("register_jobs"):
            by_name[declared.name] = Registered(plugin.id, declared)
        return cls(handlers, by_name)
