"""The interactive documentation needs nobody else, and slows nothing down."""

import gzip
import re
from html.parser import HTMLParser

import pytest

from helpdesk_core.web.contents import Content

ELSEWHERE = re.compile(r"""(src|href|action|import|url)\s*[=(:]?\s*["']?\s*(https?:)?//""", re.IGNORECASE)


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.targets = []
        self.inline = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.targets += [found[name] for name in ("src", "href") if name in found]
        if (tag == "script" and "src" not in found) or tag == "style":
            self.inline.append(tag)
        self.inline += [name for name in found if name == "style" or name.startswith("on")]


@pytest.fixture
def get(anonymous):
    return lambda path, **headers: anonymous.raw("GET", path, headers=headers)


def test_the_page_and_all_it_links_to_are_served(get):
    page = get("/api/docs/")
    assert page.headers["content-type"].startswith("text/html")
    targets = Links(page.text).targets
    assert "../openapi.json" in targets
    for target in targets:
        assert get(f"/api/docs/{target}".replace("docs/../", "")).status_code == 200, target


def test_the_page_and_our_script_load_nothing_from_elsewhere(get):
    for path in ("/api/docs/", "/api/docs/assets/docs.js", "/api/docs/assets/docs.css"):
        assert not ELSEWHERE.search(get(path).text), path
    assert not any(target.startswith(("http", "//")) for target in Links(get("/api/docs/").text).targets)


def test_the_policy_lets_the_page_load_and_call_this_server_alone(get):
    page = get("/api/docs/")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert Links(page.text).inline == []


def test_the_script_asks_for_the_chosen_document(get):
    script = get("/api/docs/assets/docs.js").text
    page = get("/api/docs/").text
    assert "headers.Accept = dialect.value" in script
    assert 'value="application/vnd.helpdesk.v1+json"' in page
    assert 'value="application/vnd.helpdesk.classic.v1+json"' in page


def test_nothing_else_is_served(get):
    for path in ("index.html", "swagger-initializer.js", "..%2Findex.html", "%2E%2E/%2E%2E/docs.py"):
        assert get(f"/api/docs/assets/{path}").status_code == 404, path


def test_what_the_browser_has_is_not_sent_again(get):
    first = get("/api/openapi.json")
    again = get("/api/openapi.json", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_document_is_compressed_for_those_who_can_read_it(get):
    assert get("/api/openapi.json", **{"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in get("/api/openapi.json", **{"Accept-Encoding": "identity"}).headers


def test_content_is_made_once_and_not_before_somebody_asks():
    made = []

    def make():
        made.append(1)
        return b"{}"

    class Request:
        headers = {"accept-encoding": "gzip"}  # noqa: RUF012

    content = Content(make, "application/json", {})
    assert made == []
    bodies = [content.answer(Request()).body for _ in range(3)]
    assert made == [1]
    assert [gzip.decompress(body) for body in bodies] == [b"{}"] * 3
