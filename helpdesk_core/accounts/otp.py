"""One-time codes of devices: TOTP as RFC 6238 has it, with what every authenticator app understands.

SHA-1, six digits, thirty seconds, and one step of tolerance either way for clocks that are a little off.
"""

from datetime import datetime

import pyotp
import segno
from pyotp.exceptions import OTPVerificationError

DIGITS = 6
TOLERANCE = 1
"""Steps before and after the present one whose code is taken as well."""
LONGEST_ISSUER = 40
LONGEST_OWNER = 64
"""Longer names are cut off, or they might not fit into a QR code: each character can take twelve."""


def new_secret() -> str:
    """Return a secret of 160 bits: 32 characters of base 32."""
    return pyotp.random_base32(length=32)


def code_at(secret: str, moment: datetime, *, digits: int = DIGITS) -> str:
    """Return the code that a device with `secret` shows at `moment`."""
    return pyotp.TOTP(secret, digits=digits).at(moment)


def step_of(secret: str, code: str, moment: datetime) -> int | None:
    """Return the time step whose code `code` is; nothing unless that is the step of `moment` or one next to it."""
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None  # the library would merge compatibility forms, and other scripts have digits as well
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=moment, valid_window=TOLERANCE)
    except OTPVerificationError:
        return None


def address_of(secret: str, *, owner: str, issuer: str) -> str:
    """Return the `otpauth://` address that tells an app everything about a device."""
    plain_issuer = issuer.replace(":", " ")[:LONGEST_ISSUER].strip() or "Helpdesk"
    return pyotp.TOTP(secret).provisioning_uri(name=owner[:LONGEST_OWNER], issuer_name=plain_issuer)


def qr_code(address: str) -> str:
    """Return a QR code of `address` as a PNG in a `data:` address."""
    return str(segno.make(address, error="m").png_data_uri(scale=4))
