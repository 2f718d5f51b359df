"""From Markdown to HTML that can do no harm, to plain text, and to a table of contents.

Two layers: the renderer passes no HTML through, and a sanitiser lets through only what is listed here, whatever a
renderer may come to do.
"""

import html as entities
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from helpdesk_kb.names import slug_of

TAGS = frozenset(
    [
        *("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "code", "pre", "blockquote", "mark"),
        *("ul", "ol", "li", "a", "img", "table", "thead", "tbody", "tr", "th", "td"),
    ]
)
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    **{heading: {"id"} for heading in ("h2", "h3", "h4", "h5", "h6")},
}
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
ANCHOR = "section-"
"""What the names of headings begin with, so that none can take the place of a name that a script looks for."""
DEEPEST_IN_CONTENTS = 3
LOWEST_HEADING = 6

_BLOCKS = re.compile(r"</(?:p|h[2-6]|li|blockquote|pre|tr|table)>|<(?:br|hr)[^>]*>")
_CELLS = re.compile(r"</t[hd]>")
_MARKUP = re.compile(r"<[^>]*>")
_SPACE = re.compile(r"[ \t]+")


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of the table of contents.

    Attributes:
        level: 2 or 3.
        anchor: where it leads.
        text: as the heading says.
    """

    level: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """An article as it is shown.

    Attributes:
        html: safe to be put into a page as it is.
        text: the same in plain words, one block a line.
        contents: its headings, down to the third level.
    """

    html: str
    text: str
    contents: tuple[Heading, ...]


@lru_cache(maxsize=256)
def render(content: str) -> Rendered:
    """Return what Markdown says. A pure function of the text, so what was rendered once is kept."""
    parser = _parser()
    tokens = parser.parse(content)
    contents = _name_headings(tokens)
    html = _clean(parser.renderer.render(tokens, parser.options, {}))
    return Rendered(html, _text(html), contents)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": True}).enable(["table", "strikethrough", "linkify"])


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer nofollow",
    )


def _name_headings(tokens: Sequence[Token]) -> tuple[Heading, ...]:
    """Give headings names, and move them one level down: the title of the page is the first."""
    found: list[Heading] = []
    taken: dict[str, int] = {}
    for place, token in enumerate(tokens):
        if token.type not in {"heading_open", "heading_close"}:
            continue
        level = min(int(token.tag[1:]) + 1, LOWEST_HEADING)
        token.tag = f"h{level}"
        if token.type == "heading_close":
            continue
        text = _plain(tokens[place + 1].children or ())
        anchor = _free(ANCHOR + slug_of(text), taken)
        token.attrSet("id", anchor)
        if level <= DEEPEST_IN_CONTENTS and text:
            found.append(Heading(level, anchor, text))
    return tuple(found)


def _plain(tokens: Sequence[Token]) -> str:
    return " ".join("".join(token.content for token in tokens if token.type in {"text", "code_inline"}).split())


def _free(anchor: str, taken: dict[str, int]) -> str:
    taken[anchor] = taken.get(anchor, 0) + 1
    return anchor if taken[anchor] == 1 else f"{anchor}-{taken[anchor]}"


def _text(html: str) -> str:
    broken = _BLOCKS.sub("\n", _CELLS.sub(" ", html.replace("\n", " ")))
    lines = entities.unescape(_MARKUP.sub("", broken)).split("\n")
    return "\n".join(line for line in (_SPACE.sub(" ", line).strip() for line in lines) if line)
