"""The unit of work: one request, one session, one transaction, committed before the answer is sent.

Runs in a database thread, from the credential to the encoded answer. An error of any kind rolls back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.database import AWAY, commit, overtaken
from helpdesk_core.errors import (
    CsrfFailed,
    HelpdeskError,
    Invalid,
    LoginRequired,
    NotAcceptable,
    NotFound,
    PermissionDenied,
    PluginNotEnabled,
    PreconditionFailed,
    RateLimitExceeded,
    TwoFactorRequired,
    Unauthenticated,
)
from helpdesk_core.events import Origin, attribute_session
from helpdesk_core.keys import Vault, derived_keys
from helpdesk_core.limits.spending import Spending
from helpdesk_core.plugins import Gate, Phase, PluginHealth, Watchdog
from helpdesk_core.plugins.health import is_nobodys_fault
from helpdesk_core.queries import Loaded
from helpdesk_core.schemas import Dialect
from helpdesk_core.tenancy import begin_identifying, end_identifying, set_organization
from helpdesk_core.tracing import NO_TRACES, Tracing
from helpdesk_core.web.answers import Answer, Download, Form, encode
from helpdesk_core.web.authentication import Authenticator, Principal, authenticate
from helpdesk_core.web.context import Context, Services, read_include
from helpdesk_core.web.dialects import Wanted, choose, wanted_by
from helpdesk_core.web.downloads import download
from helpdesk_core.web.errors import render, told
from helpdesk_core.web.idempotency import Idempotency
from helpdesk_core.web.lanes import is_slow
from helpdesk_core.web.limits import Limits
from helpdesk_core.web.requests import Incoming, query_values, read_body, read_path, read_query, respell
from helpdesk_core.web.routing import Endpoint

MOST_REPETITIONS = 5
"""Of a request with `If-Match` that others overtook; it ends with 412 then."""


class UnitOfWork:
    """Runs endpoints."""

    phase = Phase.REQUEST

    def __init__(
        self,
        services: Services,
        authenticators: Sequence[Authenticator],
        gate: Gate,
        readers: Mapping[str, Endpoint],
    ) -> None:
        """Prepare.

        Args:
            services: what endpoints may use.
            authenticators: asked in order.
            gate: tells whether an organisation has a plugin on.
            readers: the GET endpoint of each path, for `If-Match`.
        """
        self._services = services
        self._limits = services.get(Limits)
        self._health = services.get(PluginHealth)
        self._watchdog = services.get(Watchdog)
        self._tracing = services.extra.get(Tracing, NO_TRACES)
        self._quick_seconds = services.settings.quick_request_seconds
        self._slow_seconds = services.settings.slow_request_seconds
        self._idempotency = Idempotency(derived_keys(services.settings, "repeated requests"))
        self._authenticators = authenticators
        self._gate = gate
        self._readers = readers

    def run(self, endpoint: Endpoint, incoming: Incoming) -> Answer:
        """Answer one request; every failure becomes an answer in the caller's dialect."""
        now = self._services.clock.now()
        spending = self._begin(now)
        seconds = self._slow_seconds if is_slow(endpoint, incoming.query) else self._quick_seconds
        with self._tracing.resumed(incoming.request_id), self._watchdog.watched(endpoint.plugin, self.phase, seconds):
            answer = self._attempt(endpoint, incoming, now, spending)
        return self._limits.finish(spending, answer)

    def _begin(self, now: datetime) -> Spending | None:
        return self._limits.begin(now)

    def _attempt(
        self, endpoint: Endpoint, incoming: Incoming, now: datetime, spending: Spending | None, *, again: int = 0
    ) -> Answer:
        """Do what `run` promises, but for the limits."""
        wanted, principal = _tolerated(incoming), None
        conditional = endpoint.writes and "if-match" in incoming.headers
        try:
            database = self._services.database
            writes = endpoint.writes and endpoint.prepare is None
            snapshot = endpoint.snapshot or (writes and conditional)
            with database.session(writes=writes, snapshot=snapshot) as session:
                begin_identifying(session)
                principal, problem = self._caller(session, incoming)
                if not again:
                    self._limits.spend(spending, endpoint, incoming=incoming, principal=principal, session=session)
                if problem is not None and not endpoint.public:
                    raise problem  # on public ones an expired access token must not stand in the way of its refresh
                wanted = wanted_by(incoming.headers.get("accept", ""))
                ctx, arguments = self._read(endpoint, incoming, session, principal, wanted=wanted, spending=spending)
                form = Form(wanted.envelope, incoming.request_id, now)
                if endpoint.prepare is None:
                    return self._answer(endpoint, ctx, arguments, form)
                if _has_key(endpoint, incoming) and (answer := self._replayed(endpoint, ctx)):
                    return answer
                arguments["prepared"] = endpoint.prepare(**arguments)
            with database.session(writes=True, snapshot=conditional) as session:
                ctx = replace(ctx, session=session)
                self._open(endpoint, ctx)
                return self._answer(endpoint, ctx, {**arguments, endpoint.context: ctx}, form)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the one place where any failure becomes an answer
            if overtaken(error) and again < MOST_REPETITIONS:  # perhaps by what has nothing to do with the tag
                _rewind(incoming)
                return self._attempt(endpoint, incoming, now, spending, again=again + 1)
            dialect = choose(wanted, principal.dialect if principal else None, endpoint.document)
            form = Form(wanted.envelope, incoming.request_id, now)
            if not is_nobodys_fault(error):
                self._health.failed(endpoint.plugin, self.phase, error)
            refusal = told(error, incoming.request_id, incoming.path)
            if refusal.errors and endpoint.body is not None:
                respell(refusal, endpoint.body, incoming, dialect)
            return self._refused(refusal, incoming, dialect, form)

    def refuse(
        self, error: HelpdeskError, incoming: Incoming, endpoint: Endpoint | None, document: Dialect | None
    ) -> Answer:
        """Answer what reaches no endpoint, an unknown path for instance, in the caller's dialect all the same.

        Args:
            error: what is wrong with the request; a bad credential or media type changes nothing about it.
            incoming: the request.
            endpoint: where it would have gone, had its body been readable; nothing for unknown paths.
            document: that the path belongs to, as far as that can be told.
        """
        now = self._services.clock.now()
        spending = self._begin(now)
        principal = None
        try:
            with self._services.database.session(writes=False) as session:
                begin_identifying(session)
                principal, _ = self._caller(session, incoming)
                self._limits.spend(spending, endpoint, incoming=incoming, principal=principal, session=session)
        except RateLimitExceeded as exceeded:
            error = exceeded
        except AWAY as away:  # the request is refused all the same
            told(away, incoming.request_id, incoming.path)
        wanted = _tolerated(incoming)
        dialect = choose(wanted, principal.dialect if principal else None, document)
        answer = self._refused(error, incoming, dialect, Form(wanted.envelope, incoming.request_id, now))
        return self._limits.finish(spending, answer)

    def turn_away(self, error: HelpdeskError, incoming: Incoming, document: Dialect | None) -> Answer:
        """Answer as `refuse` does, but without looking up who asks: there is no time for it."""
        wanted = _tolerated(incoming)
        form = Form(wanted.envelope, incoming.request_id, self._services.clock.now())
        return self._refused(error, incoming, choose(wanted, None, document), form)

    def _caller(self, session: Session, incoming: Incoming) -> tuple[Principal | None, HelpdeskError | None]:
        """Return who calls, and what is wrong with their credential."""
        try:
            return authenticate(self._authenticators, session, incoming), None
        except (Unauthenticated, CsrfFailed) as problem:
            return None, problem

    def _read(
        self,
        endpoint: Endpoint,
        incoming: Incoming,
        session: Session,
        principal: Principal | None,
        *,
        wanted: Wanted,
        spending: Spending | None,
    ) -> tuple[Context, dict[str, Any]]:
        """Admit the caller, validate what was sent, and open the session for it."""
        now = self._services.clock.now()
        dialect = choose(wanted, principal.dialect if principal else None, endpoint.document)
        if endpoint.within and principal is not None:
            principal = _placed(principal, incoming.path_values[endpoint.within])
        self._admit(endpoint, principal)
        values = query_values(incoming.query)
        include = read_include(values.pop("include"), endpoint.include) if "include" in values else frozenset()
        ctx = Context(session, incoming, self._services, principal, dialect, now, include, {}, spending)
        arguments = self._arguments(endpoint, ctx, values)
        self._open(endpoint, ctx)
        return ctx, arguments

    def _open(self, endpoint: Endpoint, ctx: Context) -> None:
        actor = ctx.principal.actor if ctx.principal else None
        credential = ctx.principal.credential if ctx.principal else ""
        attribute_session(ctx.session, self._services.bus, actor, Origin(ctx.incoming.address[:45], credential))
        if actor is not None and not endpoint.public:
            set_organization(ctx.session, actor.organization_id)
        else:
            end_identifying(ctx.session)

    def _answer(self, endpoint: Endpoint, ctx: Context, arguments: Mapping[str, Any], form: Form) -> Answer:
        session, incoming = ctx.session, ctx.incoming

        def act() -> Answer:
            return self._written(endpoint, endpoint.function(**arguments), ctx, form)

        if endpoint.writes and "if-match" in incoming.headers:
            self._check_unchanged(endpoint, ctx)
        try:
            keyed = _has_key(endpoint, incoming)
            vault = self._vault(endpoint)
            answer = self._idempotency.once(session, ctx.actor, incoming, ctx.now, act, vault=vault) if keyed else act()
        except HelpdeskError as error:
            if endpoint.writes and error.keeps_writes:
                commit(session)
            raise
        if endpoint.writes:
            commit(session)
        self._health.succeeded(endpoint.plugin)
        return answer

    def _replayed(self, endpoint: Endpoint, ctx: Context) -> Answer | None:
        return self._idempotency.replayed(ctx.session, ctx.actor, ctx.incoming, vault=self._vault(endpoint))

    def _written(self, endpoint: Endpoint, value: Any, ctx: Context, form: Form) -> Answer:
        """Turn what an endpoint returned into an answer; pages do it in their own way, as with refusals."""
        return _to_answer(endpoint, value, ctx, form)

    def _refused(self, error: HelpdeskError, incoming: Incoming, dialect: Dialect, form: Form) -> Answer:
        return render(error, dialect, form)

    def _vault(self, endpoint: Endpoint) -> Vault | None:
        return self._services.get(Vault) if endpoint.reveals else None

    def _admit(self, endpoint: Endpoint, principal: Principal | None) -> None:
        self._gate.refuse_during_outage(endpoint.plugin, self._services.clock.now())
        if endpoint.public:
            return
        if principal is None:
            raise Unauthenticated
        actor = principal.actor
        if endpoint.personal and principal.key_id is not None:
            raise LoginRequired
        if actor.must_enroll and not endpoint.enrolling:
            raise TwoFactorRequired
        reason = self._gate.closed(endpoint.plugin, actor)
        if reason is not None:
            raise PluginNotEnabled(details=reason)
        if endpoint.permission is not None and not actor.can(endpoint.permission):
            raise PermissionDenied(details={"permission": endpoint.permission.code})

    def _arguments(self, endpoint: Endpoint, ctx: Context, values: Mapping[str, str]) -> dict[str, Any]:
        arguments: dict[str, Any] = {endpoint.context: ctx}
        for parameter in endpoint.parameters:
            value = read_path(parameter.adapter, ctx.incoming.path_values[parameter.name])
            if value is None:
                raise NotFound
            arguments[parameter.name] = value
        if endpoint.query is not None:
            arguments["query"] = read_query(endpoint.query, values, ctx.dialect)
        elif values:
            name = next(iter(values))
            raise Invalid.field(name, "Unknown parameter. Known: none.")
        if endpoint.body is not None:
            arguments["body"] = read_body(endpoint.body, ctx.incoming, ctx.dialect, form=endpoint.form)
        if endpoint.upload is not None:
            if ctx.incoming.upload is None:
                raise Invalid.field("file", "This field is required.")
            arguments[endpoint.upload] = ctx.incoming.upload
        return arguments

    def _check_unchanged(self, endpoint: Endpoint, ctx: Context) -> None:
        """Compare `If-Match` with the tag that GET of the same path gives now."""
        reader = self._readers.get(endpoint.path)
        wanted = [tag.strip() for tag in ctx.incoming.headers["if-match"].split(",")]
        if reader is None or wanted == ["*"]:
            return
        present = reader.function(**self._arguments(reader, ctx, {}))
        if isinstance(present, Loaded) and present.etag not in wanted:
            raise PreconditionFailed


