"""`helpdesk serve`: what can be wrong is checked before the server starts, whose own exit code may hide it."""

import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from multiprocessing.process import BaseProcess

import click
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.supervisors import ChangeReload

from helpdesk_core.app import create_app
from helpdesk_core.cli.cores import cores, pin_this_process
from helpdesk_core.cli.failures import Refused
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.cli.lazy import load
from helpdesk_core.cli.workers import RETIRE, Workers
from helpdesk_core.garbage import keep_what_is_loaded, without_collecting
from helpdesk_core.keys import signing_key
from helpdesk_core.logs import configure_logging
from helpdesk_core.settings import Settings
from helpdesk_core.telemetry.metrics import Metrics
from helpdesk_core.telemetry.shared import shared_folder
from helpdesk_core.web.realtime.connection import LARGEST_FRAME
from helpdesk_core.web.serving.protocol import Protocol
from helpdesk_core.web.serving.state import Serving

WORKS = "_HELPDESK_SERVE_WORKS"
"""Names what one process of the server tells the others."""

GRACE_SECONDS = 15
"""How long a process that stops waits for what it has begun; longer than the head of a request may take."""

DOORS = 16
"""Times that the listening socket is given to the event loop, which takes one new connection from each in a round.

Rounds are slow while a process is behind with its work, and whoever is still outside can neither be served nor refused:
with eight, and a crowd served for five milliseconds at a time, some were refused after a third of a second only.
"""

OUTSIDE = 4096
"""How many connections may stand outside, at most, if the system allows as many. It tells nobody when there are more,
but has clients try again after a second."""

FIRST_INHERITED = 3
"""File descriptor of the first socket that systemd hands over."""

METRICS = "_HELPDESK_SERVE_METRICS"
"""Names the folder in which they count."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Number of processes.")
@click.option("--reload", is_flag=True, help="Start again when a file of the source changes.")
@click.option("--demo", is_flag=True, help="Migrate, and fill an empty database with a demonstration.")
@click.option(
    "--pin/--no-pin",
    default=None,
    help="Keep each process on a processor of its own. By default when there are as many processes as processors.",
)
@click.option(
    "--jobs/--no-jobs",
    default=None,
    help="Also run jobs and deliver events. By default on SQLite; elsewhere `helpdesk worker` does.",
)
@pass_installation
def serve(
    installation: Installation,
    *,
    host: str,
    port: int,
    workers: int,
    reload: bool,
    demo: bool,
    pin: bool | None,
    jobs: bool | None,
) -> None:
    """Start the web server; on SQLite it also runs jobs and delivers events.

    Needs `helpdesk migrate` first, except with --demo.
    """
    if demo:
        load("demo").choose_home()
    configure_logging(installation.settings.log_level)
    signing_key(installation.settings)
    if demo:
        host = load("demo").prepare(installation, host)
    pin = workers == len(cores()) if pin is None else pin
    if jobs is not None:
        os.environ[WORKS] = str(int(jobs))  # for processes that are made anew, as workers are
    with without_collecting():
        installation.check_database()
        installation.services.database.refresh_statistics()
        listening = _listen(host, port)
        url = f"http://{_printable(host)}:{listening.getsockname()[1]}"
        where = f"Helpdesk on {url}/api/v1/, explained on {url}/api/docs/"
        click.echo(load("demo").welcome(installation, url) if demo else where)
        sys.stdout.flush()
        run = _server(installation, listening, workers=workers, reload=reload, pin=pin)
        keep_what_is_loaded()
    with contextlib.suppress(KeyboardInterrupt):
        run()


def application() -> ASGIApp:
    """Return the application in a process of its own, one of several workers."""
    with without_collecting():
        installation = Installation()
        configure_logging(installation.settings.log_level)
        installation.services.get(Metrics).share(os.environ.get(METRICS))
        app = create_app(installation.settings, parts=installation.parts, works=_works(installation))
        keep_what_is_loaded()
    if os.name == "posix":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the parent hears it as well, and sees to its children
        signal.signal(RETIRE, lambda *_: retire(app.state.serving))
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), name="parent", daemon=True).start()
    return _behind_proxies(app, installation.settings)


def _end_with(parent: BaseProcess) -> None:
    """Stop when the process that started this one is gone: nobody else would, and the port would stay taken."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _behind_proxies(app: Starlette, settings: Settings) -> ASGIApp:
    """Have trusted proxies say who the client is; uvicorn would go on with those that there were when it started."""
    proxies = list(settings.trusted_proxies)
    return ProxyHeadersMiddleware(app, proxies) if proxies else app  # type: ignore[arg-type, return-value]


def retire(serving: Serving) -> None:
    """Stop as on SIGTERM, but leave it to the clients of open connections to hear that they are to come anew."""
    serving.retiring = True
    signal.raise_signal(signal.SIGTERM)


def _server(
    installation: Installation, listening: socket.socket, *, workers: int, reload: bool, pin: bool
) -> Callable[[], None]:
    """Return what runs the server until it is told to stop."""
    settings = installation.settings
    app: ASGIApp | str = f"{__name__}:application"
    if workers == 1 and not reload:
        made = create_app(settings, parts=installation.parts, works=_works(installation))
        app = _behind_proxies(made, settings)
    config = _config(app, workers=workers, reload=reload)
    server = uvicorn.Server(config)
    if reload:
        return ChangeReload(config, target=server.run, sockets=[listening]).run
    doors = [listening, *(listening.dup() for _ in range(DOORS - 1))]
    if workers > 1:
        for door in doors:
            door.set_inheritable(True)
        return shared_folder(METRICS, Workers(config, doors, cores() if pin else ()).run)

    def run() -> None:
        if pin:
            pin_this_process()
        server.run(sockets=doors)
        if not server.started:
            sys.exit(STARTUP_FAILURE)

    return run


def _works(installation: Installation) -> bool:
    """Tell whether processes of the server run jobs as well."""
    asked = os.environ.get(WORKS)
    return asked == "1" if asked else installation.settings.database.startswith("sqlite")


def _config(app: ASGIApp | str, *, workers: int, reload: bool) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        reload=reload,
        http=Protocol,
        loop="uvloop" if os.name == "posix" else "asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=OUTSIDE,
        timeout_worker_healthcheck=30,
        ws_max_size=LARGEST_FRAME,
        ws_per_message_deflate=False,  # costs memory and time for each client; frames are small
    )


def _listen(host: str, port: int) -> socket.socket:
    inherited = _inherited()
    if inherited is not None:
        return inherited
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=OUTSIDE)
    except OSError as error:
        raise Refused(f"Cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}.") from None
    listening.set_inheritable(True)
    return listening


def _inherited() -> socket.socket | None:
    """Return the socket that systemd listens on for this process (`sd_listen_fds(3)`); nothing without one.

    Clients that connect while the process starts again wait in it.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    listening = socket.socket(fileno=FIRST_INHERITED)
    listening.set_inheritable(True)
    return listening


def _printable(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - the address is compared, not used
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
