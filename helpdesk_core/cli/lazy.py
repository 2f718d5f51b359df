"""The one place where commands are imported: each pays for what it uses, and `helpdesk --help` for nothing."""

from importlib import import_module
from types import ModuleType

from helpdesk_core.garbage import without_collecting


def load(name: str) -> ModuleType:
    """Return the module `name` of this package."""
    with without_collecting():
        return import_module(f"helpdesk_core.cli.{name}")
