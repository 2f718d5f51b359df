"""Write docs/reference/permissions.md from what the core and the plugins of this tree declare.

uv run python tools/reference_permissions.py
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from helpdesk_core.assembly import declared_endpoints
from helpdesk_core.permissions import PLATFORM, ROLES, Permission
from helpdesk_core.plugins import PluginHost, load_plugins
from helpdesk_core.web.routing import Endpoint

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "permissions.md"
COLUMNS = (*ROLES, PLATFORM)
HEADING = """\
# Permissions and roles

<!-- Written by tools/reference_permissions.py; tests/guards/test_permissions_reference.py keeps it current. -->

What each built-in role may do, and what each operation asks for. An organisation's own roles have any of the
permissions below except those of platform administrators. Everybody reads only what their permissions let them see:
what they cannot see is unknown to them (404), what they see but may not do is refused (403).
"""
OPERATIONS = """\
## Operations

Where two permissions are named, the first one opens the door and the second is asked for once the caller has proved to
see the object.
"""


def render(host: PluginHost) -> str:
    """Return the page."""
    declared = [permission for _, permission in host.declared("register_permissions")]
    endpoints = declared_endpoints(host)
    return "\n".join(
        [HEADING, "## Permissions", "", *permissions(declared), "", OPERATIONS, *operations(endpoints), ""]
    )  # fmt: skip


def permissions(declared: Iterable[Permission]) -> Iterator[str]:
    """Iterate over the lines of the table of permissions."""
    yield row("Permission", "Allows to", *COLUMNS)
    yield row(*["---"] * (2 + len(COLUMNS)))
    for permission in declared:
        yield row(f"`{permission.code}`", permission.title, *marks(permission))


def operations(endpoints: Iterable[Endpoint]) -> Iterator[str]:
    """Iterate over the lines of the table of operations."""
    yield row("Operation", "Needs", *COLUMNS)
    yield row(*["---"] * (2 + len(COLUMNS)))
    for endpoint in endpoints:
        wanted = [each for each in (endpoint.permission, endpoint.needs) if each is not None]
        needs = " and ".join(f"`{permission.code}`" for permission in wanted) or "nothing: it is public"
        reached = ["x" if all(allowed(role, each) for each in wanted) else "" for role in COLUMNS]
        yield row(f"{endpoint.method} {endpoint.path}", needs, *reached)


def marks(permission: Permission) -> Iterator[str]:
    """Iterate over the columns' marks."""
    yield from ("x" if allowed(role, permission) else "" for role in COLUMNS)


def allowed(role: str, permission: Permission) -> bool:
    """Tell whether a role has a permission; platform administrators are administrators of their organisation, too."""
    return role in permission.roles or (role == PLATFORM and "admin" in permission.roles)


def row(*cells: str) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")


if __name__ == "__main__":
    TARGET.write_text(render(load_plugins()), encoding="utf-8")
