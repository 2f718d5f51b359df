"""Handlers inside the publishing transaction: they can refuse what is about to be committed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.errors import HelpdeskError
from helpdesk_core.events import Event, Handler, HandlerContext, Happened, now, type_of
from helpdesk_core.jobs.registry import Enabled
from helpdesk_core.plugins import Phase, PluginHealth, PluginHost

Taking = dict[str, list["_Part"]]


class _Part:
    """One handler; it takes part where the organisation has its plugin on."""

    def __init__(self, plugin: str, handler: Handler, answers: Enabled, extra: Mapping[type, Any]) -> None:
        self._plugin = plugin
        self._handler = handler
        self._answers = answers
        self._extra = extra
        self._health: PluginHealth = extra[PluginHealth]

    def __call__(self, session: Session, happened: Happened, event: Event) -> None:
        if not self._answers(session, self._plugin):
            return
        context = HandlerContext(happened, now(session), self._extra, lambda: session)
        try:
            self._handler.function(context, event)
        except HelpdeskError:
            raise  # it refuses, which it may
        except (Exception, SystemExit) as error:
            self._health.failed(self._plugin, Phase.EVENT, error)  # and not whoever has published
            raise


def taking_part(host: PluginHost, answers: Enabled, extra: Mapping[type, Any]) -> Taking:
    """Return the handlers declared with `within=True`, by event type and in plugin order."""
    found: Taking = {}
    for plugin, handler in host.declared("register_event_handlers"):
        if handler.within:
            found.setdefault(type_of(handler.event), []).append(_Part(plugin.id, handler, answers, extra))
    return found
