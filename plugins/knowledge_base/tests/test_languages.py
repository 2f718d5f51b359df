"""Articles in the language that suits: which one that is, and how it is asked for."""

import pytest
from sqlalchemy import insert, text

from helpdesk_core.api import Organization, User
from helpdesk_core.testing import START
from helpdesk_kb.languages import accepted, best, direction, own_name

ARTICLES = "/knowledge-base/articles/"


@pytest.fixture
def speak():
    """Let somebody choose their language."""

    def speak(client, language):
        assert client.patch("/users/profile/", json={"language": language}).status_code == 200

    return speak


@pytest.fixture
def set_language(owner):
    """Choose the language of the organisation."""

    def choose(language):
        path = f"/organizations/{owner.organization_id}/settings/"
        assert owner.patch(path, json={"language": language}).status_code == 200

    return choose


@pytest.fixture
def translated(article, translate):
    """An article in English and German, whose French translation is a draft."""
    translate(article)
    translate(article, "fr", title="Réinitialiser", content="Ouvrez.", status="draft")
    return article


def shown(client, article, **parameters):
    reply = client.get(f"{ARTICLES}{article['id']}/", params=parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()


class TestArticles:
    def test_are_in_the_language_of_the_organization(self, agent, write, set_language):
        first = write("One")
        set_language("de")
        second = write("Zwei")
        assert [shown(agent, each, include="language")["language"] for each in (first, second)] == ["en", "de"]

    def test_may_be_in_another_one(self, agent, write):
        made = write("Um", language="pt_br")
        assert shown(agent, made, include="language")["language"] == "pt-BR"
        agent.patch(f"{ARTICLES}{made['id']}/", json={"language": "gl"})
        assert shown(agent, made, include="language")["language"] == "gl"

    def test_cannot_be_in_one_that_they_are_translated_into(self, agent, translated):
        reply = agent.patch(f"{ARTICLES}{translated['id']}/", json={"language": "de"})
        assert reply.status_code == 409
        assert reply.json()["error"]["details"]["field"] == "language"

    @pytest.mark.parametrize("language", ["", "deutsch", "xx", 5])
    def test_refuse_what_is_no_language(self, agent, article, language):
        for reply in (
            agent.post(ARTICLES, json={"title": "New", "content": "", "language": language}),
            agent.patch(f"{ARTICLES}{article['id']}/", json={"language": language}),
            agent.get(f"{ARTICLES}{article['id']}/", params={"language": language}),
        ):
            assert reply.status_code == 400
            assert "language" in str(reply.json()["error"]["details"])


class TestAskingForALanguage:
    def test_shows_the_article_in_it(self, member, translated):
        plain = shown(member, translated)
        german = shown(member, translated, language="de")
        assert (german["title"], german["language"]) == ("Passwort zurücksetzen", "de")
        assert german["content"].startswith("Öffnen Sie")
        assert german["languages"] == ["en"]
        same = plain.keys() - {"title", "content"}
        assert {name: german[name] for name in same} == {name: plain[name] for name in same}

    def test_is_needed_to_get_anything_but_the_original(self, member, translated, speak):
        speak(member, "de")
        plain = shown(member, translated)
        assert (plain["title"], "language" in plain, "languages" in plain) == (translated["title"], False, False)

    def test_shows_everything_else_in_it_that_is_asked_for(self, member, translated):
        german = shown(member, translated, language="de", include="html,slug,version")
        assert "<em>Einstellungen</em>" in german["html"]
        assert (german["slug"], german["version"]) == ("passwort-zurucksetzen", 1)

    def test_falls_back_from_a_region_to_the_language(self, member, translated, translate):
        assert shown(member, translated, language="de-AT")["language"] == "de"
        translate(translated, "de-AT", title="Kennwort")
        assert shown(member, translated, language="de-AT")["title"] == "Kennwort"
        assert shown(member, translated, language="de-CH")["language"] == "de"

    def test_falls_back_to_the_own_language_then_to_that_of_the_organization_then_to_the_original(
        self, member, translated, translate, speak, set_language
    ):
        speak(member, "ru")
        assert shown(member, translated, language="it")["language"] == "en"
        set_language("de")
        assert shown(member, translated, language="it")["language"] == "de"
        translate(translated, "es")
        speak(member, "es-MX")
        assert shown(member, translated, language="it")["language"] == "es"

    def test_falls_back_to_the_original_even_if_nobody_wishes_for_it(self, member, write, set_language, speak):
        made = write("請求について", language="ja")
        found = shown(member, made, language="it")
        assert (found["language"], found["languages"]) == ("ja", [])

    def test_shows_drafts_to_those_who_edit_alone(self, member, agent, translated):
        assert shown(member, translated, language="fr")["language"] == "en"
        assert shown(member, translated, language="fr")["languages"] == ["de"]
        french = shown(agent, translated, language="fr")
        assert (french["language"], french["languages"]) == ("fr", ["en", "de"])

    def test_counts_as_a_view(self, member, agent, translated):
        shown(member, translated, language="de")
        assert shown(agent, translated)["views"] == 1

    def test_has_tags_of_its_own(self, agent, member, translated):
        path = f"{ARTICLES}{translated['id']}/"
        tags = {member.get(path, params={"language": language}).headers["ETag"] for language in ("de", "en")}
        assert len(tags) == 2
        (german,) = tags - {member.get(path, params={"language": "en"}).headers["ETag"]}
        options = {"params": {"language": "de"}, "headers": {"If-None-Match": german}}
        assert member.get(path, **options).status_code == 304
        agent.patch(f"{path}translations/de/", json={"content": "Neu"})
        assert member.get(path, **options).status_code == 200

    def test_is_possible_for_lists(self, member, translated, write):
        write("Another")
        rows = member.get(ARTICLES, params={"language": "de"}).json()
        told = {row["title"]: (row["language"], row["languages"]) for row in rows["results"]}
        assert told == {"Another": ("en", []), "Passwort zurücksetzen": ("de", ["en"])}
        assert rows["count"] == 2
        plain = member.get(ARTICLES).json()["results"]
        assert all("language" not in row for row in plain)
        assert {row["title"] for row in plain} == {"Another", translated["title"]}

    def test_takes_lists_a_constant_number_of_statements(self, installation, member, write, translate):
        counts = []
        for number in range(1, 5):
            translate(write(f"Article {number}"), title=f"Artikel {number}")
            member.get(ARTICLES, params={"language": "de"})
            with installation.statements() as seen:
                rows = member.get(ARTICLES, params={"language": "de"}).json()["results"]
            assert {row["language"] for row in rows} == {"de"}
            counts.append(len(seen))
        assert len(set(counts)) == 1


class TestSearches:
    def hits(self, client, question, path="search", name="q"):
        reply = client.get(f"{ARTICLES}{path}/", params={name: question})
        assert reply.status_code == 200, reply.text
        return [(hit["title"], hit["language"]) for hit in reply.json()["results"]]

    def test_find_articles_by_their_translations(self, outsider, member, translated):
        german = ("Passwort zurücksetzen", "de")
        assert self.hits(outsider, "Wie kann ich mein Passwort zurücksetzen?") == []
        assert self.hits(member, "Wie kann ich mein Passwort zurücksetzen?") == [german]
        assert self.hits(member, "password") == [(translated["title"], "en")]
        assert self.hits(member, "Passwort vergessen", "suggest", "title") == [german]

    def test_show_the_passage_that_was_found_and_where_it_is(self, member, translated):
        (hit,) = member.get(f"{ARTICLES}search/", params={"q": "Einstellungen"}).json()["results"]
        assert "<mark>Einstellungen</mark>" in hit["snippet"]
        assert (hit["id"], hit["slug"]) == (translated["id"], "passwort-zurucksetzen")

    def test_find_each_article_once_in_the_language_that_fits_best(self, member, translated, translate):
        translate(translated, "it", title="Password", content="Password, password, password.")
        assert self.hits(member, "password") == [("Password", "it")]
        assert self.hits(member, "password settings") == [(translated["title"], "en")]

    def test_find_drafts_for_those_who_edit_alone(self, member, agent, translated):
        assert self.hits(member, "Ouvrez") == []
        assert self.hits(agent, "Ouvrez") == [("Réinitialiser", "fr")]
        assert self.hits(agent, "Ouvrez", "suggest", "title") == []

    def test_find_what_is_published_and_changed_at_once(self, member, agent, translated):
        path = f"{ARTICLES}{translated['id']}/translations/fr/"
        agent.post(f"{path}publish/")
        assert self.hits(member, "Ouvrez") == [("Réinitialiser", "fr")]
        agent.patch(path, json={"content": "Fermez."})
        assert (self.hits(member, "Ouvrez"), self.hits(member, "Fermez")) == ([], [("Réinitialiser", "fr")])

    def test_find_nothing_in_translations_of_what_one_may_not_see(self, member, internal, translate):
        translate(internal, content="Geheimnis")
        assert self.hits(member, "Geheimnis") == []

    def test_help_those_who_misspell(self, member, agent, translated):
        found = member.get(f"{ARTICLES}search/", params={"q": "Zurücksezten"}).json()
        assert (found["corrected"], [hit["language"] for hit in found["results"]]) == ("zurucksetzen", ["de"])
        assert member.get(f"{ARTICLES}search/", params={"q": "Reinitialisre"}).json()["results"] == []

    def test_look_into_a_category(self, member, write, translate, make_category):
        place = make_category("Place")
        translate(write("In it", category=place["id"]), title="Darin", content="Wombat")
        translate(write("Elsewhere"), title="Anderswo", content="Wombat")
        reply = member.get(f"{ARTICLES}search/", params={"q": "wombat", "category": place["id"]})
        assert [hit["title"] for hit in reply.json()["results"]] == ["Darin"]

    def test_leave_lists_as_they_are(self, member, translated):
        assert member.get(ARTICLES, params={"search": "Einstellungen"}).json()["count"] == 0
        assert member.get(ARTICLES, params={"search": "settings"}).json()["count"] == 1


class TestChoices:
    @pytest.mark.parametrize(
        ("header", "wanted"),
        [
            ("", ()),
            ("de", ("de",)),
            ("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", ("de-DE", "de", "en-US", "en")),
            ("fr;q=0.2, DE-at ; q=0.9", ("de-AT", "fr")),
            ("zh-Hant-TW", ("zh-TW",)),
            ("*, xx, de;q=0, de;q=2, d, 日本語, en;q=x", ()),
            (f"{'fr,' * 10_000}", ("fr",) * 10),
        ],
    )
    def test_are_read_from_what_browsers_send(self, header, wanted):
        assert accepted(header) == wanted

    @pytest.mark.parametrize(
        ("wished", "available", "wanted"),
        [
            (["de-AT"], ["de", "de-AT"], "de-AT"),
            (["de-AT"], ["de-CH", "de"], "de"),
            (["de-AT"], ["de-DE", "de-CH"], "de-CH"),
            (["it", "de"], ["de"], "de"),
            (["it"], ["de"], None),
            ([], ["de"], None),
        ],
    )
    def test_are_the_nearest(self, wished, available, wanted):
        assert best(wished, available) == wanted

    def test_are_called_as_their_speakers_do(self):
        assert [own_name(tag) for tag in ("de", "pt-BR", "co")] == ["Deutsch", "Português (BR)", "Corsican"]
        assert [direction(tag) for tag in ("he", "ar-EG", "de")] == ["rtl", "rtl", "ltr"]


class TestMigration:
    @pytest.fixture
    def written_before(self, migrate):
        """Write an article of an organisation with some settings, as it was before there were languages."""

        def write(settings):
            migrate.up("kb", "0001")
            moment = {"created_at": START, "updated_at": START}
            with migrate.connection() as connection:
                connection.execute(insert(Organization).values({**ORGANIZATION, "settings": settings, **moment}))
                named = dict.fromkeys(("username", "username_key", "email", "email_key", "password_hash"), "a")
                person = {"id": 1, "role": "agent", "organization_id": 1, **named, **moment}
                connection.execute(insert(User).values(**person))
                for table in ("kb_article", "kb_version"):
                    connection.execute(text(WRITTEN[table]))

        return write

    @pytest.mark.parametrize(
        ("settings", "language"),
        [({}, "en"), ({"language": "de"}, "de"), ({"language": "pt-BR"}, "pt-BR"), ({"language": "dog"}, "en")],
    )
    def test_takes_the_language_of_the_organization(self, migrate, written_before, settings, language):
        written_before(settings)
        migrate.up("kb")
        with migrate.connection() as connection:
            assert connection.scalar(text("SELECT language FROM kb_article")) == language

    def test_keeps_versions_up_and_down(self, migrate, written_before):
        written_before({})
        migrate.up("kb")
        with migrate.connection() as connection:
            assert connection.execute(text("SELECT language, number FROM kb_version")).all() == [("", 1)]
            connection.execute(text("UPDATE kb_version SET language = 'de'"))
            connection.execute(text(WRITTEN["kb_version"].replace("(1,", "(2,")))
        migrate.down("kb", "0001")
        with migrate.connection() as connection:
            assert connection.scalars(text("SELECT id FROM kb_version")).all() == [2]


ORGANIZATION = {"id": 1, "name": "A", "slug": "a", "subscription_tier": "free", "registration": "open"}
ORGANIZATION |= {"disabled_plugins": [], "is_active": True}
AUTHOR = dict.fromkeys(("username", "username_key", "email", "email_key", "password_hash", "full_name"), "a")
AUTHOR |= {"id": 1, "role": "agent", "organization_id": 1}
MOMENT = "'2026-03-02T10:00:00Z'"
WRITTEN = {
    "kb_article": "INSERT INTO kb_article (id, title, slug, content, author_id, status, audience, version, views,"
    " helpful_votes, not_helpful_votes, organization_id, created_at, updated_at)"
    f" VALUES (1, 'A', 'a', 'A', 1, 1, 1, 1, 0, 0, 0, 1, {MOMENT}, {MOMENT})",
    "kb_version": "INSERT INTO kb_version (id, article_id, number, title, content, note, editor_id, organization_id,"
    f" created_at) VALUES (1, 1, 1, 'A', 'A', '', 1, 1, {MOMENT})",
}
"""What stood in the tables before."""
