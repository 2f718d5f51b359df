"""Texts like those of a help desk: words as unevenly spread as in any language, around common complaints."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, product
from random import Random

FREQUENT = """
the to and I it is my of not on in for when we with that this after cannot please from at be has have no again since
password printer login network email vpn screen error account laptop update server connection request computer access
system slow file update install phone button message office meeting invoice order reset license folder browser driver
keyboard monitor calendar report backup headset permission website payment customer delivery contract warranty
""".split()  # noqa: SIM905 - quoted one by one, they would be hard to read

COMPLAINTS = """
cannot log in to the customer portal
printer on the second floor prints blank pages
vpn drops every few minutes
password reset mail never arrives
laptop does not wake up after an update
shared folder is read only since this morning
invoice shows the wrong address
phone has no dial tone
calendar invitations arrive twice
browser warns about the certificate
""".strip().splitlines()

TAGS = """
login authentication hardware printing network vpn email billing urgent update onboarding license mobile backup access
software performance security phone meeting
""".split()  # noqa: SIM905 - quoted one by one, they would be hard to read

CATEGORIES = ("Hardware", "Software", "Network", "Accounts", "Billing", "Facilities")

WORDS = 20_000
SENTENCES = 30_000


@dataclass(frozen=True)
class Texts:
    """A stock of words and sentences to compose tickets from."""

    words: Sequence[str]
    sentences: Sequence[str]

    def sentence(self, random: Random) -> str:
        """Return one of the stock."""
        return self.sentences[int(random.random() * len(self.sentences))]

    def paragraph(self, random: Random, least: int, most: int) -> str:
        """Return some sentences."""
        return " ".join(self.sentence(random) for _ in range(random.randint(least, most)))


def make(random: Random) -> Texts:
    """Make the stock; the word of rank n occurs about 1/n as often as the first (Zipf's law)."""
    words = _words(random)
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    sentences = []
    for _ in range(SENTENCES):
        chosen = random.choices(words, cum_weights=weights, k=random.randint(7, 16))
        sentences.append(" ".join(chosen).capitalize() + ".")
    return Texts(words, sentences)


def _words(random: Random) -> list[str]:
    syllables = [consonant + vowel for consonant, vowel in product("bdfgjklmnprstvz", "aeiou")]
    invented = ["".join(parts) for parts in islice(product(syllables, repeat=3), 0, None, 17)]
    random.shuffle(invented)
    return [*dict.fromkeys([*FREQUENT, *invented])][:WORDS]
