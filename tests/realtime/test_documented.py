"""The client in the documentation works."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpdesk_core.app import create_app
from helpdesk_core.assembly import assemble
from helpdesk_core.plugins import PluginHost
from helpdesk_core.testing import Client, Installation
from tests.realtime.servers import served

PAGE = Path(__file__).resolve().parents[2] / "docs" / "realtime.md"
SHORT = 26


@pytest.fixture
def url(installation: Installation, helpdesk_host: PluginHost) -> Iterator[str]:
    parts = assemble(installation.parts.settings, clock=installation.clock, host=helpdesk_host)
    with served(create_app(installation.parts.settings, parts=parts, background=False)) as port:
        yield f"ws://127.0.0.1:{port}/ws/notifications/"


def test_the_client_of_the_page_follows_and_resumes(url: str, agent: Client) -> None:
    code = next(block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
                if "def follow" in block)  # fmt: skip
    assert len(code.splitlines()) <= SHORT
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    begin = agent.get("/changes/?cursor=now").json()["next_cursor"]
    made = [agent.post("/tickets/", json={"subject": f"Number {number}"}).json()["id"] for number in range(3)]
    heard: list[str] = []

    def handle(frame: dict[str, Any]) -> bool:
        heard.append(frame["data"]["id"])
        return len(heard) < 3

    names["follow"](url, agent.token, handle, begin)
    assert heard == made
