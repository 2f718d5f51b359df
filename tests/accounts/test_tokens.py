import base64
import json
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from helpdesk_core.accounts.tokens import BadToken, Tokens
from helpdesk_core.schemas import Dialect
from helpdesk_core.settings import Settings
from helpdesk_core.testing import TestClock

KEY = "the key of these tests is long enough"


@pytest.fixture
def clock():
    return TestClock()


@pytest.fixture
def tokens(clock):
    return Tokens(Settings(secret_key=KEY), clock)


@pytest.fixture
def token(tokens):
    return tokens.issue(user_id=7, login_id=9, version=3, dialect=Dialect.CLASSIC)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def signed(tokens, claims, **header):
    """A token with the right signature and whatever else."""
    return jwt.encode(
        {"alg": "HS256", "kid": tokens._signer._kid, "typ": "at+jwt", **header}, claims, tokens._signer._key
    )


def test_a_token_says_who_logged_in(tokens, token, clock):
    access = tokens.read(token)
    assert (access.user_id, access.login_id, access.version, access.dialect) == (7, 9, 3, Dialect.CLASSIC)
    assert access.expires_at == clock.now() + timedelta(minutes=15)


def test_no_two_tokens_are_the_same(tokens, token):
    assert tokens.issue(user_id=7, login_id=9, version=3, dialect=Dialect.CLASSIC) != token


def test_a_token_runs_out(tokens, token, clock):
    clock.advance(minutes=14, seconds=59)
    tokens.read(token)
    clock.advance(seconds=1)
    with pytest.raises(BadToken):
        tokens.read(token)


def test_another_process_with_the_same_key_reads_it(token, clock):
    assert Tokens(Settings(secret_key=KEY), clock).read(token).user_id == 7


def test_another_key_does_not(token, clock):
    with pytest.raises(BadToken):
        Tokens(Settings(secret_key=KEY[::-1]), clock).read(token)


@pytest.mark.parametrize("claim", [{"iss": "somebody"}, {"aud": "another-api"}, {"exp": 1}], ids=str)
def test_every_claim_has_to_be_ours(tokens, token, claim):
    with pytest.raises(BadToken):
        tokens.read(signed(tokens, claims_of(token) | claim))


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"typ": "refresh"}, {"kid": "another"}], ids=str)
def test_the_header_has_to_be_ours(tokens, token, header):
    with pytest.raises(BadToken):
        tokens.read(signed(tokens, claims_of(token), **header))


def test_the_signature_has_to_be_ours(tokens, token):
    header, payload, signature = token.split(".")
    claims = part(claims_of(token) | {"sub": "1"})
    forged = [
        f"{part({'alg': 'none', 'typ': 'at+jwt', 'kid': tokens._signer._kid})}.{payload}.",
        f"{part({'alg': 'none', 'typ': 'at+jwt', 'kid': tokens._signer._kid})}.{payload}.{signature}",
        f"{part({'alg': 'RS256', 'typ': 'at+jwt', 'kid': tokens._signer._kid})}.{payload}.{signature}",
        f"{part({'alg': 'HS256', 'crit': ['x'], 'typ': 'at+jwt', 'kid': tokens._signer._kid})}.{payload}.{signature}",
        f"{header}.{claims}.{signature}",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        jwt.encode(
            {"alg": "HS256", "kid": tokens._signer._kid, "typ": "at+jwt"}, claims_of(token), OctKey.import_key("x" * 32)
        ),
    ]
    for each in forged:
        with pytest.raises(BadToken):
            tokens.read(each)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "\x00", "é", "x" * 5000, "." * 5000, "eyJ" * 2000], ids=repr)
def test_nonsense_is_no_token(tokens, text):
    with pytest.raises(BadToken):
        tokens.read(text)
