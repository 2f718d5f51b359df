"""What the page for receivers says can be done as it is said."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from helpdesk_integrations.schedule import MOST_AN_HOUR, MOST_AT_ONCE, TIMEOUT
from helpdesk_integrations.signatures import headers_for, new_secret

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "webhooks.md").read_text(encoding="utf-8")


@pytest.fixture
def verify():
    """The function that receivers are told to write."""
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
    names = {}
    exec(code, names)
    return names["verify"]


@pytest.mark.parametrize("secret", [new_secret(), "webhook_secret_key"], ids=["made", "chosen"])
def test_a_receiver_verifies_with_what_the_page_shows(verify, secret):
    now, body = datetime.now(UTC), b'{"type": "ticket.created"}'
    headers = headers_for([new_secret(), secret], "msg_1", now, body)
    verify(secret, headers, body)
    with pytest.raises(ValueError, match="wrong signature"):
        verify(secret, headers, body + b" ")
    with pytest.raises(ValueError, match="wrong signature"):
        verify(secret, {**headers, "webhook-id": "msg_2"}, body)


def test_what_was_recorded_cannot_be_sent_again(verify):
    secret, body = new_secret(), b"{}"
    headers = headers_for([secret], "msg_1", datetime.fromtimestamp(time.time() - 301, UTC), body)
    with pytest.raises(ValueError, match="too old"):
        verify(secret, headers, body)


def test_the_example_takes_ten_lines():
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
    body = [line for line in code.partition("def ")[2].splitlines()[1:] if line.strip()]
    assert len(body) <= 10


def test_figures_of_the_page_are_those_of_the_code():
    assert f"{MOST_AN_HOUR} in an hour" in PAGE
    assert "four requests at a time" in PAGE
    assert MOST_AT_ONCE == 4
    assert f"within {TIMEOUT.seconds} seconds" in PAGE
