"""Pages are for people: they say what is wrong in words, lead nowhere else, and run no script but ours."""

import re
from html.parser import HTMLParser

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from helpdesk_core.accounts.models import Organization
from helpdesk_core.app import create_app
from helpdesk_core.assembly import assemble
from helpdesk_core.files import MemoryStore
from helpdesk_core.plugins import State, load_plugins
from helpdesk_core.testing import test_settings
from helpdesk_core.web.pages import local_path
from tests.accounts.browser import Browser
from tests.contract.steps import served
from tests.plugins.conftest import write_plugin as write_plugin  # noqa: PLC0414 - a fixture

PUBLIC = ["sign-in", "forgot-password", "reset-password", "verify-email", "confirm-email", "accept-invitation"]
ELSEWHERE = [
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/\t/evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "evil.example",
    "/\r\nSet-Cookie: a=b",
    "///evil.example",
    " /account/",
    "",
]


class Structure(HTMLParser):
    """What of a page must hold whatever it says."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.inline = []
        self.loaded = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append((tag, found))
        if tag == "script" and "src" not in found:
            self.inline.append(tag)
        self.inline += [tag for _ in [0] if tag == "style"]
        self.inline += [name for name in found if name == "style" or name.startswith("on")]
        self.loaded += [found[name] for name in ("src", "href") if name in found and tag in {"script", "link", "img"}]

    def of(self, wanted):
        return [attributes for tag, attributes in self.tags if tag == wanted]


@pytest.fixture
def get(installation):
    return lambda path, **headers: installation.http.get(path, headers=headers, follow_redirects=False)


@pytest.fixture
def signed_in(installation):
    browser = Browser(installation.http, "member")
    served(browser.sign_in())
    return {"Cookie": f"sessionid={browser.cookie}"}


class TestEveryPage:
    @pytest.mark.parametrize("name", PUBLIC)
    def test_is_served_to_anybody(self, get, name):
        page = get(f"/account/{name}/")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"

    @pytest.mark.parametrize("name", PUBLIC)
    def test_runs_and_loads_nothing_but_ours(self, get, name):
        page = get(f"/account/{name}/")
        policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert page.headers["cache-control"] == "private, no-store"
        structure = Structure(page.text)
        assert structure.inline == []
        for target in structure.loaded:
            assert target.startswith(("/assets/core/", "data:,"))

    @pytest.mark.parametrize("name", PUBLIC)
    def test_can_be_used_without_seeing_it(self, get, name):
        structure = Structure(get(f"/account/{name}/").text)
        assert structure.of("html") == [{"lang": "en"}]
        assert len(structure.of("h1")) == 1
        named = [label["for"] for label in structure.of("label")]
        ids = [attributes["id"] for _, attributes in structure.tags if "id" in attributes]
        assert [field["id"] for field in structure.of("input")] == named
        assert len(ids) == len(set(ids))
        for field in structure.of("input"):
            assert set(field["aria-describedby"].split()) <= set(ids)
            assert "autocomplete" in field

    @pytest.mark.parametrize(
        ("name", "path", "fields"),
        [
            ("sign-in", "/users/session/", ["username", "password", "otp"]),
            ("forgot-password", "/users/password-reset/", ["email"]),
            ("reset-password", "/users/password-reset/confirm/", ["new_password"]),
            ("verify-email", "/users/verify-email/", []),
            ("confirm-email", "/users/change-email/confirm/", []),
            ("accept-invitation", "/users/accept-invitation/", ["username", "password", "first_name", "last_name"]),
        ],
    )
    def test_calls_the_api_with_the_names_of_its_fields(self, get, name, path, fields):
        structure = Structure(get(f"/account/{name}/").text)
        (form,) = structure.of("form")
        assert form["data-post"] == path
        assert form["method"] == "post"  # should the script fail, no password gets into an address
        assert [field["name"] for field in structure.of("input")] == fields
        assert ("data-token" in form) == (name not in {"sign-in", "forgot-password"})

    def test_ignores_parameters_of_others(self, get):
        assert get("/account/forgot-password/?utm_source=newsletter").status_code == 200


class TestSigningIn:
    @pytest.mark.parametrize("target", ELSEWHERE)
    def test_leads_nowhere_else(self, installation, get, signed_in, target):
        assert local_path(target, "/account/") == "/account/"
        page = installation.http.get("/account/sign-in/", params={"next": target})
        (form,) = Structure(page.text).of("form")
        assert form["data-after"] == "/account/"
        at_once = installation.http.get(
            "/account/sign-in/", params={"next": target}, headers=signed_in, follow_redirects=False
        )
        assert (at_once.status_code, at_once.headers["location"]) == (303, "/account/")

    @pytest.mark.parametrize("target", ["/api/docs/", "/help/a-b/?q=%2F%2Fx&y=1", "/"])
    def test_leads_back_to_where_one_was(self, installation, get, signed_in, target):
        assert local_path(target, "/account/") == target
        page = installation.http.get("/account/sign-in/", params={"next": target})
        assert Structure(page.text).of("form")[0]["data-after"] == target

    def test_is_asked_for_by_pages_that_need_it(self, get):
        page = get("/account/?a=b&c=//d")
        assert (page.status_code, page.headers["location"]) == (
            303,
            "/account/sign-in/?next=/account/%3Fa%3Db%26c%3D//d",
        )

    def test_is_asked_for_again_when_the_session_has_ended(self, get, signed_in, clock):
        assert get("/account/", **signed_in).status_code == 200
        clock.advance(days=15)
        assert get("/account/", **signed_in).status_code == 303

    def test_shows_who_one_is(self, get, signed_in):
        page = get("/account/", **signed_in)
        assert "Member Example" in page.text
        assert "Acme Corporation" in page.text
        assert "data-sign-out" in page.text

    def test_escapes_what_people_call_themselves(self, installation, get, member, signed_in):
        served(member.patch("/users/profile/", json={"first_name": "<script>alert(1)</script>"}))
        page = get("/account/", **signed_in)
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text


class TestProblems:
    def test_are_told_as_a_page(self, get, installation):
        unknown = get("/account/nothing-here/")
        assert unknown.status_code == 404
        assert "<h1>Not Found</h1>" in unknown.text
        assert "content-security-policy" in unknown.headers
        wrong = installation.http.post("/account/sign-in/")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")
        assert get("/account/sign-in/?next=" + "x" * 3000).status_code == 400

    def test_with_heads_are_short(self, installation):
        page = installation.http.head("/account/sign-in/")
        assert (page.status_code, page.content) == (200, b"")


class TestAssets:
    def test_of_this_version_are_kept_for_good(self, get):
        (link, *_) = Structure(get("/account/sign-in/").text).loaded[1:]
        assert re.fullmatch(r"/assets/core/[a-z.]+\?v=[0-9a-f]{24}", link)
        assert get(link).headers["cache-control"] == "public, max-age=31536000, immutable"
        assert get(link.partition("?")[0]).headers["cache-control"] == "no-cache"
        assert get(link.partition("?")[0] + "?v=old").headers["cache-control"] == "no-cache"

    def test_are_not_sent_again(self, get):
        first = get("/assets/core/pages.css")
        assert first.headers["content-type"].startswith("text/css")
        assert get("/assets/core/pages.css", **{"If-None-Match": first.headers["etag"]}).status_code == 304

    @pytest.mark.parametrize(
        "path", ["core/none.css", "core/..%2fdocs%2fdocs.js", "core/%2e%2e", "nobody/pages.css", "accounts/pages.py"]
    )
    def test_are_those_of_the_folder_alone(self, get, path):
        assert get(f"/assets/{path}").status_code == 404


SHELF = """
from helpdesk_core.api import (
    Context, Document, Html, NotFound, Permission, Redirect, Router, Schema, User, hookimpl, visit
)
from sqlalchemy import select
VIEW = Permission("shelf:book:view", "See books", ("agent",))
router = Router("shelf", tag="Pages")
class Query(Schema):
    word: str = ""
