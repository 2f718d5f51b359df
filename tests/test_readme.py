"""The README's plugin is a plugin, and its commands are those that CI runs."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from helpdesk_core.app import create_app
from helpdesk_core.assembly import declared_endpoints
from helpdesk_core.plugins import load_plugins
from helpdesk_core.testing import API, Client, Installation
from tests.plugins.conftest import WritePlugin, write_plugin

ROOT = Path(__file__).parent.parent
__all__ = ["write_plugin"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def greeted(installation: Installation, write_plugin: WritePlugin) -> Iterator[Client]:
    """The member, at an installation that has the README's plugin as well."""
    (manifest,), (code,) = blocks("toml"), blocks("python")
    write_plugin("greetings", code=code, manifest=manifest)
    host = load_plugins()
    services = replace(installation.parts.services, roles=host.roles)
    parts = replace(installation.parts, host=host, services=services, endpoints=declared_endpoints(host))
    with TestClient(create_app(parts.settings, parts=parts)) as http:
        yield Client(http, installation.clock, installation.accounts["member"])


def test_the_plugin_answers(greeted: Client) -> None:
    assert greeted.get("/greetings/").json() == {"text": "Hello, customer!"}


def test_the_plugin_asks_for_a_credential_and_is_documented(greeted: Client) -> None:
    assert greeted.get("/greetings/", headers={"Authorization": ""}).status_code == 401
    assert f"{API}/greetings/" in greeted.raw("GET", "/api/openapi.json").json()["paths"]


def test_the_plugin_fits_into_thirty_lines() -> None:
    (code,) = blocks("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 30


def test_the_example_is_the_same_plugin() -> None:
    example = (ROOT / "examples/helpdesk-greetings/helpdesk_greetings/plugin.py").read_text(encoding="utf-8")
    (code,) = blocks("python")
    for line in code.splitlines():
        if line.startswith(("@", "GREET", "router", "class", "from")):
            assert line in example
