"""Articles over HTTP: fields, states, changes."""

import pytest

ARTICLES = "/knowledge-base/articles/"
CUSTOMERS = frozenset({"How to reset a password"})
COLLEAGUES = CUSTOMERS | {"Escalating quokkas"}
EDITORS = COLLEAGUES | {"Zanzibar plans", "Fax machines"}


def path_of(article, *more):
    return "/".join((f"{ARTICLES}{article['id']}", *more)) + "/"


def titles(client, **parameters):
    reply = client.get(ARTICLES, params=parameters)
    assert reply.status_code == 200, reply.text
    rows = reply.json()
    assert rows["count"] == len(rows["results"])
    return [row["title"] for row in rows["results"]]


def kinds(installation):
    return [kind for kind, _ in installation.events()]


class TestOutsiders:
    @pytest.mark.parametrize(
        ("method", "more"),
        [
            *(("get", more) for more in ((), ("versions",), ("related",))),
            *(("post", more) for more in (("publish",), ("unpublish",), ("archive",), ("vote",))),
            ("put", ()),
            ("patch", ()),
            ("delete", ()),
            ("delete", ("vote",)),
        ],
    )
    def test_find_no_article(self, outsider, article, method, more):
        body = {"helpful": True} if more == ("vote",) else {}
        options = {} if method in {"get", "delete"} else {"json": body}
        assert getattr(outsider, method)(path_of(article, *more), **options).status_code == 404

    def test_list_and_find_none(self, outsider, article):
        assert titles(outsider) == titles(outsider, search="password") == []
        assert outsider.get(f"{ARTICLES}search/", params={"q": "password"}).json()["results"] == []
        assert outsider.get(f"{ARTICLES}suggest/", params={"title": "password"}).json()["results"] == []
        assert outsider.get(f"{ARTICLES}popular/").json()["results"] == []

    def test_write_into_no_category_of_others(self, outsider, make_category):
        body = {"title": "Mine", "content": "Mine", "category": make_category()["id"]}
        assert outsider.post(ARTICLES, json=body).status_code == 400

    def test_have_names_in_addresses_of_their_own(self, outsider, article):
        body = {"title": article["title"], "content": "Mine"}
        reply = outsider.post(ARTICLES, json=body, params={"include": "slug"})
        assert reply.json()["slug"] == "how-to-reset-a-password"


