"""What is asked of name servers, and what is made of their answers; the name server here is one on loopback."""

import socketserver
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from pydantic import SecretStr

from helpdesk_core.accounts import domains
from helpdesk_core.accounts.domains import DomainProof, Resolver
from helpdesk_core.accounts.errors import NameServersUnavailable
from helpdesk_core.settings import Settings

KNOWN = {
    "_helpdesk.acme.com.": ['"v=spf1 -all"', '"in two " "parts"', '"caf\\233"'],
    "_helpdesk.empty.com.": [],
}


class Answering(socketserver.BaseRequestHandler):
    def handle(self):
        data, socket = self.request
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text()
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        if name.endswith("broken.com."):
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif name not in KNOWN:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif KNOWN[name]:
            reply.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", "TXT", KNOWN[name]))
        socket.sendto(reply.to_wire(), self.client_address)


@pytest.fixture
def resolver(monkeypatch):
    """Asks a name server on loopback."""
    server = socketserver.UDPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    asked = dns.resolver.Resolver(configure=False)
    asked.nameservers, asked.port = ["127.0.0.1"], server.server_address[1]
    monkeypatch.setattr(Resolver, "_asked", lambda _: asked)
    yield Resolver()
    server.shutdown()
    thread.join()
    server.server_close()


def test_finds_texts_and_joins_their_parts(resolver):
    assert sorted(resolver.texts("_helpdesk.acme.com")) == ["caf\ufffd", "in two parts", "v=spf1 -all"]


@pytest.mark.parametrize("name", ["_helpdesk.nowhere.com", "_helpdesk.empty.com"])
def test_finds_none_where_there_are_none(resolver, name):
    assert resolver.texts(name) == []


def test_a_failure_is_not_the_same_as_none(resolver, monkeypatch):
    monkeypatch.setattr(domains, "LIFETIME_SECONDS", 0.3)
    with pytest.raises(NameServersUnavailable):
        resolver.texts("_helpdesk.broken.com")


@pytest.mark.parametrize("name", ["a" * 64 + ".com", ".".join(["a" * 60] * 5)])
def test_a_name_that_cannot_be_asked_for_is_a_failure(resolver, name):
    with pytest.raises(NameServersUnavailable):
        resolver.texts(name)


def test_a_machine_without_name_servers_is_a_failure(monkeypatch):
    def unconfigured(_):
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(Resolver, "_asked", unconfigured)
    with pytest.raises(NameServersUnavailable):
        Resolver().texts("acme.com")


def test_a_record_stays_good_when_the_secret_key_changes():
    first, second = "first key, of at least 32 characters", "second key, of at least 32 characters"
    before = DomainProof(Settings(secret_key=SecretStr(first)))
    after = DomainProof(Settings(secret_key=SecretStr(second), previous_secret_keys=(first,)))
    stranger = DomainProof(Settings(secret_key=SecretStr(second)))
    record = [before.value(1, "acme.com")]
    assert after.proves(record, 1, "acme.com")
    assert after.value(1, "acme.com") not in record
    assert not stranger.proves(record, 1, "acme.com")
    assert not before.proves(record, 11, "acme.com")
    assert not before.proves(record, 1, "1 acme.com")
