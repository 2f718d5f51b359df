"""URLs that lead inside, in every notation we know, reach nobody: neither when saved nor when used."""

import httpx2
import pytest

from helpdesk_core.http.failures import OutboundError, UnsafeUrl
from helpdesk_core.http.outbound import Outbound
from helpdesk_core.settings import Settings

PUBLIC = "93.184.216.34"

UNUSUAL, LITERAL, INTERNAL = "in an unusual form", "a name, not an address", "not a name of the public internet"
UNREADABLE, USER, NO_HOST, SCHEME = "cannot be read", "user name or a password", "names no host", "begin with https"
UNSEEN, INVALID, DOT, PORT = "cannot be seen", "not a valid name", "end with a dot", "The port"

STOPPED = (OutboundError, httpx2.InvalidURL, UnicodeEncodeError)  # some are too strange to become a request at all

# {port} is a port at which somebody listens, and which is open: the host alone is what is wrong.
HOSTILE = {
    # IPv4 addresses, as they are and as resolvers take them
    "https://127.0.0.2:{port}/": LITERAL,
    "https://93.184.216.34:{port}/": LITERAL,
    "https://169.254.169.254:{port}/latest/meta-data/": LITERAL,
    "https://0.0.0.0:{port}/": LITERAL,
    "https://10.0.0.1:{port}/": LITERAL,
    "https://255.255.255.255:{port}/": LITERAL,
    "https://127.2:{port}/": UNUSUAL,
    "https://127.0.2:{port}/": UNUSUAL,
    "https://2130706434:{port}/": UNUSUAL,
    "https://0:{port}/": UNUSUAL,
    "https://0x7f000002:{port}/": UNUSUAL,
    "https://0X7F000002:{port}/": UNUSUAL,
    "https://0x7f.0.0.2:{port}/": UNUSUAL,
    "https://0x7f.2:{port}/": UNUSUAL,
    "https://0x:{port}/": UNUSUAL,
    "https://017700000002:{port}/": UNUSUAL,
    "https://0177.0.0.2:{port}/": UNREADABLE,
    "https://127.0.0.02:{port}/": UNREADABLE,
    "https://127.0.0.258:{port}/": UNREADABLE,
    "https://127.0.0.2.:{port}/": UNUSUAL,
    "https://127.0.0.0x2:{port}/": UNUSUAL,
    "https://1.127.0.0.2:{port}/": UNUSUAL,
    "https://hooks.example.127:{port}/": UNUSUAL,
    "https://127。0。0。2:{port}/": UNUSUAL,
    "https://127\uff0e0\uff0e0\uff0e2:{port}/": UNUSUAL,
    "https://\uff11\uff12\uff17.0.0.2:{port}/": UNREADABLE,
    "https://127.0.0.②:{port}/": UNREADABLE,
    "https://%31%32%37.0.0.2:{port}/": UNREADABLE,
    "https://127.0.0.2%00.example.com:{port}/": UNREADABLE,
    # IPv6 addresses, and what can be within
    "https://[::1]:{port}/": LITERAL,
    "https://[::]:{port}/": LITERAL,
    "https://[0:0:0:0:0:0:0:1]:{port}/": LITERAL,
    "https://[::ffff:127.0.0.2]:{port}/": LITERAL,
    "https://[::ffff:7f00:2]:{port}/": LITERAL,
    "https://[::FFFF:169.254.169.254]:{port}/": LITERAL,
    "https://[::127.0.0.2]:{port}/": LITERAL,
    "https://[64:ff9b::7f00:2]:{port}/": LITERAL,
    "https://[64:ff9b::169.254.169.254]:{port}/": LITERAL,
    "https://[64:ff9b:1::7f00:2]:{port}/": LITERAL,
    "https://[2002:7f00:2::]:{port}/": LITERAL,
    "https://[2001:0:7f00:2::]:{port}/": LITERAL,
    "https://[fe80::1]:{port}/": LITERAL,
    "https://[fd00:ec2::254]:{port}/": LITERAL,
    "https://[ff02::1]:{port}/": LITERAL,
    "https://[fe80::1%25lo]:{port}/": UNREADABLE,
    "https://[fe80::1%lo]:{port}/": UNREADABLE,
    "https://[::1%25]:{port}/": UNREADABLE,
    "https://[127.0.0.2]:{port}/": UNREADABLE,
    "https://[v1.127]:{port}/": UNREADABLE,
    "https://[::1:{port}/": UNREADABLE,
    "https://::1:{port}/": NO_HOST,
    # names of this machine and this network
    "https://localhost:{port}/": INTERNAL,
    "https://LOCALHOST:{port}/": INTERNAL,
    "https://ⓛocalhost:{port}/": UNREADABLE,
    "https://api.localhost:{port}/": INTERNAL,
    "https://localhost.localdomain:{port}/": INTERNAL,
    "https://localhost.:{port}/": DOT,
    "https://hooks.example.com.:{port}/": DOT,
    "https://printer.local:{port}/": INTERNAL,
    "https://metadata.google.internal:{port}/computeMetadata/v1/": INTERNAL,
    "https://router.home.arpa:{port}/": INTERNAL,
    "https://intranet:{port}/": INTERNAL,
    # users, and who is the host after all
    "https://hooks.example.com@127.0.0.2:{port}/": USER,
    "https://hooks.example.com:443@127.0.0.2:{port}/": USER,
    "https://user:secret@hooks.example.com:{port}/": USER,
    "https://@hooks.example.com:{port}/": USER,
    "https://127.0.0.2:{port}@hooks.example.com/": USER,
    "https://hooks.example.com&@127.0.0.2:{port}#@example.org/": USER,
    "https://hooks.example.com\\@127.0.0.2:{port}/": UNSEEN,
    "https://127.0.0.2:{port}\\.example.com/": UNSEEN,
    "https:\\\\127.0.0.2:{port}/": UNSEEN,
    "https://hooks.example.com%40127.0.0.2:{port}/": UNREADABLE,
    "https://127.0.0.2:{port}:443/": UNREADABLE,
    "https://hooks.example.com:{port}:127.0.0.2/": UNREADABLE,
    # characters that programs leave out, or stop at
    " https://hooks.example.com:{port}/": UNSEEN,
    "https://hooks.example.com:{port}/ HTTP/1.1": UNSEEN,
    "https://hooks.example.com:{port}/\r\nX-Injected: 1": UNSEEN,
    "https://hooks.example.com\t:{port}/": UNSEEN,
    "https://127.0.0.2\x00:{port}/": UNSEEN,
    "ht\ntps://hooks.example.com:{port}/": UNSEEN,
    "https://hooks.exa\u200bmple.com:{port}/": UNSEEN,
    "https://hooks.example.com\u2028:{port}/": UNSEEN,
    "https://hooks.example.com\uff0f@127.0.0.2:{port}/": USER,
    "https://hooks.example.com\uff0f.127.0.0.2:{port}/": UNREADABLE,
    "https://hooks.example.com:{port}/\ud800": UNSEEN,
    # schemes
    "http://hooks.example.com:{port}/": SCHEME,
    "HTTP://hooks.example.com:{port}/": SCHEME,
    "ftp://hooks.example.com:{port}/": SCHEME,
    "file:///etc/passwd": SCHEME,
    "gopher://127.0.0.2:{port}/_SET%20x": SCHEME,
    "dict://127.0.0.2:{port}/info": SCHEME,
    "ws://hooks.example.com:{port}/": SCHEME,
    "javascript:alert(1)": SCHEME,
    "data:text/plain,x": SCHEME,
    "//127.0.0.2:{port}/": SCHEME,
    "/internal": SCHEME,
    "https:127.0.0.2:{port}/": SCHEME,
    "https:/127.0.0.2:{port}/": SCHEME,
    "url:https://127.0.0.2:{port}/": SCHEME,
    "": SCHEME,
    # no host, no name, no port
    "https://": NO_HOST,
    "https:///127.0.0.2:{port}/": NO_HOST,
    "https://:{port}/": NO_HOST,
    "https://?127.0.0.2": NO_HOST,
    "https://#127.0.0.2": NO_HOST,
    "https://hooks..example.com:{port}/": INVALID,
    "https://.example.com:{port}/": INVALID,
    "https://-hooks.example.com:{port}/": INVALID,
    "https://hooks.example.com;127.0.0.2.org:{port}/": INVALID,
    "https://hooks,127.0.0.2.org:{port}/": INVALID,
    "https://{{host}}.example.com:{port}/": INVALID,
    "https://" + "a" * 64 + ".example.com:{port}/": INVALID,
    "https://" + "a." * 126 + "com:{port}/": INVALID,
    "https://hooks.example.com:22/": PORT,
    "https://hooks.example.com:6379/": PORT,
    "https://hooks.example.com:0/": PORT,
    "https://hooks.example.com:65536/": PORT,
    "https://hooks.example.com:-443/": UNREADABLE,
    "https://hooks.example.com:4_43/": UNREADABLE,
    "https://hooks.example.com:\uff14\uff14\uff13/": UNREADABLE,
    "https://hooks.example.com:443x/": UNREADABLE,
    "https://hooks.example.com:/": UNREADABLE,
    "https://hooks.example.com:{port}/" + "a" * 2000: "longer than 2000",
}

NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 169.254.0.1 169.254.169.254
172.16.0.1 172.31.255.254 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16
:: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::1 64:ff9b:1::8.8.8.8 100::1 2001:: 2001:0:7f00:1::
2001:2::1 2001:10::1 2001:db8::1 2002:7f00:1:: 2002:a9fe:a9fe:: 2002:808:808:: 3fff::1 5f00::1 4000::1 fc00::1
fd00:ec2::254 fe80::1 fec0::1 ff02::1 ff0e::1 ffff::1 127.0.0.1%lo fe80::1%lo 2606:4700::1111%lo nonsense
"""
IS_PUBLIC = """
1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 168.63.129.17 192.0.1.1 223.255.255.254
2606:4700::1111 2a00:1450:4001:810::200e 64:ff9b::8.8.8.8 ::ffff:8.8.8.8
"""


def refusal(outbound, url):
    with pytest.raises(UnsafeUrl) as refused:
        outbound.check(url)
    return refused.value.reason


def service(*addresses, port=443, **settings):
    return Outbound(Settings(outbound_ports=(80, 443, port), **settings), lambda host, at: list(addresses))


@pytest.mark.parametrize(("url", "reason"), HOSTILE.items(), ids=ascii)
def test_hostile_urls_reach_nobody(canary, url, reason):
    url = url.replace("{port}", str(canary.port))
    told = refusal(service(PUBLIC, port=canary.port), url)
    assert reason in told
    assert "secret" not in told
    with pytest.raises(OutboundError) as refused:
        service("127.0.0.2", port=canary.port).request("GET", url, timeout=1)
    assert refused.value.kind == "refused"
    with service("127.0.0.2", port=canary.port).client(timeout=1) as client, pytest.raises(STOPPED):
        client.get(url)


def test_the_corpus_is_large():
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "https://hooks.example.com:443/services/T0/B0?token=x&y=%20#part",
        "HTTPS://Hooks.Example.COM:80/a@b",
        "https://bücher.example/grüße?q=ä",
        "https://xn--bcher-kva.example/",
        "https://0x7f.example.com/",
        "https://127.0.0.1.example.com/",
        "https://under_score.example.com/",
    ],
)
def test_urls_of_the_public_internet_are_taken(url):
    service(PUBLIC).check(url)


@pytest.mark.parametrize("address", NOT_PUBLIC.split())
def test_names_with_an_address_that_is_not_public_are_refused(address):
    for addresses in ([address], [PUBLIC, address], [address, PUBLIC]):
        assert refusal(service(*addresses), "https://hooks.example.com/") == (
            "The host has an address that is not of the public internet."
        )


@pytest.mark.parametrize("address", IS_PUBLIC.split())
def test_names_with_public_addresses_are_taken(address):
    service(address, PUBLIC).check("https://hooks.example.com/")


def test_names_without_an_address_are_refused_with_that_reason():
    def unknown(host, port):
        raise OSError

    missing = "The host has no address: there is no such name."
    assert refusal(Outbound(Settings(), unknown), "https://hooks.example.com/") == missing
    assert refusal(service(), "https://hooks.example.com/") == missing


def test_a_host_that_cannot_be_public_is_not_even_looked_up():
    def asked(host, port):
        raise AssertionError(host)

    for url in ("http://hooks.example.com/", "https://db.internal/", "https://[::1]/", "https://127.1/"):
        refusal(Outbound(Settings(), asked), url)


class TestAllowedNetworks:
    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:8080/",
            "http://localhost/",
            "https://hooks.internal:22/",
            "http://hooks.example.com:8080/",
            "http://hooks/",
        ],
    )
    def test_lift_the_rules_for_scheme_port_and_name(self, url):
        service("127.0.0.1", outbound_allow=("127.0.0.0/8",)).check(url)

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.1/",
            "http://2130706433/",
            "http://127。0。0。1/",
            "http://0177.0.0.1/",
            "http://user@127.0.0.1/",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::127.0.0.1]/",
            "http://localhost./",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
        ],
    )
    def test_lift_no_other_rule(self, url):
        refusal(service("127.0.0.1", outbound_allow=("127.0.0.0/8",)), url)

    @pytest.mark.parametrize("other", ["10.0.0.1", PUBLIC])
    def test_have_to_hold_every_address_of_a_host(self, other):
        mixed = service("127.0.0.1", other, outbound_allow=("127.0.0.0/8",))
        assert refusal(mixed, "http://hooks.example.com:8080/") == "The URL must begin with https://."

    def test_leave_public_hosts_as_they_are(self):
        allowing = service(PUBLIC, outbound_allow=("127.0.0.0/8",))
        allowing.check("https://hooks.example.com/")
        refusal(allowing, "http://hooks.example.com/")
        refusal(allowing, "https://hooks.example.com:22/")
