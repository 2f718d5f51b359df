"""Tokens that somebody made up, changed or took from elsewhere are all the same 401, by HTTP."""

import base64
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from helpdesk_core.accounts.tokens import Tokens
from helpdesk_core.testing import Client, Installation

PROTECTED = "/users/profile/"


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def forgeries(issuer: Tokens, token: str) -> Iterator[tuple[str, str]]:
    """Iterate over `(what was done, token)`."""
    claims, (header, payload, signature) = claims_of(token), token.split(".")
    ours = {"alg": "HS256", "kid": issuer._signer._kid, "typ": "at+jwt"}

    def signed(changed: dict[str, Any], key: Any = None, **headers: Any) -> str:
        sent = {**ours, **headers}
        return jwt.encode(sent, {**claims, **changed}, key or issuer._signer._key, algorithms=[sent["alg"]])

    rsa, curve = RSAKey.generate_key(2048), ECKey.generate_key("P-256")
    for alg in ("none", "None", "NONE"):
        yield f"algorithm {alg}", f"{part({**ours, 'alg': alg})}.{payload}."
    yield "no algorithm but our signature", f"{part({**ours, 'alg': 'none'})}.{payload}.{signature}"
    digest = hmac.digest(rsa.as_pem(private=False), f"{header}.{payload}".encode(), "sha256")
    confused = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    yield "a public key used as a secret", f"{header}.{payload}.{confused}"
    yield "signed by RSA", signed({}, rsa, alg="RS256")
    yield "signed by a curve", signed({}, curve, alg="ES256")
    yield "another hash", signed({}, OctKey.import_key("k" * 64), alg="HS512")
    yield "another key", signed({}, OctKey.import_key("x" * 32))
    yield (
        "a key that it brings along",
        jwt.encode({**ours, "jwk": rsa.as_dict(private=False), "alg": "RS256"}, claims, rsa, algorithms=["RS256"]),
    )
    yield "a key from an address", f"{part({**ours, 'jku': 'https://example.com/keys'})}.{payload}.{signature}"
    yield "a key from a file", f"{part({**ours, 'kid': '../../dev/null'})}.{payload}.{signature}"
    yield "an extension that nobody knows", f"{part({**ours, 'crit': ['x'], 'x': 1})}.{payload}.{signature}"
    for odd in (1, True, None, 1.5, [1], [{}], [["a"]], {"a": 1}):
        yield f"extensions {odd!r}", f"{part({**ours, 'crit': odd})}.{payload}.{signature}"
    for name in ("alg", "typ", "kid"):
        yield f"a number as {name}", f"{part({**ours, name: 1})}.{payload}.{signature}"
    yield "another user", f"{header}.{part({**claims, 'sub': '1'})}.{signature}"
    yield "another audience", signed({"aud": "another-api"})
    yield "another issuer", signed({"iss": "somebody"})
    for kind in ("JWT", "refresh+jwt", "challenge+jwt"):
        yield f"of type {kind}", signed({}, typ=kind)
    yield "expired", signed({"exp": claims["iat"] - 1})
    yield "cut off", token[:-2]
    yield "without a signature", f"{header}.{payload}"
    yield "giant", signed({"padding": "x" * 10_000})
    yield "with many parts", "." * 4_000
    yield "not text", "\xff\xfe"


def test_forged_tokens_are_all_unauthorized(installation: Installation, member: Client, anonymous: Client) -> None:
    issuer = installation.parts.services.get(Tokens)
    assert member.get(PROTECTED).status_code == 200
    tried = 0
    for what, forged in forgeries(issuer, member.token):
        reply = anonymous.get(PROTECTED, headers={"Authorization": b"Bearer " + forged.encode("latin-1")})
        assert reply.status_code == 401, what
        challenge = reply.headers["WWW-Authenticate"]
        assert challenge.startswith("Bearer "), what
        assert 'error="invalid_token"' in challenge, what
        assert reply.json()["error"]["code"] == "AUTHENTICATION_REQUIRED", what
        assert forged not in reply.text or len(forged) < 3, what
        tried += 1
    assert tried >= 12


@pytest.mark.parametrize("path", ["/users/verify/", "/auth/token/verify/"])
def test_verification_knows_them_too(installation: Installation, member: Client, anonymous: Client, path: str) -> None:
    issuer = installation.parts.services.get(Tokens)
    assert anonymous.post(path, json={"token": member.token}).status_code == 200
    for what, forged in forgeries(issuer, member.token):
        reply = anonymous.post(path, json={"token": forged})
        assert reply.status_code in {400, 401}, what
