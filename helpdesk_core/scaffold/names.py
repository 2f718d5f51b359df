"""What a plugin can be called."""

import keyword
import re
import sys
from collections.abc import Iterable

from helpdesk_core.plugins.manifest import RESERVED

_FORM = re.compile(r"^[a-z][a-z0-9]{1,19}$")
_CORE = frozenset({"core", "helpdesk", "meta", "testing", "version"})
"""Names that would read as if they were the core's: `core_...` are its tables."""


class RefusedName(ValueError):
    """A plugin cannot have this name; the message says why."""


def check_name(name: str, taken: Iterable[str], segments: Iterable[str]) -> None:
    """Raise `RefusedName` unless a new plugin can be called `name`.

    Args:
        name: what its author wants to call it.
        taken: ids of the plugins that there are.
        segments: first path segments that these plugins own.
    """
    if not _FORM.match(name):
        raise RefusedName(
            f"{name!r} is no id of a plugin: it has 2 to 20 lower-case letters and digits, and begins with a letter."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise RefusedName(f"{name!r} is a word of Python, and makes a poor name.")
    if name in RESERVED | _CORE or name in sys.stdlib_module_names:
        raise RefusedName(f"{name!r} belongs to the core or to Python: choose another name.")
    if name in set(taken):
        raise RefusedName(f"there is a plugin {name!r} already.")
    if name in set(segments):
        raise RefusedName(f"paths below /api/v1/{name}/ belong to another plugin: choose another name.")
