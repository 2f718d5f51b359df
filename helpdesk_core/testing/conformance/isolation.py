"""What another organisation sees of this one: nothing, and not even that there is something."""

from typing import Any

from helpdesk_core.database import metadata
from helpdesk_core.testing.clients import API, Client, Response
from helpdesk_core.testing.conformance.case import Case, Finding, Findings, NotApplicable
from helpdesk_core.testing.conformance.doors import asked
from helpdesk_core.testing.conformance.operations import filled, told, tried
from helpdesk_core.testing.conformance.rows import EACH, NoRows, fill
from helpdesk_core.web.routing import Endpoint

MEND = "let the model inherit TenantScoped and read it in `ctx.session`, through the ORM or a ReadModel"


def rows_of_others_are_unknown(case: Case) -> Findings:
    """Whatever is stored for one organisation, every answer to another one stays exactly what it was.

    Rows are put into every table of the plugin for Acme; the outsider reads every list, and everything by its key,
    before and after.
    """
    endpoints = [each for each in tried(case.endpoints) if each.method == "GET"]
    tables = [metadata.tables[name] for name in sorted(metadata.tables) if name.startswith(f"{case.id}_")]
    if not endpoints or not tables:
        raise NotApplicable("the plugin stores nothing, or shows nothing of it")
    installation = case.installation
    owner, outsider = installation.client("owner"), installation.client("outsider")
    asked = [(endpoint, path) for endpoint in endpoints for path in _paths(endpoint, outsider.organization_id)]
    before = [_seen(outsider, path) for _, path in asked]
    with installation.session() as session:
        try:
            fill(session.connection(), tables, owner.organization_id)
        except NoRows as error:
            raise NotApplicable(f"no rows could be made: {error}") from None
        installation.commit(session)
    for (endpoint, path), then in zip(asked, before, strict=True):
        now = _seen(outsider, path)
        if now != then:
            yield Finding(f"{path} answered {_short(then)}, and {_short(now)} once Acme has rows", told(endpoint), MEND)


def strangers_are_turned_away(case: Case) -> Findings:
    """Without a credential every operation that is not public answers 401."""
    anonymous = case.installation.client("anonymous")
    for endpoint in tried(case.endpoints):
        reply = asked(anonymous, endpoint, 1)
        if reply.status_code != 401:
            yield Finding(f"a stranger is answered {reply.status_code}", told(endpoint), "declare a permission")


def _paths(endpoint: Endpoint, organization_id: int) -> list[str]:
    samples = [str(number) for number in range(1, EACH + 1)] if endpoint.parameters else [""]
    return list(dict.fromkeys(filled(endpoint, organization_id, sample) for sample in samples))


def _seen(client: Client, path: str) -> tuple[int, Any]:
    """Return what a caller learns; of an error the status, because it names the request and the time."""
    reply: Response = client.raw("GET", API + path)
    if reply.status_code >= 400:
        return reply.status_code, None
    is_json = "json" in reply.headers.get("content-type", "")
    return reply.status_code, reply.json() if is_json else reply.content


def _short(seen: tuple[int, Any]) -> str:
    status, body = seen
    return f"{status}" if body is None else f"{status} {body!r:.120}"
