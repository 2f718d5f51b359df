"""The programs of PostgreSQL: their versions, their failures, and a password that nobody sees."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from helpdesk_core.backup import programs
from helpdesk_core.backup.failures import BackupFailed

URL = make_url("postgresql://me:hunter2@db.example.com:5433/desk?sslmode=require")


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Make a program the only one there is."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def install(name: str, script: str) -> Path:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return install


def test_one_that_is_missing_is_told(program):
    with pytest.raises(BackupFailed, match="pg_dump is not here: install the client programs of PostgreSQL 15"):
        programs.require("pg_dump", 15)


@pytest.mark.parametrize(
    ("version", "usable"), [("14.9", False), ("15.20 (Debian 15.20-0+deb12u1)", True), ("17.1", True)]
)
def test_one_that_is_older_than_the_server_is_told(program, version, usable):
    program("pg_dump", f'echo "pg_dump (PostgreSQL) {version}"')
    if usable:
        programs.require("pg_dump", 15)
        return
    with pytest.raises(BackupFailed, match="is of version 14, and the server of 15"):
        programs.require("pg_dump", 15)


@pytest.mark.parametrize(
    ("version", "server", "usable"), [(16, 15, True), (17, 16, False), (18, 15, False), (17, 17, True), (18, 17, True)]
)
def test_one_that_sets_what_the_server_does_not_know_does_not_restore(program, version, server, usable):
    program("pg_restore", f'echo "pg_restore (PostgreSQL) {version}.1"')
    if usable:
        programs.require("pg_restore", server)
        return
    with pytest.raises(BackupFailed, match=f"is of version {version}, too new for the server of {server}"):
        programs.require("pg_restore", server)


@pytest.mark.parametrize(("version", "server", "warned"), [(16, 15, False), (17, 15, True), (17, 17, False)])
def test_a_dump_that_only_such_a_one_reads_is_told(program, version, server, warned):
    program("pg_dump", f'echo "pg_dump (PostgreSQL) {version}.1"')
    told = programs.warning(server) or ""
    assert ("read by no older pg_restore" in told) == warned


def test_one_that_is_something_else_is_told(program):
    program("pg_dump", "echo hello")
    with pytest.raises(BackupFailed, match="does not say its version: hello"):
        programs.require("pg_dump", 15)


def test_a_password_is_given_by_the_environment_alone(program, tmp_path):
    program("pg_dump", f'echo "$@" > {tmp_path}/arguments; echo "$PGPASSWORD" > {tmp_path}/password')
    programs.dump(URL, tmp_path / "dump", snapshot="00000003-1", leave_out="aside_*")
    arguments = (tmp_path / "arguments").read_text()
    assert "hunter2" not in arguments
    assert "host='db.example.com' dbname='desk' user='me' port='5433' sslmode='require'" in arguments
    assert "--snapshot=00000003-1" in arguments
    assert (tmp_path / "password").read_text() == "hunter2\n"


def test_everyones_rows_are_meant_besides_what_a_connection_says_anyway(program, tmp_path, monkeypatch):
    program("pg_dump", f'echo "$@" > {tmp_path}/arguments')
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=1MB")
    for url, own in ((URL, "-c work_mem=1MB"), (URL.update_query_dict({"options": "-c jit=off"}), "-c jit=off")):
        programs.dump(url, tmp_path / "dump", snapshot="00000003-1", leave_out="aside_*")
        assert f"options='{own} -c helpdesk.organization=*'" in (tmp_path / "arguments").read_text()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo 'pg_restore: error: out of luck' >&2; echo detail >&2; exit 1", "pg_restore failed: out of luck"),
        ("exit 3", "pg_restore failed: exit code 3"),
        ("kill -9 $$", "pg_restore failed: it was ended by signal 9"),
    ],
)
def test_its_own_words_say_why_it_failed(program, script, told):
    program("pg_restore", script)
    with pytest.raises(BackupFailed, match=told):
        programs.restore(URL, Path("dump"))
