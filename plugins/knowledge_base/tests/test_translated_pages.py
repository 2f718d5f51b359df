"""The help centre in several languages: which one a reader gets, and at which address."""

import re
import xml.etree.ElementTree as ET

import pytest

from plugins.knowledge_base.tests.reader import Page

ARTICLES = "/knowledge-base/articles/"
HOME = "/help/acme-corp/"
ENGLISH = "articles/how-to-reset-a-password/"
GERMAN = "articles/passwort-zurucksetzen/"
FRENCH = "articles/reinitialiser/"
IN_ENGLISH = f"{ENGLISH}?language=en"


@pytest.fixture
def public(write, translate, make_category):
    """A public article in English and German, whose French translation is a draft."""
    made = write(audience="public", category=make_category("Accounts")["id"], tags=["password"])
    translate(made)
    translate(made, "fr", title="Réinitialiser", content="Ouvrez les réglages.", status="draft")
    return made


def led_to(reader, path, accept=""):
    """Where a reader ends up, without the first page's path; the redirection on the way must not be for good."""
    reply = reader.get(path, headers={"Accept-Language": accept})
    if reply.status_code == 200:
        return path
    assert reply.status_code == 303, f"{reply.status_code} {reply.text[:200]}"
    end = reply.headers["location"].removeprefix(HOME)
    assert reader.get(end, headers={"Accept-Language": accept}).status_code == 200
    return end


def places(reader):
    """Addresses in the site map, each with the alternates that it names."""
    sitemap, xhtml = "{http://www.sitemaps.org/schemas/sitemap/0.9}", "{http://www.w3.org/1999/xhtml}"
    home = f"http://testserver{HOME}"
    return {
        url.findtext(f"{sitemap}loc").removeprefix(home): {
            link.get("hreflang"): link.get("href").removeprefix(home) for link in url.iter(f"{xhtml}link")
        }
        for url in ET.fromstring(reader.page("sitemap.xml")).iter(f"{sitemap}url")
    }


class TestAddresses:
    @pytest.mark.parametrize(
        ("accept", "wanted"),
        [
            ("", ENGLISH),
            ("de", GERMAN),
            ("de-AT,de;q=0.9,en;q=0.8", GERMAN),
            ("fr, de;q=0.5", GERMAN),
            ("en-GB,de;q=0.5", ENGLISH),
            ("it", ENGLISH),
            ("nonsense;;q=1", ENGLISH),
        ],
    )
    def test_of_the_article_lead_visitors_to_their_language(self, visitor, public, accept, wanted):
        assert led_to(visitor, ENGLISH, accept) == wanted

    def test_of_the_article_lead_members_to_theirs(self, visitor, read_as, member, public):
        member.patch("/users/profile/", json={"language": "de-CH"})
        assert led_to(read_as("member"), ENGLISH, "en") == GERMAN
        assert led_to(visitor, ENGLISH, "en") == ENGLISH

    def test_of_the_article_lead_others_to_the_language_of_the_organization(self, owner, visitor, public):
        owner.patch(f"/organizations/{owner.organization_id}/settings/", json={"language": "de"})
        assert led_to(visitor, ENGLISH) == led_to(visitor, ENGLISH, "it") == GERMAN
        assert led_to(visitor, ENGLISH, "en") == ENGLISH

    @pytest.mark.parametrize("accept", ["", "de", "en", "it"])
    def test_that_name_a_language_stay_in_it(self, visitor, public, accept):
        assert led_to(visitor, GERMAN, accept) == GERMAN
        assert led_to(visitor, IN_ENGLISH, accept) == IN_ENGLISH
        assert led_to(visitor, f"{ENGLISH}?language=de-AT", accept) == GERMAN
        assert led_to(visitor, f"{GERMAN}?language=en", accept) == IN_ENGLISH

    def test_that_ask_for_a_language_that_there_is_not_lead_to_the_next_best(self, visitor, public):
        assert led_to(visitor, f"{GERMAN}?language=it") == IN_ENGLISH
        assert led_to(visitor, f"{ENGLISH}?language=it", "de") == GERMAN
        assert visitor.get(f"{ENGLISH}?language=nonsense").status_code == 400

    def test_of_before_lead_to_the_present_one_for_good(self, agent, visitor, public):
        agent.patch(f"{ARTICLES}{public['id']}/translations/de/", json={"title": "Kennwort vergessen"})
        reply = visitor.get(GERMAN)
        assert (reply.status_code, reply.headers["location"]) == (301, f"{HOME}articles/kennwort-vergessen/")

    def test_of_drafts_are_unknown_to_readers(self, visitor, read_as, public):
        for reader in (visitor, read_as("member"), read_as("technician")):
            assert reader.get(FRENCH).status_code == 404
            assert led_to(reader, f"{ENGLISH}?language=fr", "de") in {GERMAN, f"{ENGLISH}?language=fr"}
        text = read_as("agent").page(FRENCH)
        assert "This translation is a draft" in text
        assert {"name": "robots", "content": "noindex"} in Page(text).of("meta")

    def test_of_what_is_taken_back_lead_to_the_article(self, agent, visitor, public):
        path = f"{ARTICLES}{public['id']}/translations/de/"
        agent.post(f"{path}unpublish/")
        assert led_to(visitor, GERMAN) == ENGLISH
        agent.delete(path)
        assert led_to(visitor, GERMAN) == ENGLISH

    def test_tell_nothing_of_what_one_may_not_see(self, agent, visitor, public):
        agent.patch(f"{ARTICLES}{public['id']}/", json={"audience": "internal"})
        for path in (ENGLISH, GERMAN, FRENCH, IN_ENGLISH):
            assert visitor.get(path).status_code == 404


