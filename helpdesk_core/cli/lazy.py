"""The one place where commands are imported: each pays for what it uses, and `helpdesk --help` for nothing."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


def load(name: str) -> ModuleType:
    """Return the module `name` of this package."""
    with without_collecting():
        return import_module(f"helpdesk_core.cli.{name}")


@contextmanager
def without_collecting() -> Iterator[None]:
    """Look for no garbage meanwhile: loading makes hardly any, and to look for it is a sixth of the work."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