class TestNewArticles:
    def test_show_what_the_document_shows(self, agent, make_category):
        category = make_category("Authentication", description="Articles about authentication")
        body = {
            "title": "How to Reset Password",
            "content": "Step-by-step guide to reset your password",
            "category": category["id"],
            "tags": ["password", "reset", "authentication"],
            "status": "published",
        }
        made = agent.post(ARTICLES, json=body).json()
        assert made == {
            "id": made["id"],
            **body,
            "category": {"id": category["id"], "name": "Authentication", "description": category["description"]},
            "author": {"id": agent.user.id, "email": agent.user.email, "full_name": "Agent Example"},
            "views": 0,
            "helpful_votes": 0,
            "not_helpful_votes": 0,
            "created_at": "2026-03-02T10:00:00Z",
            "updated_at": "2026-03-02T10:00:00Z",
        }

    def test_are_drafts_unless_said_otherwise(self, agent):
        made = agent.post(ARTICLES, json={"title": "New", "content": ""}).json()
        assert (made["status"], made["category"], made["tags"]) == ("draft", None, [])

    def test_are_for_customers_unless_the_organization_says_otherwise(self, agent, owner, write):
        first = agent.get(path_of(write("One")), params={"include": "audience"}).json()
        settings = {"kb": {"default_audience": "internal"}}
        assert owner.patch(f"/organizations/{owner.organization_id}/settings/", json=settings).status_code == 200
        second = agent.get(path_of(write("Two")), params={"include": "audience"}).json()
        assert (first["audience"], second["audience"]) == ("customers", "internal")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("title", ""),
            ("title", "   "),
            ("title", "x" * 256),
            ("title", None),
            ("content", 5),
            ("content", "x" * 100_001),
            ("status", "hidden"),
            ("audience", "nobody"),
            ("category", 999_999),
            ("category", "Accounts"),
            ("tags", "password"),
            ("tags", ["x" * 51]),
            ("tags", [""]),
            ("tags", [f"tag{number}" for number in range(21)]),
            ("publish_at", "tomorrow"),
            ("publish_at", "2026-03-02T10:00:00Z"),
            ("review_at", 5),
            ("colour", "blue"),
        ],
    )
    def test_refuse_bad_input_by_name(self, agent, field, value):
        reply = agent.post(ARTICLES, json={"title": "New", "content": "Text", field: value})
        assert reply.status_code == 400
        assert field in str(reply.json()["error"]["details"])

    def test_with_nothing_in_them_cannot_be_published(self, agent):
        reply = agent.post(ARTICLES, json={"title": "New", "content": "  ", "status": "published"})
        assert reply.status_code == 422
        assert titles(agent) == []

    def test_keep_each_tag_once_and_in_order(self, write):
        assert write(tags=["Reset", "password", "RESET", " two  words "])["tags"] == ["Reset", "password", "two words"]

    def test_take_names_that_grow_when_they_are_compared(self, agent, write, make_category):
        written = write("\ufdfa" * 40, tags=["\ufdfa" * 50, "\ufb03" * 50])
        assert len(written["tags"]) == 2
        assert make_category("\ufdfa" * 100)["name"] == "\ufdfa" * 100

    def test_are_told(self, installation, agent, article):
        told = installation.events()[-2:]
        assert [kind for kind, _ in told] == ["kb.article_created", "kb.article_published"]
        assert told[0][1] == {
            "article_id": article["id"],
            "reach": "editors",
            "author_id": agent.user.id,
            "category_id": None,
            "status": "draft",
        }
        assert told[1][1]["reach"] == "customers"


class TestWhatOneMaySee:
    @pytest.fixture(autouse=True)
    def shelf(self, article, draft, internal, archived):
        return {"article": article, "draft": draft, "internal": internal, "archived": archived}

    @pytest.mark.parametrize(
        ("who", "seen"), [("member", CUSTOMERS), ("technician", COLLEAGUES), ("agent", EDITORS), ("owner", EDITORS)]
    )
    def test_depends_on_who_one_is(self, installation, shelf, who, seen):
        client = installation.client(who)
        assert set(titles(client)) == seen
        for article in shelf.values():
            assert client.get(path_of(article)).status_code == (200 if article["title"] in seen else 404)

    @pytest.mark.parametrize("words", ["zanzibar", "quokka", "walrus", "zanzi*", "escalation"])
    def test_is_all_that_searches_find(self, member, agent, words):
        assert titles(member, search=words) == []
        assert len(titles(agent, search=words)) == 1
        found = member.get(f"{ARTICLES}search/", params={"q": words}).json()
        assert (found["results"], found["corrected"]) == ([], None)

    def test_is_all_that_a_misspelt_search_is_corrected_to(self, member, agent):
        assert agent.get(f"{ARTICLES}search/", params={"q": "zanzibra"}).json()["corrected"] == "zanzibar"
        assert member.get(f"{ARTICLES}search/", params={"q": "zanzibra"}).json()["corrected"] is None

    @pytest.mark.parametrize("text", ["zanzibar", "quokka escalation", "walrus fax"])
    def test_is_all_that_is_suggested(self, member, text):
        assert member.get(f"{ARTICLES}suggest/", params={"title": text}).json()["results"] == []

    def test_published_ones_alone_are_suggested_to_anybody(self, agent, internal):
        found = agent.get(f"{ARTICLES}suggest/", params={"title": "zanzibar walrus quokka"}).json()["results"]
        assert [hit["id"] for hit in found] == [internal["id"]]

    def test_is_all_that_filters_find(self, member, agent):
        for value in ("draft", "archived", "draft,archived"):
            assert titles(member, status=value) == []
        assert titles(member, tag="zanzibar") == titles(member, audience="internal") == []
        assert titles(agent, status="draft") == ["Zanzibar plans"]
        assert titles(agent, tag="ZANZIBAR") == ["Zanzibar plans"]

    def test_is_all_that_is_popular_or_related(self, member, shelf):
        assert [row["title"] for row in member.get(f"{ARTICLES}popular/").json()["results"]] == [*CUSTOMERS]
        assert member.get(path_of(shelf["article"], "related")).json()["results"] == []

    def test_is_all_that_one_can_say_something_about(self, member, shelf):
        for name in ("draft", "internal", "archived"):
            assert member.post(path_of(shelf[name], "vote"), json={"helpful": True}).status_code == 404

    def test_is_all_that_one_hears_of(self, member, technician, agent, shelf):
        def heard(client):
            changes = client.get("/changes/").json()["results"]
            return {change["key"] for change in changes if change["object"] == "kb_article"}

        assert heard(member) == {shelf["article"]["id"]}
        assert heard(technician) == {shelf["article"]["id"], shelf["internal"]["id"]}
        assert heard(agent) == {article["id"] for article in shelf.values()}

    def test_has_no_versions_for_customers(self, member, technician, shelf):
        for client in (member, technician):
            assert client.get(path_of(shelf["article"], "versions")).status_code == 403


