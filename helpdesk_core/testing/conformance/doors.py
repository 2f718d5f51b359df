"""What is left of the plugin where an organisation has switched it off: nothing, at any door."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.events import Event, Handler, publish, type_of
from helpdesk_core.jobs import Job, enqueue
from helpdesk_core.jobs.queue import WAITING, StoredJob
from helpdesk_core.notifications.installed import kinds_on
from helpdesk_core.permissions import Actor
from helpdesk_core.plugins import Contributions
from helpdesk_core.resources import Resources
from helpdesk_core.testing.clients import API, Client, Response
from helpdesk_core.testing.conformance.case import Case, Finding, Findings, NotApplicable
from helpdesk_core.testing.conformance.operations import filled, told, tried
from helpdesk_core.testing.installation import Installation
from helpdesk_core.web.routing import Endpoint

CORE_MEND = "this is the core's to refuse: report it"


def off_operations_are_refused(case: Case) -> Findings:
    """Every operation that is not public answers 403, `PLUGIN_NOT_ENABLED`, whatever is sent to it."""
    owner = case.switched_off().client("owner")
    for endpoint in tried(case.endpoints):
        reply = asked(owner, endpoint, owner.organization_id)
        if reply.status_code != 403 or '"plugin"' not in reply.text:
            yield Finding(f"with the plugin off it answers {reply.status_code}", told(endpoint), CORE_MEND)


def off_pages_are_closed(case: Case) -> Findings:
    """Every page that is not public answers 403."""
    pages = tried(page for router in case.needed("register_pages", "pages") for page in router.endpoints)
    owner = case.switched_off().client("owner")
    for page in pages:
        reply = owner.raw("GET", filled(page, owner.organization_id), follow_redirects=False)
        if reply.status_code != 403:
            yield Finding(f"with the plugin off the page answers {reply.status_code}", told(page), CORE_MEND)


def off_handlers_hear_nothing(case: Case) -> Findings:
    """No event is delivered to its handlers, after the commit or within the transaction."""
    handlers: list[Handler] = case.needed("register_event_handlers", "handlers")
    installation = case.switched_off()
    types = [kind for kind in (_heard(case, handler) for handler in handlers) if kind is not None]
    with (
        _watched(handler for _, handler in case.host.declared("register_event_handlers")) as called,
        _acme(installation) as session,
    ):
        for event in dict.fromkeys(types):
            publish(session, event.model_validate(_sample(case, event)))
        installation.commit(session)
    installation.parts.runner.pass_on()
    stored = {row.name for row in _jobs(installation) if row.event_id is not None}
    for name in sorted((stored | set(called)) & {handler.name for handler in handlers}):
        yield Finding("with the plugin off an event is delivered", name, CORE_MEND)


def off_schedules_rest(case: Case) -> Findings:
    """No scheduled job is enqueued for the organisation."""
    jobs: list[Job] = case.needed("register_jobs", "jobs")
    names = {job.name for job in jobs if job.schedule and job.per == "organization"}
    if not names:
        raise NotApplicable("the plugin has no schedules of organisations")
    installation = case.switched_off()
    installation.parts.runner.tick()
    for name in sorted({row.name for row in _jobs(installation)} & names):
        yield Finding("with the plugin off its schedule is kept", name, CORE_MEND)


def off_jobs_wait(case: Case) -> Findings:
    """Jobs that were enqueued before it was switched off are neither run nor lost."""
    jobs: list[Job] = [job for job in case.needed("register_jobs", "jobs") if job.per == "organization"]
    installation = case.switched_off()
    with _acme(installation) as session:
        for job in jobs:
            enqueue(session, job)
        installation.commit(session)
    installation.parts.runner.run_due()
    left = {row.name: row for row in _jobs(installation)}
    for job in jobs:
        row = left.get(job.name)
        if row is None or row.state != WAITING or "is switched off" not in (row.last_error or ""):
            yield Finding("with the plugin off the job is run", job.name, CORE_MEND)


def off_contributions_are_not_used(case: Case) -> Findings:
    """What it returned from hooks is not used for the organisation: not by the core, not by other plugins."""
    hooks = [hook for hook, found in case.plugin.declared.items() if found]
    if not hooks:
        raise NotApplicable("the plugin contributes nothing")
    installation = case.switched_off()
    contributions = installation.parts.services.get(Contributions)
    with _acme(installation) as session:
        for hook in hooks:
            own = {id(item) for item in case.declared(hook)}
            if any(id(item) in own for item in contributions.of(hook, session)):
                yield Finding("with the plugin off its contribution is used", hook, CORE_MEND)


def off_nobody_is_told(case: Case) -> Findings:
    """What it tells people is not among what they can choose."""
    case.needed("register_notification_kinds", "kinds of notifications")
    installation = case.switched_off()
    with _acme(installation) as session:
        for name in [kind.name for plugin, kind in kinds_on(session) if plugin == case.id]:
            yield Finding("with the plugin off people can choose to be told", name, CORE_MEND)


def off_resources_are_closed(case: Case) -> Findings:
    """Its resources are not read by the change feed, the socket and webhooks."""
    found = case.needed("register_resources", "resources")
    resources = case.switched_off().parts.services.get(Resources)
    codes = frozenset(resource.permission.code for resource in found)
    actor = Actor(0, 0, "admin", permissions=codes, tier="enterprise", disabled_plugins=frozenset({case.id}))
    if not resources.is_open(replace(actor, disabled_plugins=frozenset()), found[0].name):
        raise NotApplicable("the plugin cannot be switched on by itself")
    for resource in found:
        if resources.is_open(actor, resource.name):
            yield Finding("with the plugin off it can be followed", resource.name, CORE_MEND)


def off_is_not_documented(case: Case) -> Findings:
    """The OpenAPI document that callers of the organisation get leaves its operations out."""
    if not case.endpoints:
        raise NotApplicable("the plugin has no operations")
    owner = case.switched_off().client("owner")
    paths = owner.raw("GET", "/api/openapi.json").json()["paths"]
    for path, operations in paths.items():
        if any(operation.get("x-plugin") == case.id for operation in operations.values()):
            yield Finding("with the plugin off it is documented", path, CORE_MEND)


def on_again_it_answers(case: Case) -> Findings:
    """Switched on again, every operation is back from the next request on."""
    endpoints = tried(case.endpoints)
    installation = case.switched_off()
    installation.enable(case.id)
    owner = installation.client("owner")
    for endpoint in endpoints:
        reply = asked(owner, endpoint, owner.organization_id)
        if reply.status_code == 403 and "PLUGIN_NOT_ENABLED" in reply.text:
            yield Finding("switched on again it still is refused", told(endpoint), CORE_MEND)


def asked(client: Client, endpoint: Endpoint, organization_id: int) -> Response:
    """Send a request that reaches an operation; what is in it does not matter."""
    content: dict[str, Any] = {"json": {}} if endpoint.body else {}
    if endpoint.upload:
        content = {"files": {"file": ("sample.txt", b"sample", "text/plain")}}
    return client.raw(endpoint.method, API + filled(endpoint, organization_id), **content)


def _acme(installation: Installation) -> Session:
    return installation.session(installation.client("owner").organization_id)


def _jobs(installation: Installation) -> list[StoredJob]:
    acme = installation.client("owner").organization_id
    with installation.session() as session:
        return list(session.scalars(select(StoredJob).where(StoredJob.organization_id == acme)))


def _heard(case: Case, handler: Handler) -> type[Event] | None:
    """Return an event that a handler hears."""
    types = case.host.event_types
    if handler.event is Event:
        return next(iter(types.values()))
    return types.get(type_of(handler.event))


def _sample(case: Case, event: type[Event]) -> dict[str, object]:
    described = case.host.catalogue.get(event.type)
    return dict(described.sample) if described else {}


@contextmanager
def _watched(handlers: Iterable[Handler]) -> Iterator[list[str]]:
    """Collect the names of handlers that are called meanwhile within the publishing transaction; none of them runs."""
    called: list[str] = []
    before = [(handler, handler.function) for handler in handlers if handler.within]
    for handler, _ in before:
        object.__setattr__(handler, "function", partial(_note, called, handler.name))
    try:
        yield called
    finally:
        for handler, function in before:
            object.__setattr__(handler, "function", function)


def _note(called: list[str], name: str, *_: object) -> None:
    called.append(name)
