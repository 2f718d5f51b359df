"""Log lines are JSON for machines and text for people, and never tell a secret."""

import io
import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from helpdesk_core.logs import JsonLines, PlainLines, configure_logging
from helpdesk_core.pytest_plugin import logging_put_back
from helpdesk_core.settings import Settings


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def untouched_logging():
    """Put the handlers of this process back."""
    with logging_put_back():
        yield


def formatted(message, *arguments, formatter=None, error=None, **extra):
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("helpdesk.test", logging.WARNING, __file__, 1, message, arguments, exc_info)
    record.__dict__.update(extra)
    return (formatter or JsonLines()).format(record)


def test_a_line_is_one_object_with_time_level_logger_message_and_facts():
    line = formatted("it is %s", "late", ticket=5, path="/a\nb")
    assert "\n" not in line
    found = json.loads(line)
    assert datetime.fromisoformat(found.pop("time")).tzinfo == UTC
    assert found == {
        "level": "warning", "logger": "helpdesk.test", "message": "it is late", "ticket": 5, "path": "/a\nb"
    }  # fmt: skip


@pytest.mark.parametrize("formatter", [JsonLines(), PlainLines()])
def test_secrets_are_asterisks_wherever_they_are(formatter):
    secret = SecretStr("hunter2")
    settings = Settings(secret_key="hunter2 hunter2 hunter2 hunter2 hunter2")
    line = formatted(
        "signed in with %s", secret, formatter=formatter, password=secret, nested={"deep": [secret]}, settings=settings
    )
    assert "hunter2" not in line
    assert "**********" in line


def test_an_exception_is_one_field():
    try:
        raise ValueError("no good")
    except ValueError as error:
        found = json.loads(formatted("failed", error=error))
    assert found["exception"].startswith("Traceback")
    assert found["exception"].endswith("ValueError: no good")


@pytest.mark.parametrize("value", ["\ud800", 2**70, {1: Path("a")}, object()])
def test_nothing_that_is_logged_loses_the_line(value):
    assert json.loads(formatted("odd", value=value))["message"]


def test_a_terminal_gets_text(untouched_logging):
    stream = Terminal()
    configure_logging("info", stream)
    logging.getLogger("helpdesk.test").info("started", extra={"port": 8000})
    assert stream.getvalue().endswith("info    started port=8000\n")


def test_anything_else_gets_json_from_the_level_on_the_servers_own_lines_included(untouched_logging):
    stream = io.StringIO()
    configure_logging("info", stream)
    logging.getLogger("helpdesk.test").debug("not this")
    logging.getLogger("uvicorn.error").info("this")
    logging.getLogger("uvicorn.access").info("nor this: requests have a line of their own")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["this"]


def test_standard_error_is_the_default(untouched_logging, capsys):
    configure_logging("warning")
    logging.getLogger("helpdesk.test").warning("here")
    assert logging.getLogger().handlers[0].stream is sys.stderr
    assert "here" in capsys.readouterr().err
