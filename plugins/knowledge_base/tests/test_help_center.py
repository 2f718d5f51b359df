"""The help centre: what its pages show to whom, and that they can be read by everybody and every machine."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from sqlalchemy import update

from helpdesk_core.api import Organization
from plugins.knowledge_base.tests.reader import Page

ARTICLES = "/knowledge-base/articles/"
ARTICLE = "articles/how-to-reset-a-password/"


@pytest.fixture
def public(write, make_category):
    """A public article in a category below another one."""
    top = make_category("Accounts", description="All about accounts")
    inside = make_category("Passwords", parent=top["id"])
    content = "# First\n\nOpen *settings*.\n\n# Second\n\n<script>alert(1)</script>\n\n## Third\n\nDone."
    return write(audience="public", category=inside["id"], content=content, tags=["password"])


@pytest.fixture
def shelf(public, write, make_category):
    """One article for each circle, in a category each that shows nothing else."""
    return {
        "public": public,
        "customers": write("For customers", category=make_category("Customers only")["id"]),
        "internal": write("For colleagues", audience="internal", category=make_category("Colleagues only")["id"]),
        "draft": write("A draft", status="draft", audience="public", category=make_category("Drafts only")["id"]),
        "archived": write("Put away", status="archived", audience="public", category=make_category("Old only")["id"]),
    }


TITLES = {
    "public": "How to reset a password",
    "customers": "For customers",
    "internal": "For colleagues",
    "draft": "A draft",
    "archived": "Put away",
}
SLUGS = {
    "public": "how-to-reset-a-password",
    "customers": "for-customers",
    "internal": "for-colleagues",
    "draft": "a-draft",
    "archived": "put-away",
}
CIRCLES = [
    ("", {"public"}),
    ("outsider", {"public"}),
    ("member", {"public", "customers"}),
    ("technician", {"public", "customers", "internal"}),
    ("agent", {"public", "customers", "internal"}),
]


@pytest.mark.parametrize(("who", "seen"), CIRCLES)
class TestReaders:
    def test_find_what_is_for_them_on_every_page(self, read_as, shelf, who, seen):
        reader = read_as(who)
        for path in ("", "search/?q=customers colleagues draft put away reset password", "sitemap.xml", "feed.atom"):
            text = reader.page(path)
            shown = TITLES if path != "sitemap.xml" else SLUGS
            assert {name for name, title in shown.items() if title in text} == seen, path

    def test_open_what_is_for_them(self, read_as, shelf, who, seen):
        reader = read_as(who)
        may = {name for name, slug in SLUGS.items() if reader.get(f"articles/{slug}/").status_code == 200}
        assert may == (set(SLUGS) if who == "agent" else seen)

    def test_see_no_category_in_which_they_find_nothing(self, read_as, shelf, who, seen):
        reader = read_as(who)
        names = {"public": "Accounts", "customers": "Customers only", "internal": "Colleagues only"}
        names |= {"draft": "Drafts only", "archived": "Old only"}
        home = reader.page("")
        slugs = {name: title.lower().replace(" ", "-") for name, title in names.items()}
        for name, title in names.items():
            assert (f">{title}</a>" in home) == (name in seen)
            status = reader.get(f"categories/{slugs[name]}/").status_code
            assert status == (200 if name in seen else 404)


class TestClosedHelpCenters:
    @pytest.fixture(autouse=True)
    def closed(self, owner, public):
        path = f"/organizations/{owner.organization_id}/settings/"
        assert owner.patch(path, json={"kb": {"help_center_public": False}}).status_code == 200

    @pytest.mark.parametrize(
        "path", ["", ARTICLE, "categories/accounts/", "search/?q=reset", "sitemap.xml", "feed.atom"]
    )
    def test_send_visitors_to_sign_in(self, visitor, path):
        reply = visitor.get(path)
        assert (reply.status_code, reply.headers["location"].partition("?")[0]) == (303, "/account/sign-in/")

    def test_are_nowhere_for_members_of_others(self, read_as):
        assert read_as("outsider").get("").status_code == 404

    def test_are_open_to_their_own(self, read_as):
        assert "How to reset a password" in read_as("member").page("")


class TestAddresses:
    def test_lead_to_the_own_help_center(self, installation, read_as):
        for who, slug in (("", "acme-corp"), ("outsider", "globex"), ("member", "acme-corp")):
            reply = read_as(who).get("../")
            assert (reply.status_code, reply.headers["location"]) == (303, f"/help/{slug}/")

    def test_of_before_lead_to_the_present_one_for_good(self, agent, visitor, public):
        agent.patch(f"{ARTICLES}{public['id']}/", json={"title": "Forgotten passwords"})
        reply = visitor.get(ARTICLE)
        assert (reply.status_code, reply.headers["location"]) == (301, "/help/acme-corp/articles/forgotten-passwords/")
        agent.patch(f"{ARTICLES}{public['id']}/", json={"title": "How to reset a password"})
        assert visitor.get(ARTICLE).status_code == 200
        assert visitor.get("articles/forgotten-passwords/").status_code == 301

    def test_of_before_tell_nothing_of_what_one_may_not_see(self, agent, visitor, public):
        agent.patch(f"{ARTICLES}{public['id']}/", json={"title": "Secret plans", "audience": "internal"})
        for path in (ARTICLE, "articles/secret-plans/"):
            reply = visitor.get(path)
            assert reply.status_code == 404
            assert "ecret" not in reply.text

    def test_may_be_in_any_script(self, agent, visitor, write):
        made = write("請求について", audience="public")
        agent.patch(f"{ARTICLES}{made['id']}/", json={"title": "返金について"})
        moved = visitor.get("articles/請求について/")
        assert (moved.status_code, moved.headers["location"].isascii()) == (301, True)
        page = Page(visitor.page(moved.headers["location"].removeprefix("/help/acme-corp/")))
        assert [each["href"].isascii() for each in page.of("link") if each["rel"] == "canonical"] == [True]
        assert "%E8%BF%94" in visitor.page("sitemap.xml")

    def test_of_drafts_that_never_were_published_are_not_kept(self, agent, visitor, write):
        draft = write("First idea", status="draft", audience="public")
        agent.patch(f"{ARTICLES}{draft['id']}/", json={"title": "Second idea", "status": "published"})
        assert visitor.get("articles/first-idea/").status_code == 404
        assert visitor.get("articles/second-idea/").status_code == 200

    @pytest.mark.parametrize(
        "path", ["articles/none/", "categories/none/", "articles/%00/", "nothing/", "categories/accounts/?page=9"]
    )
    def test_that_lead_nowhere_say_so(self, visitor, public, path):
        assert visitor.get(path).status_code == 404

    def test_of_organizations_that_are_unknown_or_have_it_off_are_the_same(self, installation, visitor, public):
        with installation.session() as session:
            off = update(Organization).where(Organization.slug == "acme-corp").values(disabled_plugins=["kb"])
            session.execute(off)
            installation.commit(session)
        answers = [visitor.get("", organization) for organization in ("nobody", "acme-corp")]
        assert [reply.status_code for reply in answers] == [404, 404]


class TestArticlePages:
    def test_show_what_one_reads(self, visitor, public):
        text = visitor.page(ARTICLE)
        assert "<h1>How to reset a password</h1>" in text
        assert '<h2 id="section-first">First</h2>' in text
        assert '<a href="#section-third">Third</a>' in text
        assert '<time datetime="2026-03-02T10:00:00Z">2 March 2026</time>' in text
        assert "<script>alert" not in text
        crumbs = [link for link in Page(text).links() if "/categories/" in link]
        assert crumbs == ["/help/acme-corp/categories/accounts/", "/help/acme-corp/categories/passwords/"]

    def test_tell_machines_what_they_are(self, visitor, public):
        page = Page(visitor.page(ARTICLE))
        found = {each["rel"]: each["href"] for each in page.of("link") if "rel" in each}
        assert found["canonical"] == f"http://testserver/help/acme-corp/{ARTICLE}"
        (description,) = [each["content"] for each in page.of("meta") if each.get("name") == "description"]
        assert description.startswith("First · Open settings. Second")
        assert not [each for each in page.of("meta") if each.get("name") == "robots"]

    def test_ask_search_engines_to_leave_out_what_is_not_public(self, read_as, shelf):
        for name in ("customers", "internal", "draft"):
            page = Page(read_as("agent").page(f"articles/{SLUGS[name]}/"))
            assert {"name": "robots", "content": "noindex"} in page.of("meta")

    def test_say_who_else_sees_it(self, read_as, shelf):
        reader = read_as("agent")
        assert "Internal: customers do not see" in reader.page("articles/for-colleagues/")
        assert "is a draft" in reader.page("articles/a-draft/")
        assert "is archived" in reader.page("articles/put-away/")

    def test_ask_whether_they_helped_those_who_can_say_so(self, visitor, read_as, member, public):
        assert "data-vote" not in visitor.page(ARTICLE)
        assert "/account/sign-in/?next=/help/acme-corp/articles/" in visitor.page(ARTICLE)
        assert "data-vote" not in read_as("outsider").page(ARTICLE)
        (form,) = [each for each in Page(read_as("member").page(ARTICLE)).of("form") if "data-vote" in each]
        assert (form["data-vote"], form["data-said"]) == (str(public["id"]), "")
        member.post(f"{ARTICLES}{public['id']}/vote/", json={"helpful": False})
        assert 'data-said="no"' in read_as("member").page(ARTICLE)

    def test_show_related_articles(self, visitor, public, write):
        write("Passwords of colleagues", audience="internal", tags=["password"])
        write("Choosing a good password", audience="public", tags=["password"])
        text = visitor.page(ARTICLE)
        assert "Choosing a good password" in text
        assert "colleagues" not in text


class TestViews:
    def views(self, agent, public):
        return agent.get(ARTICLES).json()["results"][0]["views"]

    def test_of_pages_count_each_visitor_once_a_day(self, agent, visitor, read_as, public, clock):
        other = read_as("")
        other.agent = "Mozilla/5.0 (another)"
        # The agent has written it.
        for reader in (visitor, visitor, other, read_as("member"), read_as("agent")):
            reader.page(ARTICLE)
        assert self.views(agent, public) == 3
        clock.advance(days=1)
        visitor.page(ARTICLE)
        assert self.views(agent, public) == 4

    @pytest.mark.parametrize("program", ["Googlebot/2.1", "curl/8", "", "Slackbot-LinkExpanding", "HeadlessChrome"])
    def test_of_programs_do_not_count(self, agent, visitor, public, program):
        visitor.agent = program
        visitor.page(ARTICLE)
        assert self.views(agent, public) == 0


class TestSearchPages:
    def test_show_passages_with_what_was_found(self, visitor, public, write):
        write("Tricks & traps", audience="public", content="A <b>tag</b> & a secret handshake")
        text = visitor.page("search/?q=secret handshake")
        assert "A &lt;b&gt;tag&lt;/b&gt; &amp; a <mark>secret</mark> <mark>handshake</mark>" in text
        assert "Tricks &amp; traps" in text

    @pytest.mark.parametrize(
        "question", ["", "   ", "?!", "<script>alert(1)</script>", "zzz qqq", "x" * 500, "the", '"']
    )
    def test_survive_every_question(self, visitor, public, question):
        text = visitor.get("search/", params={"q": question}).text
        assert "<h1>" in text
        assert "<script>alert" not in text

    def test_help_those_who_misspell(self, visitor, public):
        assert "These are the articles for <strong>password</strong>" in visitor.page("search/?q=pasword")

    def test_are_for_people_alone(self, visitor, public):
        assert {"name": "robots", "content": "noindex"} in Page(visitor.page("search/?q=a")).of("meta")


class TestEveryPage:
    PATHS = ("", ARTICLE, "categories/accounts/", "search/?q=reset", "search/?q=zzzz")

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("who", ["", "member"])
    def test_runs_and_loads_nothing_but_ours(self, read_as, public, path, who):
        reply = read_as(who).get(path)
        assert "script-src 'self'" in reply.headers["content-security-policy"]
        assert "form-action 'self'" in reply.headers["content-security-policy"]
        page = Page(reply.text)
        for tag, attributes in page.tags:
            assert "style" not in attributes
            assert not [name for name in attributes if name.startswith("on")]
            assert tag != "style"
        assert all("src" in each for each in page.of("script"))
        loaded = [each["src"] for each in page.of("script")]
        loaded += [each["href"] for each in page.of("link") if each["rel"] == "stylesheet"]
        assert all(each.startswith(("/assets/core/", "/assets/kb/")) for each in loaded)

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("who", ["", "member"])
    def test_can_be_used_without_seeing_it(self, read_as, public, path, who):
        page = Page(read_as(who).page(path))
        assert page.of("html") == [{"lang": "en"}]
        assert [len(page.of(tag)) for tag in ("h1", "main", "title")] == [1, 1, 1]
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        named = {attributes["for"] for attributes in page.of("label")}
        fields = [*page.of("input"), *page.of("textarea")]
        assert {field["id"] for field in fields} <= named
        for tag, attributes in page.tags:
            if tag in {"nav", "section", "aside"}:
                assert "aria-label" in attributes or attributes["aria-labelledby"] in ids
        levels = [int(tag[1]) for tag, _ in page.tags if tag in {"h1", "h2", "h3", "h4"}]
        assert all(after - before <= 1 for before, after in pairwise(levels))

    def test_links_to_what_is_there(self, visitor, public, write):
        write("Another", audience="public")
        todo, seen = {"/help/acme-corp/"}, set()
        while todo:
            path = todo.pop()
            seen.add(path)
            text = visitor.page(path.removeprefix("/help/acme-corp/"))
            found = {link.partition("#")[0] for link in Page(text).links() if link.startswith("/help/")}
            todo |= {link for link in found if not link.endswith(".atom")} - seen
        assert len(seen) == 5

    def test_is_called_what_the_organization_calls_it(self, owner, visitor, public):
        path = f"/organizations/{owner.organization_id}/settings/"
        words = {"help_center_title": "Ask <Acme>", "help_center_welcome": "We know & tell."}
        assert owner.patch(path, json={"kb": words}).status_code == 200
        text = visitor.page("")
        assert "<title>Ask &lt;Acme&gt;</title>" in text
        assert "We know &amp; tell." in text


def test_categories_are_shown_in_pages(visitor, write, make_category):
    category = make_category("Many")
    for number in range(31):
        write(f"Article {number:02}", audience="public", category=category["id"])
    first, second = visitor.page("categories/many/"), visitor.page("categories/many/?page=2")
    assert ("Article 29" in first, "Article 30" in first) == (True, False)
    assert ("Article 29" in second, "Article 30" in second) == (False, True)
    assert "/help/acme-corp/categories/many/?page=2" in Page(first).links()
    assert "/help/acme-corp/categories/many/" in Page(second).links()


class TestMachines:
    def test_get_a_site_map(self, visitor, shelf):
        reply = visitor.get("sitemap.xml")
        assert reply.headers["content-type"].startswith("application/xml")
        places = [
            each.text for each in ET.fromstring(reply.text).iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
        ]
        home = "http://testserver/help/acme-corp/"
        assert places == [home, f"{home}{ARTICLE}"]

    def test_get_a_feed(self, visitor, shelf, write):
        write("Ampers & <tags>", audience="public")
        reply = visitor.get("feed.atom")
        assert reply.headers["content-type"].startswith("application/atom+xml")
        atom = "{http://www.w3.org/2005/Atom}"
        feed = ET.fromstring(reply.text)
        titles = {entry.findtext(f"{atom}title") for entry in feed.iter(f"{atom}entry")}
        assert titles == {"How to reset a password", "Ampers & <tags>"}
        assert feed.findtext(f"{atom}updated") == "2026-03-02T10:00:00Z"
