"""JSON Schema of Python types, as exact as what the server accepts and answers.

Pydantic knows most of it. What it cannot see is inside our own validators: text without NUL, lines that are not
blank, bounds that a bare date may state, words separated by commas.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from helpdesk_core.clock import api_time
from helpdesk_core.docstrings import field_docstrings

Document = dict[str, Any]
"""A part of an OpenAPI document."""

REF = "#/components/schemas/"
NO_NUL: Document = {"not": {"pattern": "\\u0000"}}
NOT_BLANK: Document = {"minLength": 1, "not": {"pattern": "^\\s*$|\\u0000"}}
INSTANT: Document = {"type": "string", "format": "date-time"}
JSON_NUMBER = 2**63 - 1
JSON_VALUE = "JsonValue"
ANY_JSON: Document = {
    "description": "Any JSON, at most 20 levels deep.",
    "anyOf": [
        {"type": ["null", "boolean"]},
        {"type": "number", "minimum": -JSON_NUMBER, "maximum": JSON_NUMBER},
        {"type": "string", **NO_NUL},
        {"type": "array", "items": {"$ref": REF + JSON_VALUE}},
        {"type": "object", "propertyNames": NO_NUL, "additionalProperties": {"$ref": REF + JSON_VALUE}},
    ],
}
"""What a `JsonObject` may hold."""


def schema_of(annotation: Any, mode: "Mode") -> tuple[Document, dict[str, Document]]:
    """Return the schema of a type, and the definitions that it refers to by `#/components/schemas/...`."""
    wanted: tuple[str, JsonSchemaMode, TypeAdapter[Any]] = (
        "", "serialization" if mode == "answer" else "validation", TypeAdapter(annotation)
    )  # fmt: skip
    schemas, rest = TypeAdapter.json_schemas([wanted], ref_template=REF + "{model}", schema_generator=_GENERATORS[mode])
    schema, definitions = schemas["", wanted[1]], rest.get("$defs", {})
    if REF + JSON_VALUE in str((schema, definitions)):
        definitions[JSON_VALUE] = ANY_JSON
    return schema, definitions


def name_in(reference: Document) -> str:
    """Return the name of the definition that a `$ref` points to."""
    return str(reference["$ref"]).removeprefix(REF)


class _Plain(GenerateJsonSchema):
    """Leaves out what only repeats the name, and defaults that say nothing (an omitted field is not a null one)."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Describe fields by the text below them."""
        found = super().model_schema(schema)
        fields, properties = schema["cls"].model_fields, found.get("properties", {})
        for name, text in field_docstrings(schema["cls"]).items():
            shown = properties.get(fields[name].alias or name) if name in fields else None
            if shown is not None:
                shown.setdefault("description", text)
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


class _Answers(_Plain):
    def ser_schema(self, schema: Any) -> JsonSchemaValue | None:
        if schema.get("function") is api_time:
            return dict(INSTANT)
        return super().ser_schema(schema)


def _name_of(schema: Any) -> str:
    return getattr(schema["function"]["function"], "__name__", "")


class _Bodies(_Plain):
    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        """Refuse NUL everywhere: no column takes it, so that no field may."""
        found = super().str_schema(schema)
        return found if found.keys() & {"pattern", "format"} else {**found, **NO_NUL}

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        found = super().function_after_schema(schema)
        refine = _REFINED.get(_name_of(schema))
        return refine(found) if refine else found

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return _any_json_object(super().model_schema(schema))

    def chain_schema(self, schema: core_schema.ChainSchema) -> JsonSchemaValue:
        """Join the steps: Pydantic tells the first alone, but a pattern that follows a validator is the second."""
        steps = [self.generate_inner(step) for step in schema["steps"]]
        if any(step.get("type") != steps[0].get("type") for step in steps):
            return steps[0]
        return {name: part for step in reversed(steps) for name, part in step.items()}


def _any_json_object(found: Document) -> Document:
    if found.get("additionalProperties") is not True:
        return found
    return {**found, "propertyNames": NO_NUL, "additionalProperties": {"$ref": REF + JSON_VALUE}}


_REFINED: Mapping[str, Callable[[Document], Document]] = {
    "_not_blank": lambda found: {**found, **NOT_BLANK},
    "_storable_json": _any_json_object,
}
"""What validators of `helpdesk_core.schemas` refuse beyond the type they validate."""


class _Queries(_Bodies):
    """Describes what values mean: a list where the text has commas, a bound where it may be a bare date."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        found = self.generate_inner(schema["schema"])
        if _name_of(schema) == "_end_of_day":
            return {"anyOf": [found, {"type": "string", "format": "date"}]}
        return found

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


Mode = Literal["answer", "body", "query"]
_GENERATORS: Mapping[str, type[GenerateJsonSchema]] = {"answer": _Answers, "body": _Bodies, "query": _Queries}