@router.get("/books/{name}/", public=True)
def show_book(ctx: Context, name: str, query: Query) -> Html:
    if name == "lost":
        raise NotFound("This book is lost.")
    if name == "crash":
        raise RuntimeError("a secret of ours")
    return Html("shelf/book.html", {"name": name, "word": query.word}, status=203, forms=name == "search")
@router.get("/desk/", permission=VIEW)
def show_desk(ctx: Context) -> Redirect:
    return Redirect(f"/shelf/books/{ctx.actor.user_id}/")
@router.get("/list.xml", public=True)
def list_books(ctx: Context) -> Document:
    return Document("shelf/list.xml", {"name": "<A & B>"})
@router.get("/old/", public=True)
def move(ctx: Context) -> Redirect:
    return Redirect("/shelf/books/new/", permanently=True)
@router.get("/of/{organization}/", public=True)
def show_people(ctx: Context, organization: str) -> Html:
    viewer = visit(ctx, organization, "shelf")
    people = len(ctx.session.scalars(select(User.id)).all())
    return Html("shelf/book.html", {"name": viewer.actor.user_id, "word": f"{people} {viewer.actor.can(VIEW)}"})
@hookimpl
def register_pages():
    return [router]
@hookimpl
def register_permissions():
    return [VIEW]
