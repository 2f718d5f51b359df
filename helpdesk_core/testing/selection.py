"""Which plugins tests see: those that are asked for, and what these require, whatever else is installed."""

from collections.abc import Iterable, Sequence

from helpdesk_core.plugins import PluginHost, State, load_plugins
from helpdesk_core.plugins.discovery import discover


def load_selected(wanted: Sequence[str] | None) -> PluginHost:
    """Load the plugins called `wanted` and what they require; nothing means every installed one."""
    if wanted is None:
        return load_plugins()
    found = load_plugins(with_required(wanted))
    return PluginHost([plugin for plugin in found.plugins if plugin.state is not State.DISCOVERED])


def with_required(wanted: Iterable[str]) -> list[str]:
    """Return these ids and those of what they require, told by the manifests of what is installed."""
    manifests = {candidate.id: candidate.manifest for candidate in discover(None)}
    found: dict[str, None] = {}
    waiting = list(wanted)
    while waiting:
        plugin = waiting.pop()
        if plugin not in found:
            found[plugin] = None
            manifest = manifests.get(plugin)
            waiting += manifest.requires if manifest else ()
    return list(found)


def refuse_unusable(host: PluginHost, wanted: Iterable[str]) -> None:
    """Raise `AssertionError` if a plugin that tests are about could not be loaded: they would fail for odd reasons."""
    names = set(wanted)
    for plugin in host.plugins:
        if plugin.id in names and plugin.state is not State.ACTIVE:
            phase = f" at {plugin.phase}" if plugin.phase else ""
            raise AssertionError(f"plugin {plugin.id} is {plugin.state.value}{phase}: {plugin.reason}")
