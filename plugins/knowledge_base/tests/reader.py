"""Somebody who reads the help centre in a browser."""

from html.parser import HTMLParser

from helpdesk_core.testing import PASSWORD


class Page(HTMLParser):
    """A page, taken apart."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def of(self, wanted):
        return [attributes for tag, attributes in self.tags if tag == wanted]

    def links(self):
        return [each["href"] for each in self.of("a") if "href" in each]


class Reader:
    """Reads pages of an installation, signed in or not."""

    def __init__(self, http, username=""):
        self._http = http
        self._cookies = {}
        self.agent = f"Mozilla/5.0 ({username or 'nobody'})"
        if username:
            reply = http.post("/api/v1/users/session/", json={"username": username, "password": PASSWORD})
            assert reply.status_code == 200, reply.text
            self._cookies = {"Cookie": reply.headers["set-cookie"].partition(";")[0]}
            http.cookies.clear()

    def get(self, path, organization="acme-corp", **options):
        headers = {"User-Agent": self.agent, **self._cookies, **options.pop("headers", {})}
        return self._http.get(f"/help/{organization}/{path}", headers=headers, follow_redirects=False, **options)

    def page(self, path, **options):
        reply = self.get(path, **options)
        assert reply.status_code == 200, f"{path}: {reply.status_code} {reply.text[:300]}"
        return reply.text
