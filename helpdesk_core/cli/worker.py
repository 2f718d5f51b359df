"""`helpdesk worker`: runs jobs and delivers events, in a process of its own."""

import signal
import sys
import threading
from typing import Any

import click

from helpdesk_core.assembly import create_pool
from helpdesk_core.cli.failures import Refused
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.logs import configure_logging
from helpdesk_core.plugins import Watchdog
from helpdesk_core.telemetry.collecting import Telemetry
from helpdesk_core.telemetry.port import MetricsServer
from helpdesk_core.tracing import Tracing
from helpdesk_core.web.realtime.wakers import Wakers

GRACE_SECONDS = 30.0


@click.command()
@click.option(
    "--grace",
    default=GRACE_SECONDS,
    show_default=True,
    type=click.FloatRange(0, 3600),
    help="Seconds that running jobs have to finish when the worker is told to stop.",
)
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address to answer /metrics on.")
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Port to answer /metrics on; without it none.")
@pass_installation
def worker(installation: Installation, *, grace: float, metrics_host: str, metrics_port: int | None) -> None:
    """Run jobs and deliver events until told to stop.

    Any number of workers may run, on any number of machines. On SIGTERM a worker finishes what it has begun and gives
    back the rest; what a killed one held is taken up by others within seconds.
    """
    configure_logging(installation.settings.log_level)
    installation.check_database()
    stopping = threading.Event()

    def stop(*_: Any) -> None:
        if stopping.is_set():
            sys.exit(1)  # asked twice
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    parts = installation.parts
    metrics = None if metrics_port is None else _listen(installation, metrics_host, metrics_port)
    pool = create_pool(parts)
    pool.start()
    parts.services.get(Watchdog).start()
    parts.services.get(Tracing).start()
    parts.upkeep.start()
    parts.services.get(Wakers).start()
    click.echo(f"Worker with {installation.settings.job_threads} threads is ready.")
    if metrics is not None:
        metrics.start()
        click.echo(f"Metrics on port {metrics.port}.")
    sys.stdout.flush()
    stopping.wait()
    pool.stop(grace)
    if metrics is not None:
        metrics.stop()
    parts.upkeep.stop()
    parts.services.get(Wakers).close()
    parts.services.get(Tracing).stop()
    parts.services.database.dispose()


def _listen(installation: Installation, host: str, port: int) -> MetricsServer:
    try:
        return MetricsServer(host, port, installation.settings, installation.services.get(Telemetry))
    except OSError as error:
        raise Refused(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from None
