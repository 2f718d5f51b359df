"""Which IP addresses belong to the public internet, and which ones a name has."""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from threading import Thread

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], list[str]]

GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that is allotted of IPv6; what lies elsewhere is local, multicast, or of no use yet."""
NAT64 = IPv6Network("64:ff9b::/96")
"""How networks without IPv4 write IPv4 addresses; the last 32 bits say where it goes."""
NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's metadata and name servers, at an address that looks public
        "192.0.0.0/24",  # protocol assignments, and Oracle's metadata at 192.0.0.192
        "192.88.99.0/24",  # relays of 6to4, which is no more
        "2001::/32",  # Teredo: an IPv4 address, obscured
        "2002::/16",  # 6to4: an IPv4 address within
        "3fff::/20",  # documentation
    )
)
"""What `ipaddress` takes for public, in one version of Python or another, and should not."""


def is_public(address: Address) -> bool:
    """Tell whether `address` is one host of the public internet, whatever it is wrapped in."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or (IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None)
        if inner:
            return is_public(inner)
        if address not in GLOBAL_UNICAST:
            return False
    special = address.is_multicast or address.is_reserved or is_within(address, NEVER)
    return address.is_global and not special


def is_within(address: Address, networks: Iterable[Network]) -> bool:
    """Tell whether `address` belongs to one of `networks`, as it is written: nothing is unwrapped here."""
    return any(address in network for network in networks)


def system_resolver(host: str, port: int) -> list[str]:
    """Return the addresses that this machine knows for `host`, best first."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def look_up(resolve: Resolver, host: str, port: int, seconds: float) -> list[Address]:
    """Return every address of `host`.

    The lookup has a thread of its own: nothing can interrupt `getaddrinfo`, and whoever runs the name servers of a
    domain decides how long it takes. One that is late ends by itself, when the machine's resolver gives up.

    Raises:
        OSError: there is none, or name servers do not answer; TimeoutError: not in time.
        ValueError: an answer is not an address, or one that holds for a single interface of this machine.
    """
    answer: Future[list[str]] = Future()

    def ask() -> None:
        try:
            answer.set_result(resolve(host, port))
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
            answer.set_exception(error)

    Thread(target=ask, name="look-up", daemon=True).start()
    found = answer.result(timeout=seconds)
    if any("%" in each for each in found):
        raise ValueError("an address with a zone")
    return [ipaddress.ip_address(each) for each in found]
