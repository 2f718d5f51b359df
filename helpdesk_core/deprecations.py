"""Names of the plugin API that are on their way out: they still work, and say who uses them and until when."""

import sys
import tomllib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any


class HelpdeskDeprecationWarning(DeprecationWarning):
    """A plugin uses what a later version of the core no longer has.

    Attributes:
        plugin: id of the plugin, or name of the package where it is none.
        symbol: what it uses.
        removed_in: the version of the core that is without it.
    """

    def __init__(self, plugin: str, symbol: str, deprecation: "Deprecated") -> None:
        """Say it in a sentence."""
        super().__init__(
            f"plugin {plugin} uses {symbol}, which helpdesk-core {deprecation.removed_in} no longer has:"
            f" use {deprecation.instead}"
        )
        self.plugin = plugin
        self.symbol = symbol
        self.removed_in = deprecation.removed_in


@dataclass(frozen=True, slots=True)
class Deprecated:
    """A name that still works.

    Attributes:
        value: what it stands for.
        instead: what to use.
        since: the version that has both.
        removed_in: the first version without it: two minor versions and a year later at the earliest.
    """

    value: Any
    instead: str
    since: str
    removed_in: str


def finder(module: str, names: Mapping[str, Deprecated]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module that still has these names."""

    def find(name: str) -> Any:
        found = names.get(name)
        if found is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        frame = sys._getframe(1)  # noqa: SLF001 - whoever asks is who is told
        warn(str(frame.f_globals.get("__name__", "")), f"{module}.{name}", found, stacklevel=2)
        return found.value

    return find


def warn(module: str, symbol: str, deprecation: Deprecated, stacklevel: int = 2) -> None:
    """Warn that code in `module` uses `symbol`."""
    warnings.warn(HelpdeskDeprecationWarning(plugin_of(module), symbol, deprecation), stacklevel=stacklevel + 1)


def plugin_of(module: str) -> str:
    """Return the id of the plugin that a module belongs to, by its manifest; else the name of its package."""
    package = module.partition(".")[0]
    try:
        spec = find_spec(package)
        folder = Path(next(iter(spec.submodule_search_locations or ()))) if spec else Path()
        return str(tomllib.loads((folder / "plugin.toml").read_text(encoding="utf-8"))["id"])
    except (ImportError, ValueError, StopIteration, OSError, KeyError, tomllib.TOMLDecodeError):
        return package
