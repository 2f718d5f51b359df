"""The manifest of a plugin, `plugin.toml`: read without importing the plugin's code."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

TIERS = ("free", "basic", "professional", "enterprise")
"""Subscription tiers, from the lowest."""

CONTRACT = 1
"""Number of the plugin contract; it changes only when plugins must change."""

RESERVED = frozenset({"api", "assets", "healthz", "readyz", "metrics", "ws"})
"""First path segments that no plugin's pages can have."""

CORE_IDS = frozenset({"core", "helpdesk"})
"""Ids that no plugin can have: the names of the core's own tables begin with them."""

_ID = re.compile(r"[a-z][a-z0-9]{1,19}")
_SEGMENT = re.compile(r"^[a-z0-9][a-z0-9-]*$")
_PREFIX = re.compile(r"^(meta/)?(?!meta$)[a-z0-9][a-z0-9-]*$")
"""Below `meta/`, where lists to choose from are, every plugin may have paths; no plugin owns it."""


class BadManifest(Exception):
    """A manifest that cannot be used; the message says why."""


def is_plugin_id(value: str) -> bool:
    """Tell whether a plugin can be called this."""
    return _ID.fullmatch(value) is not None and value not in CORE_IDS


def _id(value: str) -> str:
    if value in CORE_IDS:
        raise ValueError(f"{value} belongs to the core")
    return value


def _specifier(value: str) -> str:
    try:
        SpecifierSet(value)
    except InvalidSpecifier as error:
        raise ValueError(str(error)) from None
    return value


def _prefixes(value: tuple[str, ...]) -> tuple[str, ...]:
    return _checked(value, _PREFIX)


def _page_segments(value: tuple[str, ...]) -> tuple[str, ...]:
    taken = RESERVED.intersection(value)
    if taken:
        raise ValueError(f"{', '.join(sorted(taken))} belongs to the core")
    return _checked(value, _SEGMENT)


def _checked(segments: tuple[str, ...], form: re.Pattern[str]) -> tuple[str, ...]:
    for segment in segments:
        if not form.match(segment):
            raise ValueError(f"{segment!r} is not a path segment of lower-case letters, digits and hyphens")
    return segments


class Manifest(BaseModel):
    """What the host must know of a plugin before it imports it.

    Attributes:
        id: prefix of its tables, permissions and commands; also the name of its entry point. Without underscores,
            so that no id can be the beginning of another's table name.
        name: for people.
        api: number of the plugin contract that it was written for.
        core: versions of the core that it works with.
        requires: ids of plugins that must be there.
        after: ids of plugins that come first if they are there.
        tier: the lowest subscription tier that may enable it.
        prefixes: first path segments below `/api/v1/` that it owns, and `meta/<name>` for lists to choose from.
        pages: first path segments of HTML pages that it owns, `help` for `/help/...`.
        scope: `organization` plugins can be switched off by each organisation, `system` plugins are always on.
        essential: the process does not start without it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=f"^{_ID.pattern}$"), AfterValidator(_id)]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    api: int
    core: Annotated[str, AfterValidator(_specifier)] = ""
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    tier: Literal["free", "basic", "professional", "enterprise"] = "free"
    prefixes: Annotated[tuple[str, ...], AfterValidator(_prefixes)] = ()
    pages: Annotated[tuple[str, ...], AfterValidator(_page_segments)] = ()
    scope: Literal["organization", "system"] = "organization"
    essential: bool = False


def read_manifest(folder: Path) -> Manifest:
    """Read `plugin.toml` in `folder`; `BadManifest` says what is wrong with it."""
    path = folder / "plugin.toml"
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BadManifest("plugin.toml is missing") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadManifest(f"plugin.toml cannot be read: {error}") from None
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadManifest(f"plugin.toml: {'; '.join(problems)}") from None
