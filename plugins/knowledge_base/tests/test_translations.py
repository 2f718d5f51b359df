"""Translations of articles over HTTP: fields, states, changes, versions."""

import pytest

ARTICLES = "/knowledge-base/articles/"
GERMAN = {"title": "Passwort zurücksetzen", "content": "Öffnen Sie die Einstellungen."}


def path_of(article, *more):
    return "/".join((f"{ARTICLES}{article['id']}/translations", *more)) + "/"


def versions_of(client, article, language):
    reply = client.get(f"{ARTICLES}{article['id']}/versions/", params={"language": language})
    assert reply.status_code == 200, reply.text
    return reply.json()["results"]


def last_event(installation):
    return installation.events()[-1]


def facts_of(translation):
    """What events say of a published translation of an article for customers."""
    told = {"article_id": translation["article"], "translation_id": translation["id"]}
    return {**told, "language": translation["language"], "reach": "customers"}


@pytest.fixture
def draft_in_german(article, translate):
    """A translation that nobody but those who edit can read."""
    return translate(article, status="draft")


class TestOutsiders:
    @pytest.mark.parametrize(
        ("method", "more"),
        [
            ("get", ()),
            ("post", ()),
            *((method, ("de",)) for method in ("get", "put", "patch", "delete")),
            *(("post", ("de", step)) for step in ("publish", "unpublish")),
        ],
    )
    def test_find_none(self, outsider, article, translate, method, more):
        translate(article)
        body = {} if more else {"language": "fr", **GERMAN}
        options = {} if method in {"get", "delete"} else {"json": body}
        assert getattr(outsider, method)(path_of(article, *more), **options).status_code == 404


class TestNewTranslations:
    def test_say_what_they_are(self, agent, article):
        made = agent.post(path_of(article), json={"language": "DE", **GERMAN}).json()
        assert made == {
            "id": made["id"],
            "article": article["id"],
            "language": "de",
            **GERMAN,
            "slug": "passwort-zurucksetzen",
            "status": "draft",
            "author": {"id": agent.user.id, "email": agent.user.email, "full_name": "Agent Example"},
            "version": 1,
            "source_version": 1,
            "outdated": False,
            "published_at": None,
            "created_at": "2026-03-02T10:00:00Z",
            "updated_at": "2026-03-02T10:00:00Z",
        }
        assert agent.get(path_of(article, "de")).json() == made

    def test_are_told_to_those_who_edit_as_long_as_they_are_drafts(self, installation, article, agent, translate):
        made = translate(article, status="draft")
        told = {**facts_of(made), "author_id": agent.user.id, "source_version": 1}
        assert last_event(installation) == ("kb.article_translated", {**told, "reach": "editors"})

    def test_can_be_published_at_once(self, installation, article, translate):
        made = translate(article)
        assert made["published_at"] == "2026-03-02T10:00:00Z"
        assert last_event(installation) == ("kb.translation_published", facts_of(made))

    @pytest.mark.parametrize("language", ["", "x", "deutsch", "d3", "xx", "de-1", "de-AT-x", 5, None, ["de"]])
    def test_refuse_what_is_no_language_by_name(self, agent, article, language):
        reply = agent.post(path_of(article), json={"language": language, **GERMAN})
        assert reply.status_code == 400
        assert "language" in str(reply.json()["error"]["details"])

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("title", " "),
            ("title", None),
            ("title", "x" * 256),
            ("content", 5),
            ("content", "x" * 100_001),
            ("status", "archived"),
            ("source_version", 0),
            ("source_version", 2),
            ("colour", "blue"),
        ],
    )
    def test_refuse_bad_input_by_name(self, agent, article, field, value):
        reply = agent.post(path_of(article), json={"language": "de", **GERMAN, field: value})
        assert reply.status_code == 400
        assert field in str(reply.json()["error"]["details"])
        assert agent.get(path_of(article)).json()["count"] == 0

    @pytest.mark.parametrize("language", ["en", "EN", "de"])
    def test_are_refused_in_a_language_that_is_there(self, agent, article, translate, language):
        translate(article)
        reply = agent.post(path_of(article), json={"language": language, **GERMAN})
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "RESOURCE_ALREADY_EXISTS")
        assert reply.json()["error"]["details"]["field"] == "language"

    def test_may_be_for_a_region(self, article, translate):
        assert translate(article, "pt_br")["language"] == "pt-BR"
        assert translate(article, "pt")["language"] == "pt"

    def test_cannot_be_published_with_nothing_in_them(self, agent, article):
        reply = agent.post(
            path_of(article), json={"language": "de", "title": "X", "content": " ", "status": "published"}
        )
        assert (reply.status_code, reply.json()["error"]["code"]) == (422, "ARTICLE_EMPTY")
        assert agent.get(path_of(article)).json()["count"] == 0

    def test_have_addresses_that_nothing_else_has(self, agent, write, article, translate):
        assert translate(article, title=article["title"])["slug"] == "how-to-reset-a-password-2"
        again = write("How to reset a password")
        shown = agent.get(f"{ARTICLES}{again['id']}/", params={"include": "slug"}).json()
        assert shown["slug"] == "how-to-reset-a-password-3"


