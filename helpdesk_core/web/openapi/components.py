"""The document's components: schemas of all plugins under names that do not clash."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from helpdesk_core.web.openapi.generators import REF, Document


class Schemas:
    """Collects definitions. Equal ones are kept once; unequal ones of one name get different names."""

    def __init__(self) -> None:
        """Start empty."""
        self.named: dict[str, Document] = {}
        self._owners: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def adopt(self, schema: Document, definitions: Mapping[str, Document], owner: str, *, suffix: str = "") -> Document:
        """Add `definitions` and return `schema` with its references put right.

        Args:
            schema: refers to `definitions`.
            definitions: by their own names.
            owner: the plugin, which goes before a name that is taken.
            suffix: goes behind a name that the same plugin has taken.
        """
        renamed: dict[str, str] = {}
        fresh = []
        for name in _reached(schema, definitions):
            print_ = _fingerprint(name, definitions)
            if print_ not in self._names:
                self._names[print_] = self._free(_readable(name), owner, suffix)
                self.named[self._names[print_]] = {}
                self._owners[self._names[print_]] = owner
                fresh.append(name)
            renamed[name] = self._names[print_]
        for name in fresh:
            self.named[renamed[name]] = _rewritten(definitions[name], renamed)
        adopted: Document = _rewritten(schema, renamed)
        return adopted

    def _free(self, name: str, owner: str, suffix: str) -> str:
        own = f"{owner[:1].upper()}{owner[1:]}{name}"
        wanted = [name]
        if self._owners.get(name) == owner:
            wanted.append(f"{name}{suffix}")
        wanted += [own, f"{own}{suffix}", *(f"{own}{suffix}{number}" for number in range(2, len(self.named) + 3))]
        return next(each for each in wanted if each not in self.named)


def _readable(name: str) -> str:
    """Return `TicketReadPage` for `Page_TicketRead_`."""
    return f"{name[5:-1]}Page" if name.startswith("Page_") and name.endswith("_") else name


def _fingerprint(name: str, definitions: Mapping[str, Document]) -> str:
    """Return a text that is equal for definitions that mean the same, down to everything they refer to."""
    reached = {each: definitions[each] for each in _reached(definitions[name], definitions)}
    return json.dumps([name, definitions[name], reached], sort_keys=True, default=str)


def _reached(schema: Document, definitions: Mapping[str, Document]) -> list[str]:
    """Return the names of the definitions that a schema refers to, or they to each other."""
    reached: dict[str, None] = {}
    waiting = [schema]
    while waiting:
        for found in referred(waiting.pop()):
            if found not in reached and found in definitions:
                reached[found] = None
                waiting.append(definitions[found])
    return list(reached)


def referred(schema: Any) -> Iterator[str]:
    """Iterate over the names that a schema refers to."""
    if isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith(REF):
            yield reference.removeprefix(REF)
        for part in schema.values():
            yield from referred(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from referred(part)


def _rewritten(schema: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(schema, Mapping):
        return {
            key: REF + renamed.get(part.removeprefix(REF), part.removeprefix(REF))
            if key == "$ref" and isinstance(part, str)
            else _rewritten(part, renamed)
            for key, part in schema.items()
        }
    if isinstance(schema, list):
        return [_rewritten(part, renamed) for part in schema]
    return schema
