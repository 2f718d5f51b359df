"""`helpdesk audit verify`: says where the log was broken, or how it ends."""

import sqlite3

import pytest

CREATE = (
    "user",
    "create",
    "--username",
    "ada",
    "--email",
    "ada@acme.com",
    "--password-stdin",
    "--organization",
    "acme",
)


@pytest.fixture
def acme(helpdesk, migrated):
    """An organisation with two entries."""
    helpdesk("organization", "create", "--name", "Acme", "--slug", "acme")
    assert helpdesk(*CREATE, input="correct horse battery staple").exit_code == 0
    return migrated


def tamper(folder, *statements):
    connection = sqlite3.connect(folder / "helpdesk-data" / "helpdesk.db")
    for statement in (
        "DROP TRIGGER core_audit_entry_no_update",
        "DROP TRIGGER core_audit_entry_no_delete",
        *statements,
    ):
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_whole_log_ends_with_its_seal(helpdesk, acme, rows):
    ((seal,),) = rows("SELECT last_seal FROM core_audit_head")
    assert helpdesk("audit", "verify").stdout == f"1:2:{seal}\n"


def test_the_first_broken_entry_is_named(refused, acme):
    tamper(acme, "UPDATE core_audit_entry SET actor_id = 99 WHERE id = 2")
    assert refused("audit", "verify") == "The audit log is broken."


def test_the_broken_entry_is_named_with_its_organization(helpdesk, acme):
    tamper(acme, "UPDATE core_audit_entry SET actor_id = 99 WHERE id = 2")
    told = helpdesk("audit", "verify").stderr
    assert "organization 1, entry 2: It is not as it was written, or not in its place." in told


def test_a_database_that_was_put_back_is_noticed(helpdesk, acme):
    kept = helpdesk("audit", "verify").stdout.strip()
    assert helpdesk("audit", "verify", "--kept", kept).exit_code == 0
    put_back = helpdesk("audit", "verify", "--kept", kept.replace("1:2:", "1:3:"))
    assert put_back.exit_code == 1
    assert "this entry is not in the log" in put_back.stderr


def test_a_line_that_is_none_is_refused(helpdesk, acme):
    assert helpdesk("audit", "verify", "--kept", "nonsense").exit_code == 2


def test_a_whole_log_that_was_removed_is_noticed(helpdesk, acme):
    helpdesk("organization", "create", "--name", "Globex", "--slug", "globex")
    tamper(acme, *(f"DELETE FROM core_audit_{table} WHERE organization_id = 2" for table in ("entry", "head")))
    told = helpdesk("audit", "verify")
    assert told.exit_code == 1
    assert "organization 2: Its log is missing." in told.stderr


def test_the_only_log_that_was_removed_is_noticed(helpdesk, acme):
    tamper(acme, "DELETE FROM core_audit_entry", "DELETE FROM core_audit_head")
    told = helpdesk("audit", "verify")
    assert (told.exit_code, "organization 1: Its log is missing." in told.stderr) == (1, True)


@pytest.fixture
def older(helpdesk, acme):
    """An organisation that is older than the log, without one."""
    helpdesk("organization", "create", "--name", "Globex", "--slug", "globex")
    tamper(
        acme,
        *(f"DELETE FROM core_audit_{table} WHERE organization_id = 2" for table in ("entry", "head")),
        "UPDATE core_organization SET created_at = '2020-01-01T00:00:00Z' WHERE id = 2",
        "UPDATE core_user SET organization_id = 2",
    )
    return acme


LOGIN = """
INSERT INTO core_login (organization_id, user_id, address, user_agent, created_at)
SELECT organization_id, id, '', '', '{}' FROM core_user
"""


def change(folder, statement):
    with sqlite3.connect(folder / "helpdesk-data" / "helpdesk.db") as connection:
        connection.execute(statement)
    connection.close()


def test_an_organization_that_is_older_than_the_log_may_have_none(helpdesk, older):
    change(older, LOGIN.format("2020-01-02T00:00:00Z"))
    told = helpdesk("audit", "verify")
    assert (told.exit_code, told.stdout.count("\n")) == (0, 1)
    assert "organization 2 has no log" in told.stderr


def test_an_older_organization_that_was_logged_in_to_must_have_one(helpdesk, older):
    change(older, LOGIN.format("2999-01-02T00:00:00Z"))
    told = helpdesk("audit", "verify")
    assert (told.exit_code, "organization 2: Its log is missing." in told.stderr) == (1, True)
