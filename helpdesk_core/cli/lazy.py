"""The one place where modules are imported late: a command pays for what it uses, and `helpdesk --help` for nothing."""

from importlib import import_module
from types import ModuleType


def load(name: str) -> ModuleType:
    """Return the module `name` of this package."""
    return import_module(f"helpdesk_core.cli.{name}")
