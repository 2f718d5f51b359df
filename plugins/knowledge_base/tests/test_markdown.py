"""What becomes of Markdown: HTML that can do no harm."""

import re
from html.parser import HTMLParser

import pytest

from helpdesk_kb.markdown import ATTRIBUTES, TAGS, render

ATTACKS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)//",
    "<IMG SRC=javascript:alert(1)>",
    "<img src=`javascript:alert(1)`>",
    "<svg onload=alert(1)>",
    "<svg><script>alert&#40;1&#41;</script></svg>",
    "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
    "<math><mi xlink:href=javascript:alert(1)>x</mi></math>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<iframe src=javascript:alert(1)></iframe>",
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<base href=//evil.example/>",
    '<meta http-equiv=refresh content="0;url=javascript:alert(1)">',
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css';</style>",
    '<p style="background:url(javascript:alert(1))">x</p>',
    "<form action=javascript:alert(1)><input type=submit></form>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<body onload=alert(1)>",
    "<template><script>alert(1)</script></template>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    "<a href=javascript:alert(1)>x</a>",
    '<a href="&#106;avascript:alert(1)">x</a>',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A&#x61&#x76ascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
    '![x" onerror="alert(1)](https://example.com/x.png)',
    '![x](https://example.com/x.png"onerror="alert(1))',
    '[x](https://example.com "title" onmouseover="alert(1)")',
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "[x][y]\n\n[y]: data:text/html,<script>alert(1)</script>",
    "javascript:alert(1)",
    'https://example.com/"onmouseover="alert(1)',
    '```"><script>alert(1)</script>\ncode\n```',
    "```html onload=alert(1)\n<script>alert(1)</script>\n```",
    "`<script>alert(1)</script>`",
    '# <img src=x onerror=alert(1)> "onclick=alert(1)',
    "# constructor\n# __proto__\n# cookie",
    "|<script>alert(1)</script>|\n|-|\n|<img src=x onerror=alert(1)>|",
    "> <script>alert(1)</script>",
    "- <svg/onload=alert(1)>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo '<script>alert(1)</script>' ?>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\ufeff<script>alert(1)</script>",
    "<script\x00>alert(1)</script>",
    "<a href='//evil.example' target=_blank ping=//evil.example/p>x</a>",
]


class Harmless(HTMLParser):
    """Complains of whatever is not listed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.complaints = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag not in TAGS:
            self.complaints.append(tag)
        for name, value in attributes:
            if name not in ATTRIBUTES.get(tag, set()) | ({"rel"} if tag == "a" else set()):
                self.complaints.append(f"{tag} {name}")
            if name in {"href", "src"}:
                address = re.sub(r"[\x00-\x20]", "", value or "").lower()
                scheme = re.match(r"[a-z][a-z0-9+.-]*:", address)
                if scheme and scheme.group() not in {"http:", "https:", "mailto:", "tel:"}:
                    self.complaints.append(f"{tag} {name}={value}")
            if name == "id" and not value.startswith("section-"):
                self.complaints.append(f"{tag} id={value}")

    def handle_decl(self, decl):
        self.complaints.append(decl)

    handle_pi = unknown_decl = handle_comment = handle_decl


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_an_attack_is_left(attack):
    for content in (attack, f"before {attack} after", f"**{attack}**", f"- {attack}\n\n{attack}"):
        assert Harmless(render(content).html).complaints == []


def test_the_list_of_attacks_is_long_and_the_test_sees_them():
    assert len(set(ATTACKS)) >= 60
    raw = [attack for attack in ATTACKS if attack.startswith("<") and Harmless(attack).complaints]
    assert len(raw) >= 30


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ("**bold** *it* ~~no~~ `code`", "<p><strong>bold</strong> <em>it</em> <s>no</s> <code>code</code></p>"),
        ("# One", '<h2 id="section-one">One</h2>'),
        ("###### Six", '<h6 id="section-six">Six</h6>'),
        ("1. a\n2. b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>"),
        ("5. a", '<ol start="5">\n<li>a</li>\n</ol>'),
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
        ("![x](/a.png)", '<p><img src="/a.png" alt="x"></p>'),
        ("[x](/help/)", '<p><a href="/help/" rel="noopener noreferrer nofollow">x</a></p>'),
        ("", ""),
    ],
)
def test_markdown_says_what_it_should(content, html):
    assert render(content).html.strip() == html


def test_addresses_become_links_and_tables_tables():
    shown = render("See https://example.com now\n\n|a|b|\n|-|-|\n|1|2|").html
    assert '<a href="https://example.com" rel="noopener noreferrer nofollow">https://example.com</a>' in shown
    assert "<td>2</td>" in shown


def test_contents_list_the_upper_headings_by_names_of_their_own():
    found = render("# Same\n\n## Same\n\n### Too `deep`\n\n# Überblick *now*").contents
    assert [(each.level, each.anchor, each.text) for each in found] == [
        (2, "section-same", "Same"),
        (3, "section-same-2", "Same"),
        (2, "section-uberblick-now", "Überblick now"),
    ]


def test_text_is_what_one_reads():
    content = "# Head\n\nOne *two*\nthree &amp; <b>\n\n- four\n- five\n\n|a|b|\n|-|-|\n|1|2|"
    assert render(content).text.splitlines() == ["Head", "One two three & <b>", "four", "five", "a b", "1 2"]
