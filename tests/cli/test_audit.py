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
