"""Plugins that hang in a real server: it goes on answering, and does without them."""

import json
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from helpdesk_core.cli import main
from tests.cli.test_serve import served, status

HEAD = """
import time
from datetime import timedelta
from helpdesk_core.api import Context, Html, JobContext, Message, Router, enqueue, hookimpl, job

router = Router("{id}", tag="{id}")


def hang():
    {hang}


@hookimpl
def register_routes():
    return [router]
"""

READS = (
    HEAD
    + """
@router.get("/", public=True)
def answer(ctx: Context) -> Message:
    "Hangs."
    hang()
"""
)

WRITES = (
    HEAD
    + """

@router.post("/", public=True)
def answer(ctx: Context) -> Message:
    "Hangs with the only writer of the database in its hands."
    ctx.session.connection()
    hang()
"""
)

RENDERS = (
    HEAD
    + """
pages = Router("{id}", tag="Pages")


@pages.get("/", public=True)
def page(ctx: Context) -> Html:
    "Hangs."
    return Html("{id}/page.html", {{"hang": hang}})


@hookimpl
def register_pages():
    return [pages]
"""
)

WORKS = (
    HEAD
    + """
@job(schedule="* * * * *", per="installation", timeout=timedelta(seconds=1))
def work(ctx: JobContext) -> None:
    hang()


@hookimpl
def register_jobs():
    return [work]
"""
)

LOOP = "while True: pass"
STUBBORN = """
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            if time.monotonic() > hang.__dict__.setdefault("until", time.monotonic() + 2):
                raise
"""
SLEEP = "time.sleep(600)"

SOUND = """
from pathlib import Path

from helpdesk_core.api import Context, JobContext, Message, Router, hookimpl, job

router = Router("able", tag="able")


@router.post("/", public=True)
def answer(ctx: Context) -> Message:
    "Answers, as a writer."
    ctx.session.connection()
    return Message(message="well")


@job(schedule="* * * * *", per="installation")
def work(ctx: JobContext) -> None:
    Path("worked").touch()


@hookimpl
def register_routes():
    return [router]


@hookimpl
def register_jobs():
    return [work]
"""

PLUGINS = {
    "able": SOUND,
    "loops": READS.format(id="loops", hang=LOOP),
    "sleeps": READS.format(id="sleeps", hang=SLEEP),
    "stubborn": READS.format(id="stubborn", hang=STUBBORN),
    "writes": WRITES.format(id="writes", hang=LOOP),
    "holds": WRITES.format(id="holds", hang=SLEEP),
    "renders": RENDERS.format(id="renders", hang=LOOP),
    "works": WORKS.format(id="works", hang=SLEEP),
}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve an installation with these plugins, which seem to be installed."""
    packages = tmp_path / "packages"
    for id, code in PLUGINS.items():
        install(packages, id, code)
    environment = {
        "PYTHONPATH": str(packages),
        "HELPDESK_PLUGINS": ",".join(PLUGINS),
        "HELPDESK_QUICK_REQUEST_SECONDS": "0.5",
        "HELPDESK_DATABASE_URL": f"sqlite:///{tmp_path}/helpdesk.db",
    }
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HELPDESK_PLUGINS", "none")
    with pytest.raises(SystemExit) as ended:
        main(["migrate"])
    assert not ended.value.code
    with served(tmp_path, **environment) as (url, _):
        yield url


def install(packages: Path, id: str, code: str) -> None:
    folder, info = packages / f"helpdesk_{id}", packages / f"helpdesk_{id}-0.1.dist-info"
    for each in (folder / "templates", info):
        each.mkdir(parents=True)
    pages = f'pages = ["{id}"]\n' if "register_pages" in code else ""
    (folder / "__init__.py").touch()
    (folder / "plugin.toml").write_text(f'id = "{id}"\nname = "{id}"\napi = 1\nprefixes = ["{id}"]\n{pages}')
    (folder / "plugin.py").write_text(code)
    (folder / "templates" / "page.html").write_text("{{ hang() }}")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: helpdesk-{id}\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[helpdesk.plugins]\n{id} = helpdesk_{id}\n")


def post(url):
    return status(url, b"{}", **{"Content-Type": "application/json"})


def troubled(url):
    with urllib.request.urlopen(f"{url}/healthz", timeout=30) as answer:
        return {each["id"]: each for each in json.load(answer)["plugins"]}


def wait_for(true, seconds=60):
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not true():
        assert time.monotonic() < deadline
        pause.wait(0.05)


def test_the_server_answers_and_the_culprits_are_named(server, tmp_path):
    assert post(f"{server}/api/v1/able/") == 200
    for id in ("loops", "sleeps", "stubborn"):
        assert status(f"{server}/api/v1/{id}/") == 503
    assert status(f"{server}/renders/") == 503
    for id in ("writes", "holds"):
        assert post(f"{server}/api/v1/{id}/") == 503
        assert post(f"{server}/api/v1/able/") == 200
    wait_for(lambda: "works" in troubled(server))
    wait_for((tmp_path / "worked").exists)
    found = {id: each for id, each in troubled(server).items() if each["state"] != "discovered"}
    phases = {"renders": "page", "works": "job"}
    assert {id: each["phase"] for id, each in found.items()} == {
        id: phases.get(id, "request") for id in PLUGINS if id != "able"
    }
    assert {each["state"] for each in found.values()} == {"suspended"}
    assert all("Hung" in each["reason"] or "TookTooLong" in each["reason"] for each in found.values())
