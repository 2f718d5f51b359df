import base64
import hashlib
import struct
import zlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest

from helpdesk_core.accounts import otp

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SEED = b"1234567890"
VECTORS = [  # RFC 6238, appendix B
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]
HASHES = {"sha1": 20, "sha256": 32, "sha512": 64}


def base32(length):
    return base64.b32encode((SEED * 7)[:length]).decode()


@pytest.fixture
def secret():
    return otp.new_secret()


@pytest.mark.parametrize(("seconds", "code"), [row[:2] for row in VECTORS])
def test_codes_are_those_of_the_standard(seconds, code):
    assert otp.code_at(base32(20), datetime.fromtimestamp(seconds, UTC), digits=8) == code


@pytest.mark.parametrize("row", VECTORS, ids=lambda row: str(row[0]))
@pytest.mark.parametrize(("place", "name"), list(enumerate(HASHES, start=1)))
def test_the_library_knows_every_vector_of_the_standard(row, place, name):
    made = pyotp.TOTP(base32(HASHES[name]), digits=8, digest=getattr(hashlib, name)).at(row[0])
    assert made == row[place]


def test_a_secret_has_160_bits_and_is_new_each_time(secret):
    assert len(base64.b32decode(secret)) == 20
    assert otp.new_secret() != secret


@pytest.mark.parametrize(("seconds", "taken"), [(-31, False), (-30, True), (0, True), (59, True), (60, False)])
def test_a_code_is_taken_one_step_early_or_late(secret, seconds, taken):
    code = otp.code_at(secret, NOW)
    step = otp.step_of(secret, code, NOW + timedelta(seconds=seconds))
    assert step == (int(NOW.timestamp()) // 30 if taken else None)


@pytest.mark.parametrize("form", ["{} ", " {}", "{}0", "0{}", "+{}", "{}\n"], ids=repr)
def test_only_six_digits_are_a_code(secret, form):
    code = otp.code_at(secret, NOW)
    assert otp.step_of(secret, code, NOW) is not None
    assert otp.step_of(secret, form.format(code), NOW) is None
    assert otp.step_of(secret, code[:5], NOW) is None


def test_digits_of_other_scripts_are_none(secret):
    code = otp.code_at(secret, NOW)
    for zero in ("\u0660", "\uff10"):
        assert otp.step_of(secret, "".join(chr(ord(zero) + int(digit)) for digit in code), NOW) is None


def test_the_address_tells_an_app_everything(secret):
    address = urlsplit(otp.address_of(secret, owner="jo", issuer="Acme: Support"))
    assert (address.scheme, address.netloc, unquote(address.path)) == ("otpauth", "totp", "/Acme  Support:jo")
    given = parse_qs(address.query)
    assert given["secret"] == [secret]
    assert given["issuer"] == ["Acme  Support"]


@pytest.mark.parametrize("name", ["jo", "\U0001f600" * 255, "a" * 255, ":"], ids=["short", "faces", "long", "colon"])
def test_any_name_fits_into_a_qr_code(secret, name):
    head, _, data = otp.qr_code(otp.address_of(secret, owner=name, issuer=name)).partition(",")
    assert head == "data:image/png;base64"
    png = base64.b64decode(data)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert width == height >= 4 * 21
    start = png.index(b"IDAT") + 4
    assert zlib.decompressobj().decompress(png[start:])
