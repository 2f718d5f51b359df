"""Traces for OpenTelemetry. Imported only where somebody wants them, see `traces.py`.

A span has no text that people wrote: no path, no query, no values of statements, no messages of errors.
"""

import logging
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpdesk_core.events import EVERY, Event, Happened
from helpdesk_core.telemetry.assembling import route_of
from helpdesk_core.tracing import Call, RawHeader, Tracing

FLUSH_SECONDS = 2.0
MOST_PUBLISHED = 1000
MOST_TEXT = 2000
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds, and never a reason to look into a trace."""

_PROPAGATOR = TraceContextTextMapPropagator()


def traces(exporter: str, hosts: Collection[str]) -> "OpenTelemetry":
    """Return what traces, and sends in batches, by a thread of its own."""
    sender = ConsoleSpanExporter() if exporter == "console" else OTLPSpanExporter()
    return OpenTelemetry(BatchSpanProcessor(sender), hosts)


class OpenTelemetry(Tracing):
    """Traces requests, statements, jobs, and requests to others."""

    def __init__(self, processor: SpanProcessor, hosts: Collection[str]) -> None:
        """Prepare.

        Args:
            processor: takes the spans that have ended.
            hosts: that are told the trace of a request to them.
        """
        resource = Resource.create()
        if str(resource.attributes.get(SERVICE_NAME, "unknown_service")).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: "helpdesk"}))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("helpdesk")
        self._hosts = frozenset(host.lower() for host in hosts)
        self._requests: dict[str, context.Context] = {}
        self._published: OrderedDict[int, SpanContext] = OrderedDict()
        self._noting = _Noting()

    def start(self) -> None:
        """Have lines of the log tell the trace that they belong to."""
        for handler in logging.getLogger().handlers:
            handler.addFilter(self._noting)

    def stop(self) -> None:
        """Send what is left, for two seconds at most: a collector that is away keeps no process from ending."""
        for handler in logging.getLogger().handlers:
            handler.removeFilter(self._noting)
        sending = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        sending.start()
        sending.join(FLUSH_SECONDS)

    def around_requests(self) -> Sequence[Middleware]:
        """Return what makes a span of each request."""
        return [Middleware(TracedRequests, tracing=self)]

    def watch(self, engine: Engine) -> None:
        """Trace statements where the driver runs them: most go past SQLAlchemy's own events."""
        if engine.dialect.name == "sqlite":
            event.listen(engine, "do_connect", self._trace_sqlite)
        else:
            event.listen(engine, "connect", self._trace_psycopg)

    def _trace_sqlite(self, _dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        cursor = _traced(self, sqlite3.Cursor, "sqlite")

        class Connection(options.get("factory", sqlite3.Connection)):  # type: ignore[misc]
            def cursor(self, *_: Any) -> Any:
                return super().cursor(cursor)

        options["factory"] = Connection

    def _trace_psycopg(self, connection: Any, _record: Any) -> None:
        connection.cursor_factory = _traced(self, connection.cursor_factory, "postgresql")

    def take_part(self, within: Mapping[str, Any]) -> None:
        """Note what a request or a job publishes."""
        within.setdefault(EVERY, []).append(self._note)  # type: ignore[attr-defined]

    def _note(self, _session: Session, happened: Happened, _event: Event) -> None:
        span = trace.get_current_span()
        if span.is_recording():
            span.add_event("published", {"helpdesk.event.id": happened.id, "helpdesk.event.type": happened.type})
            self._published[happened.id] = span.get_span_context()
            while len(self._published) > MOST_PUBLISHED:
                self._published.popitem(last=False)

    @contextmanager
    def request(self, request_id: str, method: str, headers: Mapping[str, str]) -> Iterator[Span]:
        """Trace a request, as a part of the trace that its sender names."""
        about = {"http.request.method": method, "helpdesk.request_id": request_id}
        with self._span(method, SpanKind.SERVER, about, within=_PROPAGATOR.extract(headers)) as span:
            self._requests[request_id] = context.get_current()
            try:
                yield span
            finally:
                del self._requests[request_id]

    @contextmanager
    def resumed(self, request_id: str) -> Iterator[None]:
        """Go on in this thread with the trace of a request."""
        found = self._requests.get(request_id)
        if found is None:
            yield
            return
        token = context.attach(found)
        try:
            yield
        finally:
            context.detach(token)

    def job(self, plugin: str, name: str, cause: Happened | None) -> AbstractContextManager[Span]:
        """Trace a job as a trace of its own, linked to what published its event if that was in this process."""
        about: dict[str, Any] = {"helpdesk.plugin": plugin}
        links = []
        if cause is not None:
            about |= {"helpdesk.event.id": cause.id, "helpdesk.event.type": cause.type}
            published = self._published.get(cause.id)
            links = [Link(published)] if published is not None else []
        return self._span(name, SpanKind.CONSUMER, about, within=context.Context(), links=links)

    @contextmanager
    def outbound(self, method: str, host: str, port: int) -> Iterator[Call]:
        """Trace a request to somebody else; only hosts that the operator has named hear of the trace."""
        if not trace.get_current_span().is_recording():
            yield Call()
            return
        about = {"http.request.method": method, "server.address": host, "server.port": port}
        with self._span(method, SpanKind.CLIENT, about) as span:
            carrier: dict[str, str] = {}
            if host.lower() in self._hosts:
                _PROPAGATOR.inject(carrier)
            yield _Call(span, [(name.encode(), value.encode()) for name, value in carrier.items()])

    def statement(self, sql: Any, system: str) -> AbstractContextManager[Any]:
        """Trace a statement of something that is traced; its values stay out."""
        if not trace.get_current_span().is_recording():
            return nullcontext()
        text = str(sql)[:MOST_TEXT]
        word = text.split(None, 1)[0].upper() if text.strip() else "statement"
        return self._span(word, SpanKind.CLIENT, {"db.system.name": system, "db.query.text": text})

    @contextmanager
    def _span(
        self,
        name: str,
        kind: SpanKind,
        about: Mapping[str, Any],
        *,
        within: context.Context | None = None,
        links: Sequence[Link] = (),
    ) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name,
            within,
            kind,
            dict(about),
            links=links,
            record_exception=False,  # their messages may hold what people wrote
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_status(StatusCode.ERROR, type(error).__name__)
                span.set_attribute("error.type", type(error).__name__)
                raise


class TracedRequests:
    """Makes a span of each request. Starlette's own does not know our routes, and records query strings."""

    def __init__(self, app: ASGIApp, *, tracing: OpenTelemetry) -> None:
        """Wrap `app`."""
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Trace HTTP; pass anything else through."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._tracing.request(scope["request_id"], scope["method"], headers) as span:
            scope["trace"] = _names_of(span)
            try:
                await self._app(scope, receive, noted)
            finally:
                _describe(span, scope, status)


def _describe(span: Span, scope: Scope, status: int) -> None:
    route = route_of(scope)
    span.update_name(f"{scope['method']} {route}")
    span.set_attribute("http.route", route)
    if status:
        span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
        span.set_attribute("error.type", scope.get("code") or str(status))


class _Call(Call):
    def __init__(self, span: Span, headers: Sequence[RawHeader]) -> None:
        self._span = span
        self.headers = headers

    def answered(self, status: int) -> None:
        self._span.set_attribute("http.response.status_code", status)


class _Noting(logging.Filter):
    """Adds the trace to lines of the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        span = trace.get_current_span()
        if span.is_recording() and not hasattr(record, "trace_id"):
            record.__dict__.update(_names_of(span))
        return True


def _names_of(span: Span) -> dict[str, str]:
    found = span.get_span_context()
    return {"trace_id": trace.format_trace_id(found.trace_id), "span_id": trace.format_span_id(found.span_id)}


def _traced(tracing: OpenTelemetry, cursor: Any, system: str) -> Any:
    """Return a cursor that traces what it runs."""

    class Cursor(cursor):  # type: ignore[misc]
        def execute(self, sql: Any, *arguments: Any, **options: Any) -> Any:
            with tracing.statement(sql, system):
                return super().execute(sql, *arguments, **options)

        def executemany(self, sql: Any, *arguments: Any, **options: Any) -> Any:
            with tracing.statement(sql, system):
                return super().executemany(sql, *arguments, **options)

    return Cursor
