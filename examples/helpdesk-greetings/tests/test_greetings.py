"""Greetings, as people meet them."""

import pytest

from helpdesk_core.testing import PluginConformance


@pytest.mark.parametrize(("who", "text"), [("owner", "Hello, admin!"), ("member", "Hello, customer!")])
def test_everybody_is_greeted_by_their_role(installation, who, text):
    assert installation.client(who).get("/greetings/").json() == {"text": text}


def test_strangers_are_not_greeted(anonymous):
    assert anonymous.get("/greetings/").status_code == 401


class TestConformance(PluginConformance):
    plugin = "greetings"
