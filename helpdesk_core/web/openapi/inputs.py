"""What an operation takes: parameters, headers and bodies."""

from collections.abc import Iterator

from helpdesk_core.schemas import Schema
from helpdesk_core.web.openapi.components import Schemas
from helpdesk_core.web.openapi.generators import Document, name_in, schema_of
from helpdesk_core.web.openapi.orderings import ordering_of
from helpdesk_core.web.openapi.samples import sample_of
from helpdesk_core.web.requests import FORM, JSON, MULTIPART
from helpdesk_core.web.routing import Endpoint, PathParameter

_PRINTABLE = "^[!-~¡-¬®-ÿ]([ -~¡-¬®-ÿ]*[!-~¡-¬®-ÿ])?$"

HEADERS: dict[str, Document] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A request that is sent again with its key gets the first answer again, and happens once.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": _PRINTABLE},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The `ETag` that was read, or `*`: 412 if the resource has changed since.",
        "schema": {"type": "string"},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` that was read: 304 without a body if nothing has changed.",
        "schema": {"type": "string"},
    },
}


def parameters_of(endpoint: Endpoint, schemas: Schemas) -> list[Document]:
    """Return the parameters of an operation."""
    found = [_path_parameter(parameter, endpoint, schemas) for parameter in endpoint.parameters]
    if endpoint.query is not None:
        found += _query_parameters(endpoint.query, endpoint, schemas)
    if endpoint.include is not None:
        found.append(_include(endpoint.include))
    return found + [{"$ref": f"#/components/parameters/{name}"} for name in _header_names(endpoint)]


def _header_names(endpoint: Endpoint) -> Iterator[str]:
    if endpoint.method == "POST" and not endpoint.public:
        yield "IdempotencyKey"
    elif endpoint.method in {"PUT", "PATCH", "DELETE"}:
        yield "IfMatch"
    elif gives_etag(endpoint):
        yield "IfNoneMatch"


def gives_etag(endpoint: Endpoint) -> bool:
    """Tell whether the answer is one resource, which has a tag."""
    options = getattr(endpoint.answer, "__args__", (endpoint.answer,))
    return all(isinstance(option, type) and issubclass(option, Schema) for option in options)


def _path_parameter(parameter: PathParameter, endpoint: Endpoint, schemas: Schemas) -> Document:
    schema, definitions = schema_of(parameter.adapter._type, "query")  # noqa: SLF001 - not told otherwise
    schema = schemas.adopt(schema, definitions, endpoint.plugin)
    if schema.get("type") == "string" and not schema.keys() & {"pattern", "format", "enum"}:
        schema = {**schema, "pattern": f"^{parameter.pattern}$"}
    return {"name": parameter.name, "in": "path", "required": True, "schema": schema}


def _query_parameters(query: type[Schema], endpoint: Endpoint, schemas: Schemas) -> Iterator[Document]:
    schema, definitions = schema_of(query, "query")
    own = definitions.pop(name_in(schema))
    own = schemas.adopt(own, definitions, endpoint.plugin)
    for name, found in own.get("properties", {}).items():
        parameter = (ordering_of(endpoint) if name == "ordering" else None) or _query_parameter(name, found)
        if name in own.get("required", ()):
            parameter["required"] = True
        yield parameter
        for other in (spelling for spelling, meant in query.spellings.items() if meant == name):
            yield {
                **_query_parameter(other, found),
                "description": f"Another name of `{name}`; give one of them.",
                "x-alias-of": name,
            }


def _query_parameter(name: str, schema: Document) -> Document:
    schema = dict(schema)
    description = schema.pop("description", None)
    parameter: Document = {"name": name, "in": "query", "schema": schema}
    if description:
        parameter["description"] = description
    if schema.get("type") == "array":
        parameter |= {"style": "form", "explode": False}
    return parameter


def _include(optional: type[Schema]) -> Document:
    return {
        "name": "include",
        "in": "query",
        "description": "Fields to show beyond the documented ones, separated by commas.",
        "schema": {
            "type": "array",
            "items": {"type": "string", "enum": list(optional.model_fields)},
            "minItems": 1,
            "uniqueItems": True,
        },
        "style": "form",
        "explode": False,
    }


def body_of(endpoint: Endpoint, schemas: Schemas) -> Document | None:
    """Return the request body of an operation; nothing when it takes none."""
    if endpoint.upload is not None:
        file = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
        return {"required": True, "content": {MULTIPART: {"schema": file}}}
    if endpoint.body is None:
        return None
    schema, definitions = schema_of(endpoint.body, "body")
    own = definitions[name_in(schema)]
    if endpoint.method in {"PUT", "PATCH"}:
        own = _without_defaults(own)
    definitions[name_in(schema)] = tolerant(own, endpoint.body)
    content: Document = {"schema": schemas.adopt(schema, definitions, endpoint.plugin, suffix="Input")}
    if endpoint.body.spellings:
        content["example"] = sample_of(own, definitions)  # one made by a tool would have every spelling
    media = [JSON, FORM] if endpoint.form else [JSON]
    return {"required": bool(own.get("required")), "content": dict.fromkeys(media, content)}


def _without_defaults(schema: Document) -> Document:
    """Return the schema of an update: what is left out stays as it is (rule R8)."""
    properties = schema.get("properties", {}).items()
    kept = {name: {key: part for key, part in found.items() if key != "default"} for name, found in properties}
    return {**schema, "properties": kept}


def tolerant(schema: Document, declared: type[Schema]) -> Document:
    """Return the schema of a body with what `read_body` accepts beside the fields themselves.

    Other spellings are properties of their own; a body that has several must say the same in each, which a schema
    cannot express. What can only be read is taken and ignored.
    """
    properties = dict(schema.get("properties", {}))
    required = list(schema.get("required", ()))
    groups: dict[str, list[str]] = {}
    for spelling, name in declared.spellings.items():
        groups.setdefault(name, [name]).append(spelling)
        properties[spelling] = {**properties.get(name, {}), "description": f"Another name of `{name}`."}
    rules = [{"anyOf": [{"required": [each]} for each in names]} for name, names in groups.items() if name in required]
    found: Document = {**schema, "properties": properties}
    found.pop("required", None)
    if left := [name for name in required if name not in groups]:
        found["required"] = left
    if rules:
        found["allOf"] = [*schema.get("allOf", ()), *rules]
    ignored = sorted(declared.read_only - properties.keys())
    if ignored and schema.get("additionalProperties") is False:
        found["patternProperties"] = {f"^({'|'.join(ignored)})$": {"description": "Read-only: taken and ignored."}}
    return found
