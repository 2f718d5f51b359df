"""The core's own metrics, by the name under which each is shown. `docs/reference/metrics.md` is made from this list.

A label without values here has such as the installation knows: its routes, its plugins, codes of errors. Nothing that
anybody enters becomes a label.
"""

from collections.abc import Iterator

from helpdesk_core.telemetry.declared import Counter, Gauge, Histogram, Metric

ANY: tuple[str, ...] = ()

LANES = ("quick", "slow", "loop")
JOB_SECONDS = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)

HTTP_REQUESTS = Counter(
    "http_requests",
    "Requests that were answered, by the template of their path; `unmatched` is every unknown one. Status 499 means "
    "that the client had gone.",
    {"route": ANY, "method": ANY, "status": ANY},
)
HTTP_SECONDS = Histogram(
    "http_request_duration_seconds",
    "From when the head of a request is complete to the last byte of its answer, by the class of the status.",
    {"route": ANY, "method": ANY, "status": ("1xx", "2xx", "3xx", "4xx", "5xx")},
)
HTTP_IN_FLIGHT = Gauge("http_requests_in_flight", "Requests that are being answered.")
HTTP_ERRORS = Counter(
    "http_errors",
    "Answers that refuse or fail, by the code of the error: RATE_LIMIT_EXCEEDED, PLUGIN_UNAVAILABLE...",
    {"code": ANY},
)
SOCKET_CONNECTIONS = Gauge("socket_connections", "Clients that are connected to the socket.")
SOCKETS_CLOSED = Counter(
    "socket_closed",
    "Sockets that the server closed, by the WebSocket code: 1008 for flooding, 4401 for a lost right...",
    {"code": ANY},
)
LANE_WAITING = Gauge(
    "lane_waiting_requests",
    "Requests that wait for a database thread, or quick reads for the event loop.",
    {"lane": LANES},
)
LANE_WAIT = Gauge(
    "lane_oldest_wait_seconds",
    "How long the request has waited that has waited longest.",
    {"lane": LANES},
    across="max",
)
TURNED_AWAY = Counter(
    "http_requests_turned_away",
    "Requests that were refused as they came in, because others had waited too long; they are in no other figure.",
)
DATABASE_UP = Gauge("database_up", "Whether the database answered when it was last asked, 1 or 0.", across="own")
CONNECTIONS = Gauge("database_connections", "Connections to the database that are open.", {"state": ("in_use", "idle")})
CONNECTIONS_MAX = Gauge("database_connections_max", "Connections that may be open, in all processes of the server.")
TRANSACTION_SECONDS = Histogram(
    "database_transaction_seconds",
    "How long transactions were open; on SQLite from when the writer's turn came.",
    {"access": ("read", "write")},
)
DATABASE_ERRORS = Counter(
    "database_errors",
    "Statements that failed, by the kind of the error; IntegrityError is mostly a conflict between two people.",
    {"kind": ANY},
)
WRITER_WAITS = Counter("database_writer_waits", "How often a writer asked for its turn on SQLite.")
WRITER_WAIT_SECONDS = Counter("database_writer_wait_seconds", "How long writers waited for their turn on SQLite.")
JOBS = Gauge(
    "jobs",
    "Deliveries and jobs that are stored, at most 100,000 of those that are not dead; the same for every process.",
    {"lane": ("quick", "slow"), "state": ("ready", "running", "delayed", "dead", "parked")},
    across="own",
)
JOBS_OLDEST = Gauge(
    "jobs_oldest_ready_seconds",
    "Since when the job is due that has waited longest for a worker; the same for every process.",
    {"lane": ("quick", "slow")},
    across="own",
)
EVENTS = Gauge(
    "events_undelivered",
    "Events whose deliveries are not made yet, at most 100,000; the same for every process.",
    across="own",
)
EVENTS_OLDEST = Gauge(
    "events_oldest_undelivered_seconds",
    "How long ago the oldest of them happened; the same for every process.",
    across="own",
)
JOB_RUNS = Histogram(
    "job_duration_seconds",
    "How long deliveries and jobs ran, by plugin and by what came of it: `again` asked to be run again, `given_up` is "
    "dead by its own decision.",
    {"plugin": ANY, "kind": ("delivery", "job"), "outcome": ("done", "again", "given_up", "failed")},
    JOB_SECONDS,
)
LIMITS_REFUSED = Counter("limits_refused", "Requests that were refused, by the bucket that was empty.", {"bucket": ANY})
STORE_UP = Gauge(
    "limits_store_up",
    "Whether a store of counters is in use, 1, or is left alone because it did not answer, 0.",
    {"store": ANY},
    across="min",
)
STORE_FAILURES = Counter("limits_store_failures", "How often a store of counters did not answer.", {"store": ANY})
PLUGIN_ACTIVE = Gauge("plugin_active", "Whether a plugin runs, 1 or 0, in every process.", {"plugin": ANY}, "min")
PLUGIN_FAILURES = Counter("plugin_failures", "Failures of plugins, by what they did.", {"plugin": ANY, "phase": ANY})
PROCESSES = Gauge("processes", "Processes whose figures are in this answer.")
BUILD = Gauge("build", "Always 1, with the versions.", {"version": ANY, "python": ANY, "database": ANY}, "max")
CPU = Counter("cpu_seconds", "Processor time of all processes that serve; the parent of several is in no figure.")
MEMORY = Gauge("resident_memory_bytes", "Memory of all processes that serve; pages that they share count each time.")
MEMORY_MOST = Gauge("resident_memory_max_bytes", "Memory of the largest process.", across="max")
FILES = Gauge("open_fds", "Open files and connections of the process that has most.", across="max")
FILES_MAX = Gauge("max_fds", "How many it may have.", across="min")
STARTED = Gauge("start_time_seconds", "When the oldest process started, in seconds since 1970.", across="min")

PROCESS = (CPU, MEMORY, MEMORY_MOST, FILES, FILES_MAX, STARTED)
"""Named `process_...`, as every program that Prometheus watches names them."""


def core_metrics() -> Iterator[tuple[str, Metric]]:
    """Iterate over all of them, each with the name under which it is shown."""
    for value in globals().values():
        if isinstance(value, Metric):
            prefix = "process_" if value in PROCESS else "helpdesk_"
            ending = "_info" if value is BUILD else ""
            yield f"{prefix}{value.shown}{ending}", value
