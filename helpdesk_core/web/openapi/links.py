"""Links from what creates a resource to everything that can be done with it, for tools that follow them."""

import re
from collections.abc import Iterator, Mapping

from helpdesk_core.web.openapi.generators import Document, name_in
from helpdesk_core.web.requests import JSON

_PARAMETER = re.compile(r"{(\w+)}")


def add_links(paths: Mapping[str, Document], schemas: Mapping[str, Document]) -> None:
    """Add to the answer 201 of `POST /things/` a link to each operation below `/things/{thing}/`.

    Args:
        paths: of the document, by path and then by method; changed in place.
        schemas: the document's, by name: a link needs the `id` that the answer shows.
    """
    for path, operations in paths.items():
        created = operations.get("post", {}).get("responses", {}).get("201", {})
        shown = created.get("content", {}).get(JSON)
        if shown and _shows_id(shown["schema"], schemas) and (links := dict(_links_from(path, paths))):
            created["links"] = links


def _links_from(path: str, paths: Mapping[str, Document]) -> Iterator[tuple[str, Document]]:
    given = {name: f"$request.path.{name}" for name in _PARAMETER.findall(path)}
    for other, operations in paths.items():
        created = _PARAMETER.match(other, len(path)) if other.startswith(path) else None
        if created is None or other.count("{") != len(given) + 1:  # a second one would be of something else
            continue
        known = given | {created[1]: "$response.body#/id"}
        names = [each["operationId"] for each in operations.values() if not _answers_a_file(each)]
        yield from ((name, {"operationId": name, "parameters": known}) for name in names)


def _answers_a_file(operation: Document) -> bool:
    """Tell whether an operation answers a file, which something new need not have."""
    content = operation["responses"].get("200", {}).get("content", {JSON: {}})
    return JSON not in content


def _shows_id(schema: Document, schemas: Mapping[str, Document]) -> bool:
    options = schema.get("anyOf", [schema])
    return all("$ref" in each and "id" in schemas[name_in(each)].get("properties", {}) for each in options)