class TestReaders:
    def test_see_those_that_are_published(self, member, agent, article, translate):
        translate(article)
        translate(article, "fr", status="draft")
        rows = member.get(path_of(article)).json()
        assert ([row["language"] for row in rows["results"]], rows["count"]) == (["de"], 1)
        assert "content" not in rows["results"][0]
        assert member.get(path_of(article, "de")).json()["title"] == "Passwort zurücksetzen"
        assert member.get(path_of(article, "fr")).status_code == 404
        assert [row["language"] for row in agent.get(path_of(article)).json()["results"]] == ["de", "fr"]
        assert agent.get(path_of(article), params={"status": "draft"}).json()["count"] == 1

    def test_see_none_of_articles_that_they_do_not_see(self, member, internal, draft, translate):
        for each in (internal, draft):
            translate(each)
            assert member.get(path_of(each)).status_code == 404
            assert member.get(path_of(each, "de")).status_code == 404

    def test_write_none(self, member, technician, article, translate):
        translate(article)
        for client in (member, technician):
            assert client.post(path_of(article), json={"language": "fr", **GERMAN}).status_code == 403
            assert client.patch(path_of(article, "de"), json={"title": "Mine"}).status_code == 403
            assert client.delete(path_of(article, "de")).status_code == 403
            assert client.post(path_of(article, "de", "unpublish")).status_code == 403

    def test_are_not_asked_to_guess_what_is_no_language(self, member, article):
        for language in ("fr", "deutsch", "1", "de-1"):
            assert member.get(path_of(article, language)).status_code == 404

    def test_hear_of_those_that_are_published(self, installation, member, agent, article, translate):
        german, french = translate(article), translate(article, "fr", status="draft")
        agent.delete(path_of(article, "fr"))

        def heard(client):
            changes = client.get("/changes/").json()["results"]
            return {change["key"] for change in changes if change["object"] == "kb_translation"}

        assert heard(member) == {german["id"]}
        assert heard(agent) == {german["id"], french["id"]}
        assert "kb.translation_deleted" not in member.get("/changes/").text


class TestWritersWhoMayNotPublish:
    @pytest.fixture
    def writer(self, owner, technician):
        codes = ["kb:article:view", "kb:article:view_unpublished", "kb:article:write"]
        role = owner.post("/users/roles/", json={"name": "Writer", "base": "agent", "permissions": codes})
        given = owner.post(f"/users/{technician.user.id}/change-role/", json={"custom_role": role.json()["id"]})
        assert given.status_code == 200, given.text
        return technician

    def test_translate_what_is_published(self, writer, article):
        assert writer.post(path_of(article), json={"language": "de", **GERMAN}).status_code == 201
        assert writer.patch(path_of(article, "de"), json={"title": "Besser"}).status_code == 200

    def test_publish_nothing(self, writer, article):
        body = {"language": "de", **GERMAN}
        assert writer.post(path_of(article), json={**body, "status": "published"}).status_code == 403
        writer.post(path_of(article), json=body)
        assert writer.patch(path_of(article, "de"), json={"status": "published"}).status_code == 403
        assert writer.post(path_of(article, "de", "publish")).status_code == 403

    def test_change_nothing_that_is_published(self, writer, agent, article, translate):
        translate(article)
        agent.patch(path_of(article, "de"), json={"content": "Neu"})
        first = versions_of(agent, article, "de")[-1]
        for body in ({"title": "Mine"}, {"source_version": 1, "content": "Mine"}, {"status": "draft"}):
            assert writer.patch(path_of(article, "de"), json=body).status_code == 403
        assert writer.patch(path_of(article, "de"), json={"content": "Neu"}).status_code == 200
        restored = writer.post(f"{ARTICLES}{article['id']}/versions/{first['id']}/restore/")
        assert restored.status_code == 403


