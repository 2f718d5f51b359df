"""`helpdesk serve`: checked before it starts, quick to answer, and stopped without a loss."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

HELPDESK = Path(sys.executable).with_name("helpdesk")
LOG = "serve.log"
SPAWNED = {"HELPDESK_PLUGINS": "none", "HELPDESK_PASSWORD_COST": "low", "PYTHONUNBUFFERED": "1"}


@contextlib.contextmanager
def served(folder: Path, *arguments: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start a server on any free port, which logs to a file; yield where it listens, and its process."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")}
    with (folder / LOG).open("w") as log:
        process = subprocess.Popen(
            [HELPDESK, "serve", "--port", "0", *arguments], cwd=folder, env={**inherited, **SPAWNED, **environment},
            stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    try:
        told = ""
        for line in process.stdout:
            told += line
            if found := re.search(r"(http://[^/]+)/api/docs/", told):
                yield found[1], process
                break
        else:
            pytest.fail(f"the server did not start: {told}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def status(url: str, body: bytes | None = None, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_database_that_is_behind_is_refused_in_one_line(refused):
    assert refused("serve") == "The database is not up to date (core): run `helpdesk migrate` first."


def test_a_port_that_is_taken_is_told(helpdesk, migrated):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = helpdesk("serve", "--port", str(port))
    assert told.exit_code == 1
    assert f"Error: Cannot listen on 127.0.0.1:{port}: Address already in use." in told.stderr


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=["alone", "workers"])
def test_it_answers_and_stops_when_it_is_told_to(migrated, arguments):
    with served(migrated, *arguments) as (url, process):
        assert status(f"{url}/readyz") == 200
        assert status(f"{url}/api/docs/") == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in {0, -signal.SIGTERM}


def test_its_processes_are_replaced_when_it_is_told_to_while_it_answers(migrated):
    with served(migrated, "--workers", "2") as (url, process):
        assert status(f"{url}/readyz") == 200
        replace_workers(url, process)
        assert status(f"{url}/readyz") == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in {0, -signal.SIGTERM}


def test_its_new_processes_trust_the_proxies_that_the_file_of_settings_names_now(migrated):
    with served(migrated, "--workers", "2") as (url, process):
        assert status(f"{url}/healthz", **{"X-Forwarded-For": "203.0.113.1"}) == 200
        (migrated / "helpdesk.toml").write_text('trusted_proxies = ["127.0.0.1"]')
        replace_workers(url, process)
        assert status(f"{url}/healthz", **{"X-Forwarded-For": "203.0.113.2"}) == 200
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    logged = (migrated / LOG).read_text()
    assert [address in logged for address in ("203.0.113.1", "203.0.113.2")] == [False, True]


def test_processes_end_with_the_one_that_started_them(migrated):
    with served(migrated, "--workers", "2") as (url, process):
        process.kill()
        while is_answered(f"{url}/healthz"):
            pass


def is_answered(url: str) -> bool:
    try:
        return status(url) == 200
    except OSError:
        return False


def replace_workers(url: str, process: subprocess.Popen[str]) -> None:
    """Have every worker replaced, and see that somebody answers all the while."""
    before = workers_of(process.pid)
    process.send_signal(signal.SIGHUP)
    while len(before & workers_of(process.pid)) > 0:
        assert status(f"{url}/healthz") == 200


def workers_of(pid: int) -> set[int]:
    """Return the processes that a server has started, but for the one that Python itself runs beside them."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child) for child in children if "spawn_main" in command_of(child)}


def command_of(pid: str) -> str:
    """Return how a process was started; nothing if it has just ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def test_it_listens_where_systemd_does(migrated):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        handed_over = 'exec 3<&"$0"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
        process = subprocess.Popen(
            ["bash", "-c", handed_over, str(listening.fileno()), HELPDESK, "serve"], cwd=migrated,
            env={**inherited, **SPAWNED}, pass_fds=[listening.fileno()],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        assert status(f"{url}/readyz") == 200  # a client that comes before the server is ready waits
    finally:
        process.terminate()
        process.wait()


def metrics(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_several_processes_show_their_metrics_as_one_and_lose_none_with_a_process(migrated):
    ready = 'helpdesk_http_requests_total{method="GET",route="/readyz",status="200"}'
    with served(migrated, "--workers", "2") as (url, process):
        for _ in range(20):
            assert status(f"{url}/readyz") == 200
        assert metrics(url)[ready] == 20
        os.kill(min(workers_of(process.pid)), signal.SIGKILL)
        shown = [metrics(url)[ready] for _ in range(5)]
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert shown == [20] * 5


def test_the_demonstration_starts_in_an_empty_folder_on_loopback_alone(folder):
    with served(folder, "--demo", "--host", "0.0.0.0") as (url, _):
        assert url.startswith("http://127.0.0.1:")
        assert status(f"{url}/readyz") == 200
    assert (folder / "helpdesk-demo" / "helpdesk.db").exists()