class TestCustomers:
    @pytest.mark.parametrize("who", ["member", "technician"])
    def test_and_technicians_change_nothing(self, installation, article, who):
        client = installation.client(who)
        assert client.post(ARTICLES, json={"title": "Mine", "content": "Mine"}).status_code == 403
        assert client.put(path_of(article), json={"title": "Mine"}).status_code == 403
        assert client.delete(path_of(article)).status_code == 403
        for step in ("publish", "unpublish", "archive"):
            assert client.post(path_of(article, step)).status_code == 403


class TestWritersWhoMayNotPublish:
    @pytest.fixture
    def writer(self, owner, agent):
        codes = ["kb:article:view", "kb:article:view_unpublished", "kb:article:write"]
        role = owner.post("/users/roles/", json={"name": "Writer", "base": "agent", "permissions": codes})
        assert role.status_code == 201, role.text
        given = owner.post(f"/users/{agent.user.id}/change-role/", json={"custom_role": role.json()["id"]})
        assert given.status_code == 200, given.text
        return agent

    @pytest.fixture
    def published(self, owner, write):
        return write("By the owner", owner)

    def test_write_drafts_and_change_them(self, writer):
        made = writer.post(ARTICLES, json={"title": "New", "content": "Text"})
        assert made.status_code == 201
        assert writer.patch(path_of(made.json()), json={"title": "Newer"}).status_code == 200

    def test_publish_nothing_now_or_later(self, writer):
        for more in ({"status": "published"}, {"status": "archived"}, {"publish_at": "2026-03-03T10:00:00Z"}):
            reply = writer.post(ARTICLES, json={"title": "New", "content": "Text", **more})
            assert reply.status_code == 403, more
            assert reply.json()["error"]["details"]["permission"] == "kb:article:publish"
        made = writer.post(ARTICLES, json={"title": "New", "content": "Text"}).json()
        assert writer.patch(path_of(made), json={"status": "published"}).status_code == 403
        assert writer.patch(path_of(made), json={"publish_at": "2026-03-03T10:00:00Z"}).status_code == 403
        assert writer.post(path_of(made, "publish")).status_code == 403

    def test_change_nothing_that_is_published(self, writer, published, owner):
        assert writer.patch(path_of(published), json={"title": "Mine"}).status_code == 403
        assert writer.patch(path_of(published), json={"title": published["title"]}).status_code == 200
        first = owner.get(path_of(published, "versions")).json()["results"][0]
        owner.patch(path_of(published), json={"content": "Better"})
        assert writer.post(path_of(published, "versions", str(first["id"]), "restore")).status_code == 403


