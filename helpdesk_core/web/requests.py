"""The request as the unit of work sees it: read once on the event loop, then plain data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import UploadFile

from helpdesk_core.errors import BadRequest, FieldError, HelpdeskError, Invalid, UnsupportedMediaType
from helpdesk_core.schemas import Dialect, Schema, nearest

SchemaT = TypeVar("SchemaT", bound=Schema)

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


_numbers = Random()  # noqa: S311 - names tell requests apart and are no secret


def new_request_id() -> str:
    """Return `req_` and 18 random digits.

    Not from the system's source: asking it lets go of the interpreter, and the event loop would have to wait for it
    again among all threads.
    """
    return f"req_{_numbers.getrandbits(64) % 10**18:018d}"


@dataclass(frozen=True, slots=True)
class Incoming:
    """One HTTP request.

    Attributes:
        request_id: ours, `req_` and digits.
        method: in capitals.
        path: below the mount, decoded, `/tickets/5/`.
        query: the raw query string.
        headers: by lower-case name; of repeated headers the last.
        body: the raw body; empty for multipart uploads.
        base_url: scheme and host to build links with, `https://help.example.com`.
        address: of the client, as far as trusted proxies tell.
        path_values: raw values of the path's parameters.
        upload: the file of a multipart request.
    """

    request_id: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    address: str
    path_values: Mapping[str, str] = field(default_factory=dict)
    upload: UploadFile | None = None

    @property
    def media_type(self) -> str:
        """Return the content type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def query_values(query: str) -> dict[str, str]:
    """Return the query's parameters; a repeated one means any of its values, as a comma does."""
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def read_query(schema: type[SchemaT], values: Mapping[str, str], dialect: Dialect) -> SchemaT:
    """Validate query parameters; unknown ones are refused with the known ones named (decision D1)."""
    known = [*schema.model_fields, *schema.spellings]
    for name in values:
        if name not in known:
            near = nearest(name, known)
            hint = f" Did you mean {near}?" if near else ""
            raise Invalid.field(name, f"Unknown parameter.{hint} Known: {', '.join(sorted(known))}.")
    named, spelled = _one_spelling(schema, values)
    try:
        return schema.model_validate_strings(named)
    except ValidationError as error:
        raise _invalid(error, spelled, schema, dialect) from None


def read_body(schema: type[Schema], incoming: Incoming, dialect: Dialect, *, form: bool) -> Schema:
    """Validate the body.

    Input is tolerant of both documents' names (rule R3), ignores what the resource shows but nobody writes, and
    names the nearest known field when one is unknown (decision D2).
    """
    data = _parse(incoming, form=form)
    if not isinstance(data, dict):
        raise Invalid("The body must be a JSON object.")
    known = [*schema.model_fields, *schema.spellings]
    data = {name: value for name, value in data.items() if name in known or name not in schema.read_only}
    takes_more = schema.model_config.get("extra") == "allow"
    unknown = [] if takes_more else [name for name in data if name not in known]
    if unknown:
        raise Invalid(errors=[FieldError(_printable(name), _unknown(name, known)) for name in unknown])
    named, spelled = _one_spelling(schema, data)
    try:  # as JSON, where a strict schema still reads from text what JSON has no type for
        return schema.model_validate_json(orjson.dumps(named))
    except orjson.JSONEncodeError:
        raise _too_deep(named, spelled) from None
    except ValidationError as error:
        if error.errors(include_input=False)[0]["type"] == "json_invalid":  # by its depth: it was just encoded
            raise _too_deep(named, spelled) from None
        raise _invalid(error, spelled, schema, dialect) from None


def respell(error: HelpdeskError, schema: type[Schema], incoming: Incoming, dialect: Dialect) -> None:
    """Name the fields of an error from behind the edge as the caller wrote them; others have their names already."""
    try:
        sent = orjson.loads(incoming.body)
    except orjson.JSONDecodeError:
        return
    classic = schema.classic_names if dialect is Dialect.CLASSIC else {}
    spelled = {schema.spellings.get(given, given): given for given in sent} if isinstance(sent, dict) else {}
    renamed = []
    for problem in error.errors:
        first, dot, rest = problem.field.partition(".")
        name = spelled.get(first, classic.get(first, first))
        renamed.append(FieldError(f"{name}{dot}{rest}", problem.message))
    error.errors = tuple(renamed)
    if "field" in error.details:
        error.details["field"] = renamed[0].field if renamed else error.details["field"]


def read_path(adapter: TypeAdapter[Any], value: str) -> Any:
    """Validate one value of the path; `None` when no row can have it."""
    try:
        return adapter.validate_strings(value)
    except ValidationError:
        return None


def _parse(incoming: Incoming, *, form: bool) -> Any:
    media = incoming.media_type
    if form and media == FORM:
        try:
            return dict(parse_qsl(incoming.body.decode(), keep_blank_values=True, errors="strict"))
        except (UnicodeDecodeError, ValueError):
            raise BadRequest("The form is not valid UTF-8.") from None
    if media and media != JSON and not (media.startswith("application/") and media.endswith("+json")):
        raise UnsupportedMediaType(f"Send {JSON}; {_printable(media)} is not supported here.")
    if not incoming.body:
        return {}
    try:
        return orjson.loads(incoming.body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.") from None


def _unknown(name: str, known: Sequence[str]) -> str:
    near = nearest(name, known)
    return f"Unknown field. Did you mean {near}?" if near else "Unknown field."


def _printable(text: str) -> str:
    return text[:100].encode("utf-8", "replace").decode().replace("\x00", "\\0")


def _one_spelling(schema: type[Schema], data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Bring both documents' names to the schema's own; remember which the caller used."""
    named: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for given, value in data.items():
        name = schema.spellings.get(given, given)
        if name in named and named[name] != value:
            raise Invalid.field(given, f"This contradicts {spelled[name]}, which is the same field.")
        named[name] = value
        spelled[name] = given
    return named, spelled


def _too_deep(named: Mapping[str, Any], spelled: Mapping[str, str]) -> Invalid:
    """Return the refusal of the field that is nested deepest."""
    deepest = max(named, key=lambda name: _depth(named[name]))
    return Invalid.field(spelled[deepest], "This is nested too deeply.")


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [part for each in level if isinstance(each, dict | list) for part in _parts(each)]:
        depth += 1
    return depth


def _parts(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _invalid(error: ValidationError, spelled: Mapping[str, str], schema: type[Schema], dialect: Dialect) -> Invalid:
    classic = schema.classic_names if dialect is Dialect.CLASSIC else {}
    found: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        first, *rest = problem["loc"] or ("body",)
        name = spelled.get(str(first), classic.get(str(first), str(first)))
        path = ".".join((name, *(str(part) for part in rest if isinstance(part, int))))
        found.setdefault(path, _sentence(problem["type"], problem["msg"]))
    return Invalid(errors=[FieldError(name, message) for name, message in found.items()])


def _sentence(kind: str, message: str) -> str:
    if kind == "missing":
        return "This field is required."
    if kind in {"literal_error", "enum"}:
        return "Invalid choice."
    return message if message.endswith(".") else f"{message}."
