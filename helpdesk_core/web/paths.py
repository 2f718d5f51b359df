"""From a path to its endpoint: a dictionary of first segments, then a small tree.

The cost does not grow with the number of plugins.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PARAMETER = re.compile(r"^\{(\w+)\}$")


@dataclass
class _Node:
    fixed: dict[str, "_Node"] = field(default_factory=dict)
    open: list[tuple[re.Pattern[str], str, "_Node"]] = field(default_factory=list)
    methods: dict[str, Any] = field(default_factory=dict)


class PathTree:
    """Endpoints by path and method. Fixed segments win over parameters; a final slash does not matter."""

    def __init__(self) -> None:
        """Start empty."""
        self._root = _Node()

    def add(self, method: str, path: str, patterns: Mapping[str, str], endpoint: Any) -> None:
        """Register `endpoint`; `ValueError` when method and path are taken."""
        node = self._root
        for segment in _segments(path):
            parameter = _PARAMETER.match(segment)
            if parameter is None:
                node = node.fixed.setdefault(segment, _Node())
            else:
                node = _open(node, parameter[1], patterns.get(parameter[1], "[^/]+"))
        if method in node.methods:
            raise ValueError(f"{method} {path} is declared twice")
        node.methods[method] = endpoint

    def find(self, path: str) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """Return the endpoints of `path` by method, empty when there is none, and its raw parameters."""
        found = _walk(self._root, _segments(path), 0, {})
        return found if found is not None else ({}, {})


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def _open(node: _Node, name: str, pattern: str) -> _Node:
    for known, known_name, child in node.open:
        if known.pattern == pattern and known_name == name:
            return child
    child = _Node()
    node.open.append((re.compile(pattern), name, child))
    return child


def _walk(
    node: _Node, segments: list[str], place: int, values: dict[str, str]
) -> tuple[Mapping[str, Any], Mapping[str, str]] | None:
    if place == len(segments):
        return (node.methods, values) if node.methods else None
    segment = segments[place]
    child = node.fixed.get(segment)
    if child is not None:
        found = _walk(child, segments, place + 1, values)
        if found is not None:
            return found
    for pattern, name, child in node.open:
        if pattern.fullmatch(segment):
            found = _walk(child, segments, place + 1, {**values, name: segment})
            if found is not None:
                return found
    return None