class TestArticlePages:
    def test_are_in_their_language(self, visitor, public):
        text = visitor.page(GERMAN)
        page = Page(text)
        assert page.of("html") == [{"lang": "de"}]
        assert "<h1>Passwort zurücksetzen</h1>" in text
        assert "<em>Einstellungen</em>" in text
        assert [each["lang"] for each in page.of("header") + page.of("footer")] == ["en", "en"]
        assert "This article is" not in text

    def test_let_readers_choose_another_language(self, visitor, public):
        german = Page(visitor.page(GERMAN))
        (english,) = [each for each in german.of("a") if each.get("hreflang") == "en"]
        assert (english["href"], english["lang"]) == (f"{HOME}{ENGLISH}", "en")
        assert {"lang": "de", "aria-current": "true"} in german.of("span")
        assert [each["href"] for each in Page(visitor.page(ENGLISH)).of("a") if "hreflang" in each] == [
            f"{HOME}{GERMAN}"
        ]

    def test_let_them_choose_against_what_they_wish_for(self, visitor, public):
        page = Page(visitor.page(GERMAN, headers={"Accept-Language": "de"}))
        assert [each["href"] for each in page.of("a") if "hreflang" in each] == [f"{HOME}{IN_ENGLISH}"]

    def test_show_no_choice_where_there_is_none(self, visitor, write):
        write("Alone", audience="public")
        text = visitor.page("articles/alone/", headers={"Accept-Language": "de"})
        assert "hreflang" not in text
        assert 'class="languages"' not in text

    @pytest.mark.parametrize(("path", "canonical"), [(ENGLISH, IN_ENGLISH), (IN_ENGLISH, IN_ENGLISH), (GERMAN, GERMAN)])
    def test_tell_machines_where_each_language_is(self, visitor, public, path, canonical):
        links = Page(visitor.page(path)).of("link")
        home = f"http://testserver{HOME}"
        assert [each["href"] for each in links if each["rel"] == "canonical"] == [f"{home}{canonical}"]
        told = {each["hreflang"]: each["href"].removeprefix(home) for each in links if "hreflang" in each}
        assert told == {"en": IN_ENGLISH, "de": GERMAN, "x-default": ENGLISH}

    def test_are_described_and_dated_as_the_translation_is(self, agent, visitor, public, clock):
        clock.advance(days=2)
        agent.patch(f"{ARTICLES}{public['id']}/translations/de/", json={"content": "Neu beschrieben."})
        text = visitor.page(GERMAN)
        assert "4 March 2026" in text
        (description,) = [each["content"] for each in Page(text).of("meta") if each.get("name") == "description"]
        assert description == "Neu beschrieben."
        assert "2 March 2026" in visitor.page(ENGLISH)

    def test_are_written_from_right_to_left_where_people_do(self, visitor, public, translate):
        slug = translate(public, "he", title="איפוס סיסמה", content="פתחו את ההגדרות.")["slug"]
        page = Page(visitor.page(f"articles/{slug}/"))
        assert page.of("html") == [{"lang": "he"}]
        assert page.of("h1") == [{"dir": "rtl"}]

    def test_count_once_for_all_languages(self, agent, visitor, public):
        for path in (GERMAN, IN_ENGLISH, GERMAN):
            visitor.page(path)
        assert agent.get(f"{ARTICLES}{public['id']}/").json()["views"] == 1

    def test_show_what_is_related_in_the_same_language(self, visitor, public, write, translate):
        other = write("Choosing a good password", audience="public", tags=["password"])
        translate(other, title="Gutes Passwort wählen")
        text = visitor.page(GERMAN)
        assert f'<a href="{HOME}articles/gutes-passwort-wahlen/">Gutes Passwort wählen</a>' in text
        assert "Choosing a good password" in visitor.page(ENGLISH)


