"""Settings of organisations: what plugins declare is checked and has defaults, anything else is kept as it is.

What the core declares stands at the top of the object, what a plugin declares under the plugin's id:

    {"timezone": "Europe/Zurich", "oncall": {"rotation_days": 7}, "theme": "of a client of ours"}
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from helpdesk_core.errors import FieldError, Invalid
from helpdesk_core.schemas import JsonObject

LARGEST = 16_384
"""Bytes of the whole object as JSON."""
DEEPEST = 10
"""Objects and lists within each other, the settings themselves counted."""

_STORABLE: TypeAdapter[dict[str, Any]] = TypeAdapter(JsonObject)


class OrganizationSettings:
    """Every declared key of the settings of organisations."""

    def __init__(self, top: Iterable[type[BaseModel]], below: Mapping[str, Iterable[type[BaseModel]]]) -> None:
        """Keep the schemas.

        Args:
            top: of the keys that stand at the top.
            below: of the keys that stand under a plugin's id, by that id.
        """
        self._top = tuple(top)
        self._below = {plugin: tuple(schemas) for plugin, schemas in below.items() if schemas}

    def checked(self, settings: Mapping[str, Any], *, within: str = "") -> dict[str, Any]:
        """Return the settings as they are stored: declared keys in their one form, without those that are null.

        Args:
            settings: as they would be afterwards, all of them.
            within: the field of the request that they came in; errors name their keys below it.

        Raises:
            Invalid: a declared key is wrong, or the whole is too large or too deep (400).
        """
        prefix = f"{within}." if within else ""
        _refuse_unstorable(settings, within or "settings")
        problems: list[FieldError] = []
        stored = _read(self._top, settings, prefix, problems)
        for plugin, schemas in self._below.items():
            part = stored.pop(plugin, None)
            if isinstance(part, Mapping):
                stored[plugin] = _read(schemas, part, f"{prefix}{plugin}.", problems)
            elif part is not None:
                problems.append(FieldError(f"{prefix}{plugin}", "This must be an object."))
        if problems:
            raise Invalid(errors=problems)
        return stored

    def effective(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings as they apply: what is declared and not set has its default."""
        filled = {**_defaults(self._top), **stored}
        for plugin, schemas in self._below.items():
            part = stored.get(plugin)  # may be anything, if it was stored before the plugin came
            filled[plugin] = {**_defaults(schemas), **(part if isinstance(part, Mapping) else {})}
        return filled


def _read(
    schemas: Iterable[type[BaseModel]], given: Mapping[str, Any], prefix: str, problems: list[FieldError]
) -> dict[str, Any]:
    """Return `given` with the declared keys as their schemas have them; what is wrong is added to `problems`."""
    stored = dict(given)
    for schema in schemas:
        declared = {name: stored.pop(name) for name in schema.model_fields if name in stored}
        present = {name: value for name, value in declared.items() if value is not None}
        try:
            read = schema.model_validate_json(orjson.dumps(present))
        except ValidationError as error:
            problems += _told(error, prefix)
        else:
            stored |= read.model_dump(mode="json", include=set(present))
    return stored


def _told(error: ValidationError, prefix: str) -> list[FieldError]:
    found: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        message = problem["msg"] if problem["msg"].endswith(".") else f"{problem['msg']}."
        found.setdefault(prefix + ".".join(str(part) for part in problem["loc"]), message)
    return [FieldError(name, message) for name, message in found.items()]


def _defaults(schemas: Iterable[type[BaseModel]]) -> dict[str, Any]:
    return {name: value for schema in schemas for name, value in schema().model_dump(mode="json").items()}


def _refuse_unstorable(settings: Mapping[str, Any], field: str) -> None:
    if _depth(settings) > DEEPEST:  # before anything that walks down by itself
        raise Invalid.field(field, "This is nested too deeply.")
    try:
        _STORABLE.validate_python(dict(settings))
    except ValidationError as error:
        raise Invalid.field(field, error.errors()[0]["msg"]) from None
    if len(orjson.dumps(settings)) > LARGEST:
        raise Invalid.field(field, "Settings may have at most 16 kB.")


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, Mapping | list)]:
        depth += 1
        level = [part for each in level for part in (each.values() if isinstance(each, Mapping) else each)]
    return depth
