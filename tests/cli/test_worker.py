"""`helpdesk worker`: a process that runs jobs until it is told to stop."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

HELPDESK = Path(sys.executable).with_name("helpdesk")


def test_it_needs_a_database(refused):
    assert refused("worker") == "The database is not up to date (core): run `helpdesk migrate` first."


def test_it_shows_metrics_on_a_port_of_its_own(migrated):
    command = [HELPDESK, "worker", "--metrics-port", "0"]
    environment = {**os.environ, "HELPDESK_LOG_LEVEL": "error"}
    worker = subprocess.Popen(command, cwd=migrated, env=environment, stdout=subprocess.PIPE, text=True)
    with worker:
        assert worker.stdout.readline() == "Worker with 4 threads is ready.\n"
        port = int(worker.stdout.readline().rstrip(".\n").rpartition(" ")[2])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            shown = answer.read().decode()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0
    assert 'helpdesk_jobs{lane="quick",state="ready"}' in shown


def test_it_says_when_it_is_ready_and_ends_well_when_told_to(migrated):
    environment = {**os.environ, "HELPDESK_LOG_LEVEL": "error"}
    worker = subprocess.Popen([HELPDESK, "worker"], cwd=migrated, env=environment, stdout=subprocess.PIPE, text=True)
    with worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "Worker with 4 threads is ready.\n"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0