"""
BOOK = """\
{% extends "core/page.html" %}
{% block title %}{{ name }}{% endblock %}
{% block content %}[{{ word }}]{% endblock %}
"""


@pytest.fixture
def http(write_plugin, tmp_path, installation):
    write_plugin("shelf", SHELF, more='pages = ["shelf"]\n')
    folder = tmp_path / "sample_shelf"
    for name in ("templates", "static"):
        (folder / name).mkdir()
    (folder / "templates" / "book.html").write_text(BOOK)
    (folder / "templates" / "list.xml").write_text("<books>{{ name }}</books>")
    (folder / "static" / "shelf.css").write_text("p { color: red }")
    host = load_plugins()
    url = installation.parts.services.database.engine.url.render_as_string(hide_password=False)
    settings = test_settings(str(url), tmp_path)
    parts = assemble(settings, clock=installation.clock, host=host, files=MemoryStore())
    with TestClient(create_app(settings, parts=parts, background=False), raise_server_exceptions=False) as http:
        yield http


class TestPluginsPages:
    def test_get_what_is_in_their_path_and_query(self, http):
        page = http.get("/shelf/books/a%20%3Cb%3E/?word=hi&other=x")
        assert page.status_code == 203
        assert "<title>a &lt;b&gt; · Helpdesk</title>" in page.text
        assert "[hi]" in page.text

    def test_send_what_one_enters_if_they_say_so(self, http):
        policies = [http.get(f"/shelf/books/{name}/").headers["content-security-policy"] for name in ("a", "search")]
        assert "form-action 'none'" in policies[0]
        assert "form-action 'self'" in policies[1]
        assert policies[0].replace("form-action 'none'", "form-action 'self'") == policies[1]

    def test_load_their_own_files(self, http):
        assert http.get("/assets/shelf/shelf.css").text == "p { color: red }"
        assert http.get("/assets/shelf/book.html").status_code == 404

    def test_need_their_permission(self, http, installation):
        assert http.get("/shelf/desk/", follow_redirects=False).headers["location"].startswith("/account/sign-in/")
        for username, status in (("member", 403), ("agent", 303)):
            browser = Browser(http, username)
            served(browser.sign_in())
            cookie = {"Cookie": f"sessionid={browser.cookie}"}
            page = http.get("/shelf/desk/", headers=cookie, follow_redirects=False)
            assert page.status_code == status
        assert page.headers["location"] == f"/shelf/books/{installation.accounts['agent'].id}/"

    def test_tell_what_is_wrong_and_keep_their_secrets(self, http):
        assert "This book is lost." in http.get("/shelf/books/lost/").text
        crashed = http.get("/shelf/books/crash/")
        assert crashed.status_code == 500
        assert "a secret of ours" not in crashed.text

    @pytest.mark.parametrize(
        ("more", "code", "reason"),
        [
            ('pages = ["api"]\n', "", "belongs to the core"),
            ('pages = ["account"]\n', "", "already accounts's"),
            ("", SHELF, "not among the pages"),
            ('pages = ["shelf"]\n', SHELF.replace('router.get("/desk/"', 'router.post("/desk/"'), "GET alone"),
        ],
    )
    def test_are_refused_at_start_where_they_do_not_belong(self, write_plugin, more, code, reason):
        write_plugin("shelf", code, more=more)
        (plugin,) = [each for each in load_plugins().plugins if each.id == "shelf"]
        assert plugin.state is not State.ACTIVE
        assert reason in plugin.reason


class TestDocumentsForPrograms:
    def test_have_their_own_type_and_are_escaped(self, http):
        found = http.get("/shelf/list.xml")
        assert found.headers["content-type"] == "application/xml; charset=utf-8"
        assert found.text == "<books>&lt;A &amp; B&gt;</books>"
        assert "content-security-policy" in found.headers

    def test_say_where_a_page_has_moved_for_good(self, http):
        page = http.get("/shelf/old/", follow_redirects=False)
        assert (page.status_code, page.headers["location"]) == (301, "/shelf/books/new/")


class TestPagesOfAnOrganization:
    def shown(self, http, path="/shelf/of/acme-corp/", **headers):
        page = http.get(path, headers=headers)
        return page.text.split("[")[-1].split("]")[0] if page.status_code == 200 else page.status_code

    def cookie(self, http, username):
        browser = Browser(http, username)
        served(browser.sign_in())
        return f"sessionid={browser.cookie}"

    def test_are_open_to_visitors_who_may_nothing(self, http):
        assert self.shown(http) == "5 False"
        assert "<title>0 " in http.get("/shelf/of/acme-corp/").text

    def test_take_members_of_others_for_visitors(self, http):
        assert self.shown(http, Cookie=self.cookie(http, "outsider")) == "5 False"

    def test_know_their_own_people(self, http):
        assert self.shown(http, Cookie=self.cookie(http, "agent")) == "5 True"
        assert self.shown(http, Cookie=self.cookie(http, "member")) == "5 False"

    def test_are_nowhere_for_an_unknown_organization(self, http):
        assert self.shown(http, "/shelf/of/nobody/") == 404

    @pytest.mark.parametrize("change", [{"is_active": False}, {"disabled_plugins": ["shelf"]}])
    def test_are_nowhere_while_the_organization_or_the_plugin_is_off(self, http, installation, change):
        with installation.session() as session:
            session.execute(update(Organization).where(Organization.slug == "acme-corp").values(**change))
            installation.commit(session)
        assert self.shown(http) == 404
        assert self.shown(http, "/shelf/of/globex/") == "1 False"


class TestTheDocumentation:
    def test_says_who_is_signed_in_and_tries_things_out(self, get):
        page = get("/api/docs/")
        assert "data-session" in page.text
        assert 'headers["X-CSRFToken"] = token' in get("/api/docs/assets/docs.js").text
        assert get("/api/docs/assets/session.js").text == get("/assets/core/session.js").text
