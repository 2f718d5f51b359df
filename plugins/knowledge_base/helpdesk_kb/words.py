"""Words of questions: which of them mean something, and where they stand in a text."""

import difflib
import html
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

SNIPPET = 200
"""Characters of a passage, about."""
MOST_WORDS = 10
"""Words of a question that are searched for; the index takes no more."""
LOOKED_AT = 20_000
"""Of a text, characters in which a passage is looked for."""
SHORTEST_STEM = 4
CLOSE = 0.75
"""How much a misspelt word must resemble a known one."""

_WORD = re.compile(r"[^\W_]+")
_UNENDED = re.compile(r"(?<=[^\s.!?:;,…])\n")
_STOPWORDS = """
a about after again all am an and any are as at be because been before being but by can cannot could did do does doing
don done down during each even ever few for from further get gets getting got had has have having he hello help her here
hers hi him his how i if im in into is isn it its ive just keep keeps let like ll me more most my need needs no nor not
now of off on once only or other our ours out over own please re same say says see she should so some still such t tell
than thank thanks that the their theirs them then there these they thing things this those through to too try trying
under until up us use using very want was wasn way we were what when where which while who whom why will with won would
yet you your yours ich der die das und ist nicht ein eine einen zu mit auf für von wie kann bitte hallo mein meine
"""
STOPWORDS = frozenset(_STOPWORDS.split())


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a text, as safe HTML.

    Attributes:
        html: escaped, with what was found in `<mark>`.
        found: how many different words stand in it.
    """

    html: str
    found: int


def plain_words(text: str) -> list[str]:
    """Return the words of a text in lower case and without accents."""
    return _WORD.findall(_unaccented(text.lower()))


def telling_words(*texts: str) -> list[str]:
    """Return the words that tell what texts are about, each once, those of the first text first.

    >>> telling_words("How do I reset my password?", "The password is not working, please help")
    ['reset', 'password', 'working']
    """
    words = [word for text in texts for word in plain_words(text)]
    return [word for word in dict.fromkeys(words) if word not in STOPWORDS and (len(word) > 1 or word.isdigit())]


def in_one_line(text: str) -> str:
    r"""Return blocks as one line, with a dot where the end of one would not be seen.

    >>> in_one_line("Block it\nOpen the app.\nTap it.")
    'Block it · Open the app. Tap it.'
    """
    return " ".join(_UNENDED.sub(" · ", text).split())


def passage(text: str, words: Sequence[str]) -> Passage:
    """Return the part of `text` in which most of `words` stand, the earliest of equals."""
    text = in_one_line(text[:LOOKED_AT])
    found_as: dict[str, str] = {}
    hits = []
    for match in _WORD.finditer(text):
        word = match.group()
        if word not in found_as:
            found_as[word] = _matched(word, words)
        if found_as[word]:
            hits.append((match.start(), match.end(), found_as[word]))
    start, found = _densest(hits)
    begin = _word_boundary(text, max(0, start - SNIPPET // 4))
    end = _end(text, begin)
    shown = _marked(text, begin, end, hits)
    return Passage(f"{'… ' if begin else ''}{shown}{' …' if end < len(text) else ''}", found)


def corrected(words: Sequence[str], known: Collection[str]) -> list[str] | None:
    """Return `words` with each unknown one replaced by the known one it resembles; nothing when none is replaced."""
    vocabulary = sorted(known)
    replaced = [word if word in known else next(iter(_close(word, vocabulary)), word) for word in words]
    return replaced if replaced != list(words) else None


def _close(word: str, vocabulary: Sequence[str]) -> Iterable[str]:
    if len(word) < SHORTEST_STEM:
        return ()
    near = [each for each in vocabulary if abs(len(each) - len(word)) <= 2]
    return difflib.get_close_matches(word, near, n=1, cutoff=CLOSE)


def _unaccented(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _matched(found: str, words: Sequence[str]) -> str:
    """Return which of `words` a word of the text stands for: the same, or with another ending."""
    plain = _unaccented(found.lower())
    return next((word for word in words if _alike(plain, word)), "")


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    shorter = min(len(one), len(other))
    stem = max(SHORTEST_STEM, shorter - 2)
    return shorter >= SHORTEST_STEM and one[:stem] == other[:stem] and abs(len(one) - len(other)) <= 3


def _densest(hits: Sequence[tuple[int, int, str]]) -> tuple[int, int]:
    """Return where the stretch begins that has the most different words, and how many."""
    best, most = (hits[0][0], 1) if hits else (0, 0), 0
    for place, (start, _, _) in enumerate(hits):
        within = {word for begin, _, word in hits[place : place + 50] if begin < start + SNIPPET * 3 // 4}
        if len(within) > most:
            best, most = (start, len(within)), len(within)
    return best


def _word_boundary(text: str, near: int) -> int:
    if near == 0:
        return 0
    space = re.compile(r"\s").search(text, near)
    return space.end() if space and space.end() < near + SNIPPET // 4 else near


def _end(text: str, begin: int) -> int:
    if len(text) - begin <= SNIPPET:
        return len(text)
    cut = text.rfind(" ", begin + SNIPPET // 2, begin + SNIPPET)
    return cut if cut > begin else begin + SNIPPET


def _marked(text: str, begin: int, end: int, hits: Iterable[tuple[int, int, str]]) -> str:
    parts, at = [], begin
    for start, stop, _ in hits:
        if start >= at and stop <= end:
            parts += [html.escape(text[at:start]), f"<mark>{html.escape(text[start:stop])}</mark>"]
            at = stop
    parts.append(html.escape(text[at:end]))
    return "".join(parts)