class TestStates:
    def test_move_by_their_steps(self, installation, agent, member, article, draft_in_german):
        seen = []
        for step in ("publish", "publish", "unpublish"):
            moved = agent.post(path_of(article, "de", step))
            assert moved.status_code == 200, moved.text
            seen.append((moved.json()["status"], member.get(path_of(article, "de")).status_code))
        assert seen == [("published", 200), ("published", 200), ("draft", 404)]
        told = [event for event in installation.events() if event[0].startswith("kb.translation_")]
        facts = facts_of(draft_in_german)
        assert told == [("kb.translation_published", facts), ("kb.translation_unpublished", facts)]

    def test_move_by_a_change_as_well(self, agent, member, article, draft_in_german):
        assert agent.patch(path_of(article, "de"), json={"status": "published"}).json()["status"] == "published"
        assert member.get(path_of(article, "de")).status_code == 200

    def test_of_empty_ones_stay(self, agent, article, translate):
        translate(article, status="draft", content="")
        assert agent.post(path_of(article, "de", "publish")).status_code == 422
        agent.patch(path_of(article, "de"), json={"content": "Text", "status": "published"})
        assert agent.patch(path_of(article, "de"), json={"content": ""}).status_code == 422

    def test_are_those_of_the_translation_alone(self, agent, member, draft, translate):
        translate(draft)
        assert member.get(path_of(draft, "de")).status_code == 404
        agent.post(f"{ARTICLES}{draft['id']}/publish/")
        assert member.get(path_of(draft, "de")).status_code == 200


class TestChanges:
    def test_change_what_is_sent(self, installation, agent, article, translate, clock):
        before = translate(article)
        clock.advance(hours=1)
        after = agent.patch(path_of(article, "de"), json={"title": "Passwörter", "note": "Kürzer"}).json()
        changed = {"title": "Passwörter", "slug": "passworter", "version": 2, "updated_at": "2026-03-02T11:00:00Z"}
        assert after == {**before, **changed}
        told = facts_of(before)
        fields = {"fields": ("title",), "version_number": 2}
        assert last_event(installation) == ("kb.translation_updated", {**told, **fields})

    def test_that_save_what_was_read_change_nothing(self, installation, agent, article, translate):
        shown = translate(article)
        count = len(installation.events())
        assert agent.put(path_of(article, "de"), json=shown).json() == shown
        assert len(installation.events()) == count

    def test_of_what_is_there_meanwhile_are_refused(self, agent, article, translate):
        translate(article)
        tag = agent.get(path_of(article, "de")).headers["ETag"]
        assert agent.patch(path_of(article, "de"), json={"title": "A"}, headers={"If-Match": tag}).status_code == 200
        assert agent.patch(path_of(article, "de"), json={"title": "B"}, headers={"If-Match": tag}).status_code == 412

    def test_do_not_touch_the_article(self, agent, article, translate):
        translate(article)
        agent.patch(path_of(article, "de"), json={"title": "Neu"})
        assert agent.get(f"{ARTICLES}{article['id']}/").json()["title"] == article["title"]


class TestOutdatedTranslations:
    @pytest.fixture
    def outdated(self, agent, article, translate):
        translate(article)
        agent.patch(f"{ARTICLES}{article['id']}/", json={"content": "New content"})
        return article

    def test_say_so(self, agent, outdated):
        shown = agent.get(path_of(outdated, "de")).json()
        assert (shown["outdated"], shown["source_version"]) == (True, 1)
        assert [row["outdated"] for row in agent.get(path_of(outdated)).json()["results"]] == [True]

    def test_are_so_only_by_title_and_content(self, agent, article, translate):
        translate(article)
        agent.patch(f"{ARTICLES}{article['id']}/", json={"tags": ["new"], "audience": "public"})
        assert agent.get(path_of(article, "de")).json()["outdated"] is False

    def test_are_up_to_date_once_they_are_translated_again(self, agent, outdated):
        shown = agent.patch(path_of(outdated, "de"), json={"content": "Neuer Inhalt"}).json()
        assert (shown["outdated"], shown["source_version"]) == (False, 2)

    def test_can_stay_so_for_a_correction(self, agent, outdated):
        body = {"content": "Ohne Tippfehler", "source_version": 1}
        assert agent.patch(path_of(outdated, "de"), json=body).json()["outdated"] is True

    def test_are_up_to_date_if_nothing_was_to_be_changed(self, installation, agent, outdated):
        shown = agent.patch(path_of(outdated, "de"), json={"source_version": 2}).json()
        assert (shown["outdated"], shown["version"]) == (False, 1)
        assert last_event(installation)[1]["fields"] == ("source_version",)


