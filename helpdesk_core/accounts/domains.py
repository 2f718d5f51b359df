"""Proof that a domain is an organisation's: a DNS record that only its owner can set."""

import hmac

import dns.exception
import dns.resolver

from helpdesk_core.accounts.errors import NameServersUnavailable
from helpdesk_core.keys import derived_keys
from helpdesk_core.settings import Settings

LABEL = "_helpdesk"
LIFETIME_SECONDS = 5.0


class DomainProof:
    """Knows the record for each organisation and domain; nothing of it is stored."""

    def __init__(self, settings: Settings) -> None:
        """Derive the keys: today's, and those of before, whose records are still good."""
        self._keys = derived_keys(settings, "domain ownership")

    @staticmethod
    def name(domain: str) -> str:
        """Return the name of the record."""
        return f"{LABEL}.{domain}"

    def value(self, organization_id: int, domain: str) -> str:
        """Return the text of the record."""
        return _value(self._keys[0], organization_id, domain)

    def proves(self, texts: list[str], organization_id: int, domain: str) -> bool:
        """Tell whether one of the texts found is that of the record."""
        return any(_value(key, organization_id, domain) in texts for key in self._keys)


def _value(key: bytes, organization_id: int, domain: str) -> str:
    digest = hmac.digest(key, f"{organization_id} {domain}".encode(), "sha256")
    return f"helpdesk-verification={digest.hex()[:40]}"


class Resolver:
    """Asks the name servers that the machine is configured with."""

    def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name; none when there is no such name.

        Raises:
            NameServersUnavailable: nobody answered within five seconds, or only with a failure (503).
        """
        try:
            answer = self._asked().resolve(f"{name}.", "TXT", lifetime=LIFETIME_SECONDS)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError):
            raise NameServersUnavailable from None
        return [b"".join(record.strings).decode("ascii", "replace") for record in answer]

    def _asked(self) -> dns.resolver.Resolver:
        """Return what asks; the configuration is read each time, because name servers change while we run."""
        return dns.resolver.Resolver()
