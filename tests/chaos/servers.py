"""Servers of a test of their own, which it may stop, freeze and kill: PostgreSQL and Redis."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Postgres:
    """A cluster; PostgreSQL refuses to run as root, hence as `postgres` where the test does."""

    programs: Path
    data: Path
    port: int
    prefix: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"postgresql://chaos@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *arguments: str) -> None:
        command = [*self.prefix, str(self.programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.data}"
        self.run("pg_ctl", "-D", str(self.data), "-w", "-l", f"{self.data}/log", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        self.run("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop")


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Start a cluster in `folder`, with all of its safety on, and remove it at the end."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = installed[-1] if installed else Path(shutil.which("pg_ctl") or "").parent
    if not (found / "initdb").exists():
        pytest.skip("PostgreSQL's programs are not here")
    data = folder / "cluster"
    data.mkdir()
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        shutil.chown(data, "postgres")
        for above in (folder, *folder.parents):
            above.chmod(above.stat().st_mode | 0o011)
        prefix = ("runuser", "-u", "postgres", "--")
    made = Postgres(found, data, free_port(), prefix)
    made.run("initdb", "-D", str(data), "-U", "chaos", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    made.start()
    try:
        yield made
    finally:
        made.stop("immediate")


@dataclass
class Redis:
    """A server that keeps nothing."""

    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise AssertionError("Redis does not answer")

    def freeze(self) -> None:
        """Leave its connections open, and answer nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        self.process = None

    def _signal(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)


@contextmanager
def redis() -> Iterator[Redis]:
    """Start a Redis server, and kill it at the end."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not here")
    made = Redis(free_port())
    made.start()
    try:
        yield made
    finally:
        made.kill()
