import pytest
from argon2 import PasswordHasher, extract_parameters

from helpdesk_core.accounts.passwords import Passwords, common_passwords, password_problem
from helpdesk_core.settings import Settings


@pytest.fixture(scope="module")
def passwords():
    return Passwords(Settings(password_cost="low"))


def test_three_thousand_are_too_common():
    assert len(common_passwords()) == 3000
    assert min(map(len, common_passwords())) >= 8


@pytest.mark.parametrize("password", ["PassWord", "iloveyou", "1234567", "x" * 1025, "Ada Lovelace", "ADA@example.com"])
def test_some_may_not_be_used(password):
    assert password_problem(password, ("ada", "ada@example.com", "Ada Lovelace"))


@pytest.mark.parametrize("password", ["securepassword123", "x" * 1024, "ada-and-more", "        ", "пароль-пароль"])
def test_all_others_may(password):
    assert password_problem(password, ("ada", "ada@example.com", "", "Ada Lovelace")) is None


def test_only_the_right_one_is_verified(passwords):
    stored = passwords.hash("a long secret")
    assert stored.startswith("$argon2id$")
    assert passwords.verify(stored, "a long secret")
    assert not passwords.verify(stored, "a long secret ")


def test_accents_may_be_typed_either_way(passwords):
    assert passwords.verify(passwords.hash("caf\u00e9 au lait"), "cafe\u0301 au lait")


def test_nobody_has_the_password_of_nobody(passwords):
    assert not passwords.verify(None, "nobody has this password")
    assert not passwords.verify("", "nobody has this password")
    assert not passwords.verify("not a hash", "nobody has this password")


def test_nobodys_password_is_as_much_work_as_anybodys(passwords, monkeypatch):
    compared = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda *given: compared.append(given[1]) or verify(*given))
    passwords.verify(None, "a guess")
    assert extract_parameters(compared[0]) == extract_parameters(passwords.hash("a long secret"))
