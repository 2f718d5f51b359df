"""Write docs/reference/settings.md from `helpdesk_core.settings.Settings`.

uv run python tools/reference_settings.py
"""

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from helpdesk_core.settings import FILE, PREFIX, Settings

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "settings.md"
HEADING = f"""\
# Settings

<!-- Written by tools/reference_settings.py from helpdesk_core/settings.py; tests/test_settings.py keeps it current. -->

Each setting is a variable of the environment, or a line in `{FILE}` in the folder where `helpdesk` is started, in
lower case and without the prefix: `{PREFIX}LOG_LEVEL=warning` is `log_level = "warning"`. The environment wins. A
setting that is misspelt or out of range stops every command with a sentence that names it.

`helpdesk doctor --settings` shows those of an installation. Lists are separated by commas in the environment.
"""


def render() -> str:
    """Return the page."""
    return "\n".join([HEADING, *(section(name) for name in Settings.model_fields)])


def section(name: str) -> str:
    """Return what there is to know about one setting."""
    field = Settings.model_fields[name]
    text = " ".join((field.description or "").split())
    lines = [f"## `{PREFIX}{name.upper()}`", "", text, "", f"- Default: {shown(field.default)}"]
    if field.examples:
        lines.append(f"- Example: `{PREFIX}{name.upper()}={field.examples[0]}`")
    return "\n".join([*lines, ""])


def shown(value: Any) -> str:
    """Return a default as one would write it."""
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(plain, tuple):
        plain = ",".join(map(str, plain))
    return f"`{str(plain).lower() if isinstance(plain, bool) else plain}`" if plain not in {None, ""} else "empty"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
