"""Which names in the tables of others belong to a plugin."""

from collections.abc import Iterator

from helpdesk_core.plugins import Plugin, PluginHost, PluginNames
from helpdesk_core.plugins.discovery import BUILT_IN

_NAMED = (
    ("register_permissions", "code"),
    ("register_events", "type"),
    ("register_notification_kinds", "name"),
    ("register_event_handlers", "name"),
    ("register_jobs", "name"),
    ("register_resources", "name"),
)


def names_of(host: PluginHost, plugin: str) -> PluginNames:
    """Return the names of a plugin, as far as it could be loaded, and those of all others."""
    own, others = set[str](), set[str]()
    for each in host.plugins:
        (own if each.id == plugin else others).update(_declared(each))
    return PluginNames(plugin, frozenset(own), frozenset(others))


def _declared(plugin: Plugin) -> Iterator[str]:
    if plugin.id not in BUILT_IN:
        yield plugin.id
    for hook, attribute in _NAMED:
        yield from (getattr(each, attribute) for each in plugin.declared.get(hook, ()))