class TestStates:
    def test_move_by_their_steps(self, agent, member, draft):
        seen = []
        for step in ("publish", "archive", "publish", "unpublish", "archive", "unpublish"):
            moved = agent.post(path_of(draft, step))
            assert moved.status_code == 200
            seen.append((moved.json()["status"], member.get(path_of(draft)).status_code))
        assert seen == [
            ("published", 200),
            ("archived", 404),
            ("published", 200),
            ("draft", 404),
            ("archived", 404),
            ("draft", 404),
        ]

    def test_move_once(self, installation, agent, article):
        before = len(installation.events())
        assert agent.post(path_of(article, "publish")).status_code == 200
        assert len(installation.events()) == before

    def test_move_by_writing_them_too(self, installation, agent, draft):
        assert agent.patch(path_of(draft), json={"status": "published"}).json()["status"] == "published"
        assert agent.put(path_of(draft), json={"status": "archived"}).json()["status"] == "archived"
        assert kinds(installation)[-2:] == ["kb.article_published", "kb.article_archived"]

    def test_tell_who_could_see_it_before(self, installation, agent, article):
        agent.post(path_of(article, "archive"))
        told = {"article_id": article["id"], "reach": "customers", "before": "published"}
        assert installation.events()[-1] == ("kb.article_archived", told)

    def test_remember_when_it_was_published_first(self, agent, article, clock):
        clock.advance(days=1)
        agent.post(path_of(article, "unpublish"))
        again = agent.post(path_of(article, "publish"), params={"include": "published_at"}).json()
        assert again["published_at"] == "2026-03-02T10:00:00Z"

    def test_of_an_empty_article_never_become_public(self, agent, draft):
        agent.patch(path_of(draft), json={"content": ""})
        assert agent.post(path_of(draft, "publish")).status_code == 422
        assert agent.get(path_of(draft)).json()["status"] == "draft"


class TestChanges:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_leave_out_what_is_not_sent(self, agent, article, clock, method):
        clock.advance(minutes=1)
        after = getattr(agent, method)(path_of(article), json={"title": "New title"}).json()
        assert after == {**article, "title": "New title", "updated_at": "2026-03-02T10:01:00Z"}

    def test_accept_what_was_read_and_change_nothing(self, installation, agent, make_category, write, clock):
        made = write(category=make_category()["id"], tags=["one"])
        before = len(installation.events())
        clock.advance(minutes=1)
        reply = agent.put(path_of(made), json=made)
        assert (reply.status_code, reply.json()) == (200, made)
        assert len(installation.events()) == before

    def test_null_clears(self, agent, make_category, write):
        made = write(category=make_category()["id"], tags=["one"], status="draft")
        after = agent.patch(path_of(made), json={"category": None, "tags": None, "content": None}).json()
        assert (after["category"], after["tags"], after["content"]) == (None, [], "")
        assert agent.patch(path_of(made), json={"title": None}).status_code == 400

    def test_empty_no_published_article(self, agent, article):
        assert agent.patch(path_of(article), json={"content": " "}).status_code == 422
        assert agent.get(path_of(article)).json()["content"] == article["content"]

    def test_are_told_with_their_names(self, installation, agent, article):
        agent.patch(path_of(article), json={"title": "New", "tags": ["x"], "content": article["content"]})
        told = {
            "article_id": article["id"],
            "reach": "customers",
            "fields": ("tags", "title"),
            "version_number": 2,
        }
        assert installation.events()[-1] == ("kb.article_updated", told)

    def test_of_the_audience_are_told_to_those_who_cannot_see_it_any_more(self, installation, agent, member, article):
        agent.patch(path_of(article), json={"audience": "internal"})
        assert installation.events()[-1][1]["reach"] == "customers"
        last = member.get("/changes/").json()["results"][-1]
        assert (last["key"], last["data"]) == (article["id"], None)

    def test_with_a_stale_tag_are_refused(self, agent, article):
        tag = agent.get(path_of(article)).headers["ETag"]
        assert agent.patch(path_of(article), json={"title": "A"}, headers={"If-Match": tag}).status_code == 200
        assert agent.patch(path_of(article), json={"title": "B"}, headers={"If-Match": tag}).status_code == 412

    def test_are_not_in_the_way_of_readers_and_voters(self, agent, member, article):
        tag = agent.get(path_of(article)).headers["ETag"]
        member.get(path_of(article))
        member.post(path_of(article, "vote"), json={"helpful": True})
        assert agent.patch(path_of(article), json={"title": "A"}, headers={"If-Match": tag}).status_code == 200

    def test_are_found_at_once(self, agent, article):
        agent.patch(path_of(article), json={"content": "Now about giraffes", "tags": ["okapi"]})
        assert titles(agent, search="giraffe") == titles(agent, search="okapi") == [article["title"]]
        assert titles(agent, search="mail") == []


