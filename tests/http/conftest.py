"""Names that lead where a test wants, a certificate, and a listener that nobody may reach."""

import ssl
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from helpdesk_core.http.outbound import Outbound
from helpdesk_core.settings import Settings
from tests.http.servers import Server, answering, ok, server_context

NAME = "hooks.example.com"


@pytest.fixture
def serve():
    """Starts servers that live as long as the test."""
    with ExitStack() as stack:
        yield lambda behave, **options: stack.enter_context(Server(behave, **options).running())


@pytest.fixture
def canary(serve):
    """Listens at loopback, where no request may arrive; the test fails if one does."""
    server = serve(answering(ok(b"internal")), host="127.0.0.2")
    yield server
    assert server.connections == 0


@pytest.fixture
def outbound():
    """Makes the service; names lead to 127.0.0.1, the one address beyond public ones that is allowed."""

    def make(*addresses, allow=("127.0.0.1/32",), trusted=None, **settings):
        found = list(addresses or ["127.0.0.1"])
        return Outbound(Settings(outbound_allow=allow, **settings), lambda host, port: found, trusted=trusted)

    return make


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for hooks.example.com, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "hooks.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(certificate):
    return server_context(certificate)


@pytest.fixture
def trusting(certificate):
    return ssl.create_default_context(cafile=certificate)
