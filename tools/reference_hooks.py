"""Write docs/reference/hooks.md from the hooks of the core and those that the plugins of this tree declare.

uv run python tools/reference_hooks.py
"""

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from helpdesk_core import hookspecs
from helpdesk_core.plugins import LifeCycleContext, PluginHost, PluginNames, load_plugins

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "hooks.md"
HEADING = """\
# Hooks

<!-- Written by tools/reference_hooks.py; tests/guards/test_hooks_reference.py keeps it current. -->

What a plugin can implement in its `plugin.py`. `hookimpl` marks the function, and the function has the hook's name:

```python
from helpdesk_core.api import hookimpl


@hookimpl
def register_routes():
    return [router]
```

Every `register_...` is called once, when a process starts, in the order of dependencies. It returns a list or a tuple
of declarations, and connects to nothing, opens nothing and writes nothing. Hooks are plain functions: a coroutine, a
wrapper, a name that no hook has and an argument that the hook does not give all make the plugin `failed`, with the
reason. An implementation takes those of the arguments that it needs, by their names. `tryfirst` and `trylast` change
nothing.
"""
GROUPS = {
    "What is stored, and who may do what": (
        "register_models",
        "register_permissions",
        "register_organization_settings",
        "register_demo_data",
    ),
    "Requests and pages": (
        "register_routes",
        "register_pages",
        "register_authenticators",
        "register_services",
    ),
    "Work beside requests": (
        "register_events",
        "register_event_handlers",
        "register_jobs",
        "register_commands",
    ),
    "What others see": (
        "register_resources",
        "register_notification_kinds",
        "register_metrics",
        "register_hookspecs",
    ),
    "Life cycle": (
        "on_enable",
        "on_disable",
        "on_uninstall",
        "forget_plugin",
    ),
}  # fmt: skip
LIFE_CYCLE = """\
These are called when something happens to the plugin, in a transaction that whoever calls them commits. They return
nothing. [docs/plugins.md](../plugins.md) tells when operators cause them.
"""
OF_PLUGINS = """\
## Hooks of the plugin `{plugin}`

Implement them with `@hookimpl(optionalhook=True)`: `{plugin}` need not be installed.
"""


def render(host: PluginHost) -> str:
    """Return the page."""
    given = (described(kind) for kind in (LifeCycleContext, PluginNames))
    return "\n".join([HEADING, *of_the_core(), "## What hooks are given\n", *given, *of_plugins(host)])


def of_the_core() -> Iterator[str]:
    """Iterate over the groups of the core's hooks."""
    found = dict(hooks(hookspecs))
    listed = [name for names in GROUPS.values() for name in names]
    if sorted(listed) != sorted(found):
        raise LookupError(f"in no group, or no hook: {', '.join(sorted({*listed} ^ {*found}))}")
    for title, names in GROUPS.items():
        yield f"## {title}\n"
        if title == "Life cycle":
            yield LIFE_CYCLE
        yield from (section(name, found[name]) for name in names)


def of_plugins(host: PluginHost) -> Iterator[str]:
    """Iterate over the hooks that plugins declare."""
    declared: dict[str, list[ModuleType]] = {}
    for plugin, module in host.declared("register_hookspecs"):
        declared.setdefault(plugin.id, []).append(module)
    for plugin_id, modules in declared.items():
        yield OF_PLUGINS.format(plugin=plugin_id)
        yield from (section(name, hook) for module in modules for name, hook in hooks(module))


def described(kind: type) -> str:
    """Return what is told of a class whose objects hooks are given: its attributes and its methods."""
    title, _, attributes = (inspect.getdoc(kind) or "").partition("\n\nAttributes:\n")
    lines = [re.sub(r"^(\w+):", r"- `\1`:", line) for line in inspect.cleandoc(attributes).splitlines()]
    for name, value in vars(kind).items():
        if inspect.isfunction(value) and not name.startswith("_"):
            names = ", ".join(each for each in inspect.signature(value).parameters if each != "self")
            lines.append(f"- `{name}({names})`: {textwrap.indent(inspect.getdoc(value) or '', '  ').lstrip()}")
    return f"### `{kind.__name__}`\n\n{title}\n\n" + "\n".join(lines) + "\n"


def hooks(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Iterate over the hooks of a module, in the order of their declaration."""
    return ((name, value) for name, value in vars(module).items() if hasattr(value, "helpdesk_spec"))


def section(name: str, hook: Any) -> str:
    """Return what is told of one hook."""
    return f"### `{name}`\n\n```python\n{name}{signature(hook)}\n```\n\n{inspect.getdoc(hook)}\n"


def signature(hook: Any) -> str:
    """Return a signature as it is written in the source: types without their modules, and none in quotes."""
    found = inspect.signature(hook)
    parameters = (f"{each.name}: {written(each.annotation)}" for each in found.parameters.values())
    return f"({', '.join(parameters)}) -> {written(found.return_annotation)}"


def written(annotation: Any) -> str:
    """Return an annotation as it is written."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:collections\.abc|typing)\.", "", text)


if __name__ == "__main__":
    TARGET.write_text(render(load_plugins()), encoding="utf-8")