class TestDeletion:
    def test_is_for_good(self, installation, agent, member, article):
        member.post(path_of(article, "vote"), json={"helpful": True})
        assert agent.delete(path_of(article)).status_code == 204
        assert agent.get(path_of(article)).status_code == 404
        assert titles(agent) == titles(agent, search="password") == []
        told = {"article_id": article["id"], "reach": "customers"}
        assert installation.events()[-1] == ("kb.article_deleted", told)

    def test_frees_the_name(self, agent, article, write):
        agent.delete(path_of(article))
        again = write(article["title"])
        assert agent.get(path_of(again), params={"include": "slug"}).json()["slug"] == "how-to-reset-a-password"


class TestFilters:
    def test_find_by_author_tag_and_category(self, agent, owner, write, make_category):
        top = make_category("Top")
        below = make_category("Below", parent=top["id"])
        write("One", category=top["id"], tags=["Alpha"])
        write("Two", category=below["id"], tags=["beta"], client=owner)
        write("Three", tags=["alpha", "beta"])
        assert titles(agent, category=top["id"]) == ["One"]
        assert set(titles(agent, category_tree=top["id"])) == {"One", "Two"}
        assert titles(agent, category=below["id"]) == ["Two"]
        assert set(titles(agent, tag="alpha")) == {"One", "Three"}
        assert set(titles(agent, tag="ALPHA,beta")) == {"One", "Two", "Three"}
        assert titles(agent, author=owner.user.id) == ["Two"]
        assert titles(agent, author=owner.user.id, tag="alpha") == []
        assert titles(agent, category_tree=top["id"], search="two") == ["Two"]

    @pytest.mark.parametrize(
        "parameters", [{"tag": ""}, {"tag": ","}, {"tag": "a\x00"}, {"author": "me"}, {"status": "new"}, {"tags": "a"}]
    )
    def test_are_refused_when_they_make_no_sense(self, agent, parameters):
        assert agent.get(ARTICLES, params=parameters).status_code == 400

    def test_order_by_reading_and_voting(self, agent, member, technician, write):
        one, two = write("One"), write("Two")
        for client in (member, technician):
            client.get(path_of(two))
        member.post(path_of(one, "vote"), json={"helpful": True})
        assert titles(agent, ordering="-views") == ["Two", "One"]
        assert titles(agent, ordering="-helpful_votes") == ["One", "Two"]
        assert [row["title"] for row in agent.get(f"{ARTICLES}popular/").json()["results"]] == ["Two", "One"]
        best = agent.get(f"{ARTICLES}popular/", params={"by": "helpful_votes", "limit": 1}).json()
        assert ([row["title"] for row in best["results"]], best["count"], best["next"]) == (["One"], 1, None)


def test_content_is_shown_as_safe_html_on_request(agent, write):
    made = write(content="# Head\n\n**bold** <script>alert(1)</script> [x](javascript:alert(1))")
    shown = agent.get(path_of(made), params={"include": "html,slug,version"}).json()
    assert '<h2 id="section-head">Head</h2>' in shown["html"]
    assert "<strong>bold</strong>" in shown["html"]
    assert "<script" not in shown["html"]
    assert "href" not in shown["html"]
    assert (shown["slug"], shown["version"]) == ("how-to-reset-a-password", 1)
