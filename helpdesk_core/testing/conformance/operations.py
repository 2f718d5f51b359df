"""What the plugin's operations declare, and how the OpenAPI document shows them."""

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from helpdesk_core.assembly import declared_endpoints
from helpdesk_core.plugins.discovery import BUILT_IN
from helpdesk_core.settings import Settings
from helpdesk_core.testing.conformance.case import Case, Finding, Findings
from helpdesk_core.web.openapi import build_document
from helpdesk_core.web.routing import Endpoint, PathParameter

PREFIX = "/api/v1"
SAMPLES = ("1", "sample", "ABC-001", "2024-01-01", "00000000-0000-4000-8000-000000000000")
"""What stands for a part of a path; the first that looks as the part has to."""


def operations_ask_for_known_permissions(case: Case) -> Findings:
    """Every operation that is not public asks for a permission that the plugin, the core or a requirement registers."""
    near = {case.id, *BUILT_IN, *case.manifest.requires, *case.manifest.after}
    known = {each.code for plugin, each in case.host.declared("register_permissions") if plugin.id in near}
    for endpoint in [*case.endpoints, *_pages(case)]:
        for permission in (endpoint.permission, endpoint.needs):
            if permission is not None and permission.code not in known:
                yield Finding(
                    f"nobody registers the permission {permission.code}, so that no role has it",
                    told(endpoint),
                    "return it from register_permissions",
                )


def operations_are_described(case: Case) -> Findings:
    """Every operation has a docstring: its first line is the title in the documentation."""
    for endpoint in case.endpoints:
        if not inspect.getdoc(endpoint.function):
            where = f"{endpoint.function.__module__}.{endpoint.function.__qualname__}"
            yield Finding(f"{told(endpoint)} has no docstring", where, "say in a sentence what it does")


def events_are_described(case: Case) -> Findings:
    """Every event type, and each field of it, has a text: the catalogue of events is made from them."""
    own = {event.type for event in case.needed("register_events", "events")}
    for described in case.host.catalogue.all:
        if described.type not in own:
            continue
        fields = described.schema.get("properties", {})
        silent = [name for name, field in fields.items() if not field.get("description")]
        if not described.description:
            yield Finding("the event has no docstring", described.type, "say in a sentence what has happened")
        if silent:
            mend = "describe them in the section `Attributes` of the docstring"
            yield Finding(f"no text says what {', '.join(silent)} means", described.type, mend)


def openapi_is_complete(case: Case) -> Findings:
    """The OpenAPI document has every operation, each with an id of its own, and refers to nothing that is missing."""
    endpoints = case.endpoints
    document = build_document(declared_endpoints(case.host), case.host, Settings())
    operations = [each for path in document["paths"].values() for each in path.values()]
    ids = Counter(operation["operationId"] for operation in operations)
    for endpoint in endpoints:
        shown = document["paths"].get(PREFIX + endpoint.path, {}).get(endpoint.method.lower())
        if shown is None:
            mend = "make every field of its types one that has a JSON Schema"
            yield Finding("the operation cannot be documented", told(endpoint), mend)
        elif ids[shown["operationId"]] > 1:
            mend = "give the function a name that no other endpoint of the plugin has"
            yield Finding(f"{shown['operationId']} is the id of several operations", told(endpoint), mend)
    known = {f"#/components/{kind}/{name}" for kind, parts in document["components"].items() for name in parts}
    for reference in sorted(set(_references(document)) - known):
        yield Finding(f"{reference} is referred to and missing", "OpenAPI document", "give the type a name of its own")


def paths_can_be_tried(case: Case) -> Findings:
    """Every part of a path that is a parameter matches a number or a word, or its pattern gives an example."""
    for endpoint in [*case.endpoints, *_pages(case)]:
        for parameter in endpoint.parameters:
            if not sample_of(parameter):
                mend = f'write PathPattern(r"{parameter.pattern}", example="...")'
                yield Finding(f"nothing is known to match {{{parameter.name}}}", told(endpoint), mend)


def sample_of(parameter: PathParameter, wanted: str = "") -> str:
    """Return a text that a parameter of a path matches, `wanted` if it does; nothing if none is known."""
    candidates = (each for each in (wanted, parameter.example, *SAMPLES) if each)
    return next((each for each in candidates if re.fullmatch(parameter.pattern, each)), "")


def filled(endpoint: Endpoint, organization_id: int, sample: str = "") -> str:
    """Return the path of an operation with something in the place of each parameter, `sample` where that fits."""
    path = endpoint.path
    for parameter in endpoint.parameters:
        value = str(organization_id) if parameter.name == endpoint.within else sample_of(parameter, sample)
        path = path.replace(f"{{{parameter.name}}}", value)
    return path


def tried(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Return the operations that ask for a credential, and whose paths can be filled."""
    return [each for each in endpoints if not each.public and all(map(sample_of, each.parameters))]


def told(endpoint: Endpoint) -> str:
    """Return how people name an operation."""
    return f"{endpoint.method} {endpoint.path}"


def _pages(case: Case) -> Iterator[Endpoint]:
    return (endpoint for router in case.declared("register_pages") for endpoint in router.endpoints)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)
