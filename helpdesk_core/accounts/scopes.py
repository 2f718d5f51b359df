"""Scopes of API keys: codes of permissions, `tickets:*` for all of a plugin, `*` for everything the owner may do."""

from collections.abc import Collection, Iterable

EVERYTHING = "*"


def covered(declared: Collection[str], scopes: Iterable[str]) -> frozenset[str]:
    """Return those of the `declared` codes of permissions that are within `scopes`."""
    wanted = frozenset(scopes)
    if EVERYTHING in wanted:
        return frozenset(declared)
    return frozenset(code for code in declared if code in wanted or _all_of(code) in wanted)


def unknown(declared: Collection[str], scopes: Iterable[str]) -> list[str]:
    """Return those of `scopes` that cover nothing there is, in their order."""
    known = {EVERYTHING, *declared, *(_all_of(code) for code in declared)}
    return [scope for scope in scopes if scope not in known]


def _all_of(code: str) -> str:
    return f"{code.partition(':')[0]}:*"
