"""Write docs/reference/api.md: every name that plugins may import, with its signature.

uv run python tools/reference_api.py
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpdesk_core import api
from helpdesk_core.plugins.manifest import CONTRACT

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "api.md"
HEADING = f"""\
# What plugins import

<!-- Written by tools/reference_api.py; tests/guards/test_api_reference.py keeps it current. -->

`helpdesk_core.api` is the one module of the core that plugins import from, and this is all of it. It is plugin contract
{CONTRACT}, the `api` of a manifest. Names are added in minor versions. One is removed only after it has been deprecated
for a year and two minor versions, with a warning that names the plugin, the name, what replaces it and the version that
is without it; a change that plugins have to follow makes it contract {CONTRACT + 1}.
"""


def render() -> str:
    """Return the page."""
    return "\n".join([HEADING, *entries(), *deprecated()]) + "\n"


def entries() -> Iterator[str]:
    """Iterate over the lines of every name."""
    for name in sorted(api.__all__, key=str.lower):
        yield f"- {signature(name, getattr(api, name))}{summary(getattr(api, name))}"


def deprecated() -> Iterator[str]:
    """Iterate over the lines of what is on its way out."""
    if api.DEPRECATED:
        yield "\n## Deprecated\n"
    for name, found in sorted(api.DEPRECATED.items()):
        yield f"- `{name}`: use {found.instead}; gone in {found.removed_in}"


def signature(name: str, value: Any) -> str:
    """Return a name as it is called."""
    if inspect.isfunction(value):
        found = inspect.signature(value)
        parameters = [each.replace(annotation=each.empty) for each in found.parameters.values()]
        return f"`{name}{found.replace(parameters=parameters, return_annotation=found.empty)}`"
    return f"`class {name}`" if inspect.isclass(value) else f"`{name}`"


def summary(value: Any) -> str:
    """Return the first sentence of its docstring, if it has one of its own."""
    if not (inspect.isfunction(value) or inspect.isclass(value)):
        return ""
    told = inspect.getdoc(value) if "__doc__" not in vars(value) or vars(value)["__doc__"] else None
    first = " ".join((told or "").split("\n\n")[0].split())
    return f": {first}" if first else ""


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
