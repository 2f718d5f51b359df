"""Write docs/reference/test-kit.md from the fixtures and the conformance checks of the core.

uv run python tools/reference_test_kit.py
"""

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from _pytest.fixtures import FixtureFunctionDefinition

from helpdesk_core import pytest_plugin
from helpdesk_core.testing import CHECKS, Client, Installation, PluginConformance, Published, Scratch, TestClock

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "test-kit.md"
HEADING = """\
# The test kit

<!-- Written by tools/reference_test_kit.py; tests/guards/test_test_kit_reference.py keeps it current. -->

`pip install 'helpdesk-core[testing]'` brings pytest, which finds the fixtures below by itself. Nothing of the core is
loaded before a test asks for one. Classes, and the clock's `START`, are imported from `helpdesk_core.testing`.

Tests see every plugin that is installed, unless they say which ones they are about:

```toml
[tool.pytest.ini_options]
helpdesk_plugins = "oncall"
```

Then there are the built-in plugins, `oncall` and what it requires; several ids stand between spaces, none means the
built-in ones alone. The database is SQLite, or PostgreSQL when `HELPDESK_TEST_POSTGRES_URL` names a server on which
databases may be created.

## Fixtures
"""
SUITE = """\
## The conformance suite

{text}

Where a promise cannot be kept, `exceptions = {{"tables_belong_to_organizations": "rates are the same for all"}}` leaves
a check out and shows the reason. `helpdesk plugin check FOLDER` runs the same checks on a plugin that need not be
installed, and without a test: a line for each, `--json` for machines; it exits with 1 if anything is wrong.

| Check | Promise |
| --- | --- |
"""
CLASSES = (Installation, Client, TestClock, Published, Scratch)
ASKED_BY_OTHERS = {"helpdesk_conformance"}


def render() -> str:
    """Return the page."""
    text = inspect.getdoc(PluginConformance) or ""
    parts = [HEADING, *fixtures(), "## What fixtures return\n", *classes()]
    parts.append(SUITE.format(text=markdown(text.partition("\nAttributes:")[0])) + "\n".join(checks()) + "\n")
    return "\n".join(parts)


def fixtures() -> Iterator[str]:
    """Iterate over the sections of the fixtures, in the order of their declaration."""
    for name, value in vars(pytest_plugin).items():
        if isinstance(value, FixtureFunctionDefinition) and name not in ASKED_BY_OTHERS:
            function = value._get_wrapped_function()  # noqa: SLF001 - pytest has no other way to what it wraps
            yield f"### `{name}`: {returned(function.__annotations__['return'])}\n"
            yield markdown(inspect.getdoc(function) or "") + "\n"


def classes() -> Iterator[str]:
    """Iterate over the sections of what fixtures return."""
    for kind in CLASSES:
        yield f"### `{kind.__name__}`\n"
        yield "\n".join(members(kind)) + "\n"


def members(kind: type) -> Iterator[str]:
    """Iterate over a line for each public method and property, with the first sentence of its docstring."""
    for name, value in vars(kind).items():
        if name.startswith("_") or not (inspect.isfunction(value) or isinstance(value, property)):
            continue
        title = (inspect.getdoc(value) or "").split("\n\n")[0].replace("\n", " ")
        signature = "" if isinstance(value, property) else parameters(value)
        yield f"- `{name}{signature}`: {title}"


def parameters(function: object) -> str:
    """Return the parameters of a method without their types."""
    found = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    names = (str(each.replace(annotation=inspect.Parameter.empty)) for each in found if each.name != "self")
    return f"({', '.join(names)})"


def checks() -> Iterator[str]:
    """Iterate over the rows of the table of checks."""
    for check in CHECKS:
        promise = (inspect.getdoc(check.look) or "").split("\n\n")[0].replace("\n", " ")
        yield f"| `{check.name}` | {promise} |"


def returned(annotation: object) -> str:
    """Return the type that a fixture gives to a test, as text."""
    text = annotation if isinstance(annotation, str) else str(annotation)
    found = re.fullmatch(r"Iterator\[(.+)\]", text)
    return f"`{(found[1] if found else text).replace('collections.abc.', '')}`"


def markdown(text: str) -> str:
    """Return a docstring with its indented examples as blocks of Python."""
    parts = []
    for paragraph in re.split(r"\n\n(?=\S|    \S)", text):
        if paragraph.startswith(
            ("    ", "def ", "class ")
        ):  # a docstring that ends in an example has lost its indentation
            parts.append(f"```python\n{textwrap.dedent(paragraph).rstrip()}\n```")
        else:
            parts.append(paragraph)
    return "\n\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
