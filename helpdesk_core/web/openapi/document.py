"""The whole document: one fragment per plugin, put together in plugin order."""

import logging
from collections.abc import Mapping, Sequence

from helpdesk_core import __version__
from helpdesk_core.plugins import PluginHost
from helpdesk_core.plugins.manifest import Manifest
from helpdesk_core.settings import Settings
from helpdesk_core.web.openapi import answers, inputs
from helpdesk_core.web.openapi.components import Schemas
from helpdesk_core.web.openapi.generators import Document
from helpdesk_core.web.openapi.links import add_links
from helpdesk_core.web.routing import Endpoint

log = logging.getLogger("helpdesk.web")

PREFIX = "/api/v1"
BEARER: Document = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token, from `POST /api/v1/users/login/` or `POST /api/v1/auth/token/`.",
}
API_KEY: Document = {
    "type": "apiKey",
    "in": "header",
    "name": "X-API-Key",
    "description": "A key from `POST /api/v1/users/api-keys/`. It acts as its owner, within its scopes.",
}
SESSION: Document = {
    "type": "apiKey",
    "in": "cookie",
    "name": "sessionid",
    "description": "The session of a browser, from `POST /api/v1/users/session/`. Whatever changes something needs the "
    "header `X-CSRFToken` as well, see `GET /api/v1/users/csrf/`.",
}
SCHEMES = {"bearer": BEARER, "apiKey": API_KEY, "session": SESSION}
DESCRIPTION = """\
Two published documents describe this API. One server answers in the words of either:

| `Accept` | answers |
| --- | --- |
| `application/vnd.helpdesk.v1+json` | COMPREHENSIVE |
| `application/vnd.helpdesk.classic.v1+json` | CLASSIC |
| anything else | the document whose sign-in gave the token, else COMPREHENSIVE |

Bodies are bare objects. With `Accept: application/vnd.helpdesk.v1+json; envelope=standard` they come inside `data`,
beside `meta`. The type of every answer is `application/json`. Input takes the field names of both documents, and
ignores what can only be read. The final slash of a path may be left out. `x-aliases` are other paths of an operation.
"""


def build_document(endpoints: Sequence[Endpoint], host: PluginHost, settings: Settings) -> Document:
    """Return the OpenAPI 3.1 document of these endpoints."""
    schemas = Schemas()
    schemas.named.update(answers.ERRORS)
    manifests = {plugin.id: plugin.manifest for plugin in host.active if plugin.manifest}
    paths: dict[str, Document] = {}
    used: set[str] = set()
    for endpoint in endpoints:
        operation = _contained(endpoint, schemas, manifests)
        if operation is not None:
            if operation["operationId"] in used:  # PUT and PATCH share a function
                operation["operationId"] += f"_{endpoint.method.lower()}"
            used.add(operation["operationId"])
            paths.setdefault(PREFIX + endpoint.path, {})[endpoint.method.lower()] = operation
    add_links(paths, schemas.named)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Helpdesk API", "version": __version__, "description": DESCRIPTION, "license": {"name": "MIT"}
        },
        "servers": [{"url": settings.public_url or "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(endpoint.tag for endpoint in endpoints)],
        "paths": paths,
        "components": {
            "schemas": schemas.named,
            "responses": answers.error_responses(),
            "parameters": inputs.HEADERS,
            "headers": answers.HEADERS,
            "securitySchemes": SCHEMES,
        },
    }  # fmt: skip


def _contained(endpoint: Endpoint, schemas: Schemas, manifests: Mapping[str, Manifest]) -> Document | None:
    """Return the operation; nothing when a type of the plugin has no JSON Schema, which must not cost the others."""
    try:
        return operation_of(endpoint, schemas, manifests.get(endpoint.plugin))
    except Exception as error:  # noqa: BLE001 - whatever a plugin's type raises
        told = {"plugin": endpoint.plugin, "operation": endpoint.operation_id, "error": str(error)}
        log.error("operation cannot be documented", extra=told)  # noqa: TRY400 - a line, not a trace
        return None


def operation_of(endpoint: Endpoint, schemas: Schemas, manifest: Manifest | None) -> Document:
    """Return one operation."""
    operation: Document = {
        "operationId": endpoint.operation_id,
        "tags": [endpoint.tag],
        "summary": endpoint.summary.rstrip("."),
        "responses": answers.responses_of(endpoint, schemas),
        "security": _security(endpoint),
        "x-plugin": endpoint.plugin,
    }
    if description := _description(endpoint, manifest):
        operation["description"] = description
    if endpoint.permission is not None:
        operation["x-permission"] = endpoint.permission.code
    if endpoint.needs is not None:
        operation["x-needs-permission"] = endpoint.needs.code
    if endpoint.aliases:
        operation["x-aliases"] = [PREFIX + alias for alias in endpoint.aliases]
    if parameters := inputs.parameters_of(endpoint, schemas):
        operation["parameters"] = parameters
    body = inputs.body_of(endpoint, schemas)
    if body is not None:
        operation["requestBody"] = body
    return operation


def _security(endpoint: Endpoint) -> list[Document]:
    """Return the credentials that an operation takes, any one of which is enough."""
    if endpoint.public:
        return []
    return [{name: []} for name in SCHEMES if name != "apiKey" or not endpoint.personal]


def _description(endpoint: Endpoint, manifest: Manifest | None) -> str:
    parts = [endpoint.description]
    if endpoint.document is not None:
        parts.append(f"Defined by the {endpoint.document.value.upper()} document alone, whose form it always has.")
    if endpoint.permission is not None:
        parts.append(f"Needs the permission `{endpoint.permission.code}`.")
    if endpoint.needs is not None:
        parts.append(f"Also needs the permission `{endpoint.needs.code}`.")
    if manifest is not None and manifest.tier != "free":
        parts.append(f"Part of the {manifest.tier} subscription.")
    return "\n\n".join(part for part in parts if part)
