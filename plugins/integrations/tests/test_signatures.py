"""Signatures: the published vector, and what is sent is verified by somebody else's library."""

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from helpdesk_integrations.signatures import headers_for, key_of, masked, new_secret, problem_of, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
UID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
MOMENT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'


def test_the_published_vector_is_signed_as_published():
    assert sign(SECRET, UID, MOMENT, BODY) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "secret", [new_secret(), SECRET, "webhook_secret_key", "ein Schlüssel mit Umlaut"], ids=range(4)
)
def test_another_library_verifies_what_is_signed(secret):
    now = datetime.now(UTC)
    verifier = Webhook(base64.b64encode(key_of(secret)).decode())
    headers = headers_for([secret], UID, now, BODY)
    assert verifier.verify(BODY, headers) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        verifier.verify(BODY + b" ", headers)


def test_both_secrets_verify_during_a_rotation():
    old, new, now = new_secret(), new_secret(), datetime.now(UTC)
    headers = headers_for([new, old], UID, now, BODY)
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


@pytest.mark.parametrize(
    ("secret", "fits"),
    [
        (SECRET, True),
        ("webhook_secret_key", True),
        ("sixteen letters!", True),
        ("fifteen letters", False),
        ("whsec_", False),
        ("whsec_not base64 at all, by no means!", False),
        ("whsec_" + base64.b64encode(b"x" * 23).decode(), False),
        ("whsec_" + base64.b64encode(b"x" * 24).decode(), True),
        ("whsec_" + base64.b64encode(b"x" * 64).decode(), True),
        ("whsec_" + base64.b64encode(b"x" * 65).decode(), False),
    ],
)
def test_secrets_are_long_enough(secret, fits):
    assert (problem_of(secret) is None) == fits


def test_a_mask_tells_nothing_but_the_kind():
    assert masked(SECRET) == "whsec_********"
    assert masked("webhook_secret_key") == "********"