def _tolerated(incoming: Incoming) -> Wanted:
    """Return what the request accepts; anything, if that cannot be served, until it is refused for it."""
    try:
        return wanted_by(incoming.headers.get("accept", ""))
    except NotAcceptable:
        return Wanted()


def _rewind(incoming: Incoming) -> None:
    if incoming.upload is not None:
        incoming.upload.file.seek(0)


def _has_key(endpoint: Endpoint, incoming: Incoming) -> bool:
    return endpoint.method == "POST" and not endpoint.public and "idempotency-key" in incoming.headers


def _placed(principal: Principal, organization: str) -> Principal:
    """Return `principal`, moved into the organisation of the path if that is another one and they may."""
    actor = principal.actor
    if int(organization) == actor.organization_id:
        return principal
    if not actor.is_platform_admin:
        raise NotFound
    return replace(principal, actor=replace(actor, organization_id=int(organization)))


def _to_answer(endpoint: Endpoint, value: Any, ctx: Context, form: Form) -> Answer:
    if isinstance(value, Answer):
        return value
    if isinstance(value, Download):
        return download(value, ctx)
    if value is None:
        return Answer(endpoint.status if endpoint.status != 200 else 204, headers=ctx.headers)
    if isinstance(value, Loaded):
        ctx.headers["ETag"] = value.etag
        if not endpoint.writes and value.etag in ctx.incoming.headers.get("if-none-match", ""):
            return Answer(304, headers=ctx.headers)
    return Answer(endpoint.status, encode(value, form), ctx.headers)