class TestLists:
    @pytest.mark.parametrize("path", ["", "categories/accounts/", "feed.atom"])
    def test_are_in_the_language_of_the_reader(self, visitor, public, path):
        german = visitor.page(path, headers={"Accept-Language": "de"})
        assert "Passwort zurücksetzen" in german
        assert "How to reset a password" not in german
        english = visitor.page(path, headers={"Accept-Language": "fr"})
        assert "How to reset a password" in english
        assert "Réinitialiser" not in english

    def test_say_which_language_a_title_is_in(self, visitor, public):
        page = Page(visitor.page("", headers={"Accept-Language": "de"}))
        assert {"href": f"{HOME}{GERMAN}", "lang": "de"} in page.of("a")

    def test_show_no_drafts_even_to_those_who_edit(self, agent, read_as, public):
        agent.patch("/users/profile/", json={"language": "fr"})
        assert "Réinitialiser" not in read_as("agent").page("")

    def test_run_a_constant_number_of_statements(self, installation, visitor, public, write, translate):
        counts = []
        for number in range(3):
            translate(write(f"Article {number}", audience="public"), title=f"Artikel {number}")
            visitor.page("", headers={"Accept-Language": "de"})
            with installation.statements() as seen:
                visitor.page("", headers={"Accept-Language": "de"})
            counts.append(len(seen))
        assert len(set(counts)) == 1


class TestSearchPages:
    def links(self, reader, question, accept=""):
        page = Page(reader.page(f"search/?q={question}", headers={"Accept-Language": accept}))
        found = [link.removeprefix(HOME) for link in page.links() if "/articles/" in link]
        return [re.sub(r"[?&]search=\d+$", "", link) for link in found]

    def test_find_what_is_written_in_other_languages(self, visitor, public):
        assert self.links(visitor, "Passwort zurücksetzen") == [GERMAN]
        assert "<mark>Passwort</mark>" in visitor.page("search/?q=passwort")

    def test_lead_to_the_language_that_was_found(self, visitor, public):
        assert self.links(visitor, "password", "en") == [ENGLISH]
        assert self.links(visitor, "password", "de") == [IN_ENGLISH]

    def test_find_no_drafts(self, visitor, read_as, public):
        for reader in (visitor, read_as("agent")):
            assert "<mark>" not in reader.page("search/?q=Ouvrez")


class TestSiteMaps:
    def test_have_every_language(self, visitor, public, write):
        write("Alone", audience="public")
        alternates = {"en": IN_ENGLISH, "de": GERMAN, "x-default": ENGLISH}
        assert places(visitor) == {"": {}, "articles/alone/": {}, IN_ENGLISH: alternates, GERMAN: alternates}

    def test_are_the_same_whatever_one_wishes_to_read(self, visitor, public):
        german = visitor.get("sitemap.xml", headers={"Accept-Language": "de"}).text
        assert german == visitor.page("sitemap.xml")

    def test_have_no_translations_of_what_is_not_public(self, visitor, internal, draft, translate):
        for each in (internal, draft):
            translate(each)
        assert places(visitor) == {"": {}}
