"""Languages that readers wish for, and the best of those that there are."""

import re
from collections.abc import Collection, Iterator, Sequence

from helpdesk_core.api import LANGUAGES

MOST_ACCEPTED = 10
"""Languages of `Accept-Language` that are looked at; people list a few, programs may list anything."""
RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})

_RANGE = re.compile(r"\s*([A-Za-z]{2})((?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?")
_REGION = re.compile(r"-([A-Za-z]{2})(?=-|$)")
_OWN_NAMES = """
    ar العربية; bg Български; bn বাংলা; ca Català; cs Čeština; da Dansk; de Deutsch; el Ελληνικά; en English;
    es Español; et Eesti; eu Euskara; fa فارسی; fi Suomi; fr Français; ga Gaeilge; gl Galego; he עברית; hi हिन्दी;
    hr Hrvatski; hu Magyar; id Bahasa Indonesia; is Íslenska; it Italiano; ja 日本語; ko 한국어; lt Lietuvių;
    lv Latviešu; ms Bahasa Melayu; mt Malti; nb Norsk bokmål; nl Nederlands; nn Norsk nynorsk; no Norsk; pl Polski;
    pt Português; rm Rumantsch; ro Română; ru Русский; sk Slovenčina; sl Slovenščina; sq Shqip; sr Српски; sv Svenska;
    th ไทย; tr Türkçe; uk Українська; ur اردو; vi Tiếng Việt; zh 中文
"""
OWN_NAMES = {code: name for code, _, name in (entry.strip().partition(" ") for entry in _OWN_NAMES.split(";"))}


def accepted(header: str) -> tuple[str, ...]:
    """Return the languages of an `Accept-Language` header, the most wished for first.

    >>> accepted("de-at, en;q=0.5, fr;q=0.8, *;q=0.1, nonsense"), accepted("de;q=0")
    (('de-AT', 'fr', 'en'), ())
    """
    found = sorted(_weighed(header), key=lambda pair: -pair[0])
    return tuple(tag for weight, tag in found if weight > 0)


def best(wished: Sequence[str], available: Collection[str]) -> str | None:
    """Return which of the `available` languages comes nearest to what is wished for, the first wish first.

    A region falls back to the language without one, and then to another region of it.

    >>> best(["de-AT", "fr"], {"fr", "de"}), best(["de"], {"de-CH", "fr"}), best(["it"], {"fr"})
    ('de', 'de-CH', None)
    """
    for wish in wished:
        plain = wish.partition("-")[0]
        alike = sorted(tag for tag in available if tag.partition("-")[0] == plain)
        found = next((tag for tag in (wish, plain, *alike) if tag in available), None)
        if found is not None:
            return found
    return None


def own_name(tag: str) -> str:
    """Return what those who speak a language call it; its English name where that is not known here.

    >>> own_name("de"), own_name("pt-BR"), own_name("co")
    ('Deutsch', 'Português (BR)', 'Corsican')
    """
    plain, _, region = tag.partition("-")
    name = OWN_NAMES.get(plain) or LANGUAGES.get(plain, plain)
    return f"{name} ({region})" if region else name


def direction(tag: str) -> str:
    """Return `rtl` for languages that are written from right to left, else `ltr`."""
    return "rtl" if tag.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def _weighed(header: str) -> Iterator[tuple[float, str]]:
    for part in header.split(",")[:MOST_ACCEPTED]:
        match = _RANGE.fullmatch(part)
        if match is None or match[1].lower() not in LANGUAGES:
            continue
        region = _REGION.search(match[2])
        tag = match[1].lower() + (f"-{region[1].upper()}" if region else "")
        yield float(match[3] or 1), tag
