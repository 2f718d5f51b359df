"""Reading URLs as strictly as can be: what two programs could read in two ways is refused."""

import ipaddress
import re
from dataclasses import dataclass

import httpx2

from helpdesk_core.http.addresses import Address
from helpdesk_core.http.failures import UnsafeUrl

MAX_LENGTH = 2000
AUTHORITY = re.compile(r"(?:https?)://([^/?#]*)", re.ASCII | re.IGNORECASE)
HOST_AND_PORT = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:]+)(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
LOCAL = ("localhost", "localdomain", "local", "internal", "intranet", "lan", "home.arpa", "onion")
"""Domains that mean something else, or nothing, outside of one network."""
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads.

    Attributes:
        scheme: `http` or `https`.
        host: in ASCII and lower case; IPv6 addresses without brackets.
        port: never left out.
        path: with the query.
        address: of a URL with an address in place of a name.
        objection: why this is refused unless the operator allows all addresses of the host; empty for no reason.
    """

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None
    objection: str

    @property
    def authority(self) -> str:
        """Return what the header `Host` says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def read_url(url: str, ports: tuple[int, ...]) -> Target:
    """Return where `url` leads.

    Raises:
        UnsafeUrl: it is not an absolute http or https URL that can be read in one way only.
    """
    host, port = _split(url)
    try:
        parsed = httpx2.URL(url)
        name, path = parsed.raw_host.decode("ascii"), parsed.raw_path.decode("ascii")
    except (httpx2.InvalidURL, ValueError):  # UnicodeError is one
        raise UnsafeUrl("The URL cannot be read.") from None
    scheme = parsed.scheme
    if scheme not in DEFAULT_PORTS or parsed.userinfo or parsed.port not in {port, None}:
        raise UnsafeUrl("The URL cannot be read.")
    port = port or DEFAULT_PORTS[scheme]
    address = _address(name, host) if host.startswith("[") or _ends_in_a_number(name) else None
    if address is None:
        _require_name(name)
    return Target(scheme, name, port, path, address, _objection(scheme, name, port, address, ports))


def _split(url: str) -> tuple[str, int | None]:
    """Return host and port as they stand in the URL."""
    if len(url) > MAX_LENGTH:
        raise UnsafeUrl(f"The URL is longer than {MAX_LENGTH} characters.")
    if "\\" in url or any(each.isspace() or not each.isprintable() for each in url):
        raise UnsafeUrl("The URL has a space, a backslash or a character that cannot be seen.")
    found = AUTHORITY.match(url)
    if not found:
        raise UnsafeUrl("The URL must begin with https://.")
    if "@" in found[1]:
        raise UnsafeUrl("The URL must not have a user name or a password.")
    if not found[1] or found[1].startswith(":"):
        raise UnsafeUrl("The URL names no host.")
    parts = HOST_AND_PORT.fullmatch(found[1])
    if not parts or "%" in found[1]:
        raise UnsafeUrl("The host or the port of the URL cannot be read.")
    port = int(parts[2]) if parts[2] else None
    if port is not None and not 0 < port < 65536:
        raise UnsafeUrl("The port of the URL is not a number from 1 to 65535.")
    return parts[1], port


def _ends_in_a_number(name: str) -> bool:
    """Tell whether resolvers and browsers take `name` for an IPv4 address: `127.1`, `0x7f000001`, `2130706433`."""
    return bool(NUMBER.fullmatch(name.removesuffix(".").rpartition(".")[2]))


def _address(name: str, written: str) -> Address:
    try:
        if written.isascii():  # what only looks like dots was made dots
            return ipaddress.ip_address(name)
    except ValueError:
        pass
    raise UnsafeUrl("The host is an address in an unusual form; use a name.")


def _require_name(name: str) -> None:
    if name.endswith("."):
        raise UnsafeUrl("The host must not end with a dot.")
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in name.split(".")):
        raise UnsafeUrl("The host is not a valid name.")


def _objection(scheme: str, name: str, port: int, address: Address | None, ports: tuple[int, ...]) -> str:
    if address:
        return "The host must be a name, not an address."
    if "." not in name or any(f".{name}".endswith(f".{domain}") for domain in LOCAL):
        return "The host is not a name of the public internet."
    if scheme == "http":
        return "The URL must begin with https://."
    if port not in ports:
        return f"The port must be {' or '.join(map(str, ports))}." if ports else "No port is open to such requests."
    return ""
