"""Tokens of links are sealed with the installation's key, and with those of before."""

from datetime import UTC, datetime

import pytest

from helpdesk_core.accounts.links import Claim, Links, key_in
from helpdesk_core.clock import SystemClock
from helpdesk_core.settings import Settings

WHEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
CLAIM = Claim("reset_password", 5, WHEN, ["ada@example.com", 1])


def links(key, *previous):
    return Links(Settings(secret_key=key * 40, previous_secret_keys=[each * 40 for each in previous]), SystemClock())


def test_a_token_is_always_the_same_and_nobody_elses():
    assert links("a").token(CLAIM) == links("a").token(CLAIM) != links("b").token(CLAIM)
    assert links("a").link(CLAIM) == f"http://localhost:8000/account/reset-password/#{links('a').token(CLAIM)}"


@pytest.mark.parametrize(
    "other",
    [
        Claim("verify_email", 5, WHEN, CLAIM.facts),
        Claim("reset_password", 6, WHEN, CLAIM.facts),
        Claim("reset_password", 5, WHEN.replace(second=1), CLAIM.facts),
        Claim("reset_password", 5, WHEN, ["ada@example.com", 2]),
        Claim("reset_password", 5, WHEN, ["ada@example.com,1"]),
    ],
)
def test_a_token_fits_its_claim_alone(other):
    token = links("a").token(CLAIM)
    assert links("a").fits(token, CLAIM)
    assert not links("a").fits(token, other)


def test_a_token_outlives_the_change_of_the_key():
    token = links("a").token(CLAIM)
    assert links("b", "a").fits(token, CLAIM)
    assert not links("b").fits(token, CLAIM)


@pytest.mark.parametrize(
    ("token", "key"),
    [("5.x", 5), ("", 0), (".x", 0), ("x.x", 0), ("-5.x", 0), ("\u0665.x", 0), (f"{2**63}.x", 0), ("9" * 40 + ".x", 0)],
)
def test_a_token_names_a_key_that_the_database_can_look_for(token, key):
    assert key_in(token) == key