class TestVersions:
    @pytest.fixture
    def edited(self, agent, owner, article, translate):
        """An article whose translation has three versions, by two people."""
        translate(article, content="Zeile eins\nZeile zwei\n")
        agent.patch(path_of(article, "de"), json={"content": "Zeile eins\nZeile 2\n", "note": "Kürzer"})
        owner.patch(path_of(article, "de"), json={"title": "Passwörter"})
        return article

    def test_are_kept_apart_from_those_of_the_article(self, agent, edited):
        told = [(row["number"], row["language"], row["title"], row["note"]) for row in versions_of(agent, edited, "de")]
        assert told == [
            (3, "de", "Passwörter", ""),
            (2, "de", "Passwort zurücksetzen", "Kürzer"),
            (1, "de", "Passwort zurücksetzen", ""),
        ]
        own = agent.get(f"{ARTICLES}{edited['id']}/versions/").json()["results"]
        assert [(row["number"], row["language"]) for row in own] == [(1, None)]
        assert versions_of(agent, edited, "fr") == []

    def test_are_compared_with_those_of_the_same_language(self, agent, edited):
        _, second, first = versions_of(agent, edited, "de")
        path = f"{ARTICLES}{edited['id']}/versions/{second['id']}/diff/"
        shown = agent.get(path).json()
        assert (shown["before"], shown["after"]) == (1, 2)
        assert shown["content"].splitlines()[-2:] == ["-Zeile zwei", "+Zeile 2"]
        original = agent.get(f"{ARTICLES}{edited['id']}/versions/").json()["results"][0]
        assert agent.get(path, params={"against": original["id"]}).status_code == 400
        shown = agent.get(f"{ARTICLES}{edited['id']}/versions/{first['id']}/diff/").json()
        assert shown["before"] is None

    def test_can_be_restored(self, agent, edited):
        first = versions_of(agent, edited, "de")[-1]
        path = f"{ARTICLES}{edited['id']}/versions/{first['id']}/restore/"
        assert agent.post(path).json()["title"] == edited["title"]
        shown = agent.get(path_of(edited, "de")).json()
        assert (shown["title"], shown["version"]) == ("Passwort zurücksetzen", 4)
        assert shown["content"] == "Zeile eins\nZeile zwei\n"
        newest = versions_of(agent, edited, "de")[0]
        assert (newest["number"], newest["note"]) == (4, "Restored version 1")
        again = agent.post(path)
        assert (again.status_code, again.json()["error"]["code"]) == (409, "NOTHING_CHANGED")


class TestDeletion:
    def test_is_for_good(self, installation, agent, article, translate):
        made = translate(article)
        assert agent.delete(path_of(article, "de")).status_code == 204
        assert agent.get(path_of(article, "de")).status_code == 404
        assert versions_of(agent, article, "de") == []
        assert agent.get(f"{ARTICLES}search/", params={"q": "Einstellungen"}).json()["results"] == []
        assert agent.get(f"{ARTICLES}{article['id']}/").status_code == 200
        assert last_event(installation) == ("kb.translation_deleted", facts_of(made))

    def test_leaves_room_for_another_one(self, agent, article, translate):
        translate(article)
        agent.delete(path_of(article, "de"))
        again = translate(article)
        assert (again["version"], again["slug"]) == (1, "passwort-zurucksetzen")

    def test_of_the_article_takes_them_along(self, agent, write, article, translate):
        translate(article)
        assert agent.delete(f"{ARTICLES}{article['id']}/").status_code == 204
        assert agent.get(path_of(article, "de")).status_code == 404
        assert agent.get(f"{ARTICLES}search/", params={"q": "Einstellungen"}).json()["results"] == []
        assert translate(write("Another"))["slug"] == "passwort-zurucksetzen"


def test_content_is_shown_as_safe_html_on_request(agent, article, translate):
    translate(article, content="# Kopf\n\n<script>alert(1)</script>")
    html = agent.get(path_of(article, "de"), params={"include": "html"}).json()["html"]
    assert '<h2 id="section-kopf">Kopf</h2>' in html
    assert "<script" not in html
