"""`helpdesk organization` and `helpdesk user`: the first accounts of an installation."""

import pytest

PASSWORD = "correct horse battery staple"
CREATE = ("user", "create", "--username", "ada", "--email", "ada@acme.com", "--password-stdin")


@pytest.fixture
def acme(helpdesk, migrated):
    """The slug of an organisation."""
    assert helpdesk("organization", "create", "--name", "Acme", "--slug", "acme", "--tier", "basic").exit_code == 0
    return "acme"


def test_an_organization_is_created(helpdesk, rows, acme):
    assert rows("SELECT name, slug, subscription_tier FROM core_organization") == [("Acme", "acme", "basic")]


def test_a_slug_is_made_from_the_name(helpdesk, rows, acme):
    told = helpdesk("organization", "create", "--name", "Globex & Söhne").stdout
    assert told == "Created organization globex-sohne (id 2, tier free).\n"


def test_a_slug_that_is_taken_is_told(refused, acme):
    assert refused("organization", "create", "--name", "Other", "--slug", acme) == (
        "slug: An organization with this slug exists."
    )


def test_wrong_values_are_told_by_their_option(refused, migrated):
    told = refused("organization", "create", "--name", " ", "--slug", "Bad Slug", code=2)
    assert told.startswith("--name: This field may not be blank.; --slug: ")


def test_a_user_is_created_with_a_hashed_password(helpdesk, rows, acme):
    made = helpdesk(*CREATE, "--organization", acme, "--role", "admin", "--platform-admin", input=PASSWORD)
    assert made.stdout == "Created user ada (id 1, admin of acme).\n"
    ((role, platform, stored),) = rows("SELECT role, is_platform_admin, password_hash FROM core_user")
    assert (role, platform) == ("admin", 1)
    assert stored.startswith("$argon2id$")


def test_a_password_may_be_typed_twice(helpdesk, acme):
    arguments = [each for each in CREATE if each != "--password-stdin"]
    made = helpdesk(*arguments, "--organization", acme, input=f"{PASSWORD}\n{PASSWORD}\n")
    assert made.exit_code == 0
    assert PASSWORD not in made.output


@pytest.mark.parametrize("password", ["short", "password123", "ada@acme.com"])
def test_a_password_that_anybody_guesses_is_refused(refused, rows, acme, password):
    told = refused(*CREATE, "--organization", acme, input=password, code=2)
    assert told.startswith("This password cannot be used. ")
    assert rows("SELECT * FROM core_user") == []


def test_an_unknown_organization_is_told(refused, migrated):
    assert refused(*CREATE, "--organization", "nobody", input=PASSWORD).startswith("There is no organization 'nobody'")


def test_a_name_that_is_taken_is_told(helpdesk, refused, acme):
    helpdesk(*CREATE, "--organization", acme, input=PASSWORD)
    assert refused(*CREATE, "--organization", acme, input=PASSWORD) == "username: This user name is taken."


@pytest.mark.parametrize("name", ["ada", "ADA@acme.com"])
def test_a_password_is_set_by_user_name_or_address(helpdesk, rows, acme, name):
    helpdesk(*CREATE, "--organization", acme, input=PASSWORD)
    before = rows("SELECT password_hash, token_version FROM core_user")
    told = helpdesk("user", "set-password", name, "--password-stdin", input="another wonderful secret\n")
    assert told.stdout == "Set the password of ada.\n"
    ((stored, version),) = rows("SELECT password_hash, token_version FROM core_user")
    assert stored != before[0][0]
    assert version > before[0][1]


def test_an_unknown_user_is_told(refused, migrated):
    assert refused("user", "set-password", "nobody", "--password-stdin", input=PASSWORD) == "There is no user 'nobody'."


def test_nobody_is_created_before_the_database_is(refused, folder):
    told = refused(*CREATE, "--organization", "acme", input=PASSWORD)
    assert told.endswith("run `helpdesk migrate` first.")
