"""An installation in a folder of its own, and the command as a function."""

import sqlite3

import pytest
from click.testing import CliRunner

from helpdesk_core.cli import main
from helpdesk_core.pytest_plugin import logging_put_back


@pytest.fixture(autouse=True)
def untouched_logging():
    """Put back what commands change of this process."""
    with logging_put_back():
        yield


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory of commands, empty; the core alone unless a test says otherwise."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HELPDESK_PLUGINS", "none")
    monkeypatch.setenv("HELPDESK_PASSWORD_COST", "low")
    return tmp_path


@pytest.fixture
def helpdesk(folder):
    """Run a command and return its result; any exception but the expected ones fails the test."""

    def run(*arguments, **options):
        result = CliRunner().invoke(main, arguments, **options)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def refused(helpdesk):
    """Run a command that must fail, and return the sentence that it says."""

    def run(*arguments, code=1, **options):
        result = helpdesk(*arguments, **options)
        assert (result.exit_code, result.stdout) == (code, ""), result.output
        (told,) = (line for line in result.stderr.splitlines() if line.startswith("Error: "))
        return told.removeprefix("Error: ")

    return run


@pytest.fixture
def migrated(helpdesk, folder):
    """An installation that can be used."""
    assert helpdesk("migrate").exit_code == 0
    return folder


@pytest.fixture
def rows(migrated):
    """Return the rows of a query, straight from the file."""

    def run(query):
        connection = sqlite3.connect(migrated / "helpdesk-data" / "helpdesk.db")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    return run
