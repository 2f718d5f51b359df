"""Categories over HTTP: the tree, what it counts, how it changes."""

import threading

import pytest

CATEGORIES = "/knowledge-base/categories/"
ARTICLES = "/knowledge-base/articles/"


def path_of(category, *more):
    return "/".join((f"{CATEGORIES}{category['id']}", *more)) + "/"


def shown(client, category):
    reply = client.get(path_of(category))
    assert reply.status_code == 200, reply.text
    return reply.json()


def names(client, **parameters):
    return [row["name"] for row in client.get(CATEGORIES, params=parameters).json()["results"]]


def inside(nodes):
    return {node["name"]: inside(node["subcategories"]) for node in nodes}


@pytest.fixture
def family(make_category):
    """Three categories inside each other."""
    top = make_category("Top")
    middle = make_category("Middle", parent=top["id"])
    return top, middle, make_category("Bottom", parent=middle["id"])


class TestOutsiders:
    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_find_no_category(self, outsider, family, method):
        options = {} if method in {"get", "delete"} else {"json": {"name": "Mine"}}
        assert getattr(outsider, method)(path_of(family[0]), **options).status_code == 404

    def test_list_nothing_of_it(self, outsider, family):
        assert outsider.get(path_of(family[0], "articles")).status_code == 404
        assert outsider.get(f"{CATEGORIES}tree/").json() == []
        assert names(outsider) == names(outsider, parent_category=family[0]["id"]) == []

    def test_put_nothing_into_it(self, outsider, family):
        body = {"name": "Mine", "parent_category": family[0]["id"]}
        assert outsider.post(CATEGORIES, json=body).status_code == 400
        own = outsider.post(CATEGORIES, json={"name": "Mine"}).json()
        assert outsider.patch(path_of(own), json={"parent_category": family[0]["id"]}).status_code == 400
        assert outsider.delete(path_of(own), params={"move_to": family[0]["id"]}).status_code == 400


def test_a_new_category_shows_what_the_document_shows(agent):
    body = {"name": "Technical Support", "description": "Technical support articles", "parent_category": None}
    made = agent.post(CATEGORIES, json=body)
    assert made.status_code == 201
    assert made.json() == {
        "id": made.json()["id"],
        **body,
        "subcategories": [],
        "article_count": 0,
        "created_at": "2026-03-02T10:00:00Z",
        "updated_at": "2026-03-02T10:00:00Z",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("name", None),
        ("description", 5),
        ("parent_category", 999_999),
        ("parent_category", "Top"),
        ("colour", "blue"),
    ],
)
def test_bad_input_is_refused_by_name(agent, field, value):
    reply = agent.post(CATEGORIES, json={"name": "New", field: value})
    assert reply.status_code == 400
    assert field in str(reply.json()["error"]["details"])


class TestCustomers:
    def test_see_categories_and_change_none(self, member, technician, family):
        for client in (member, technician):
            assert names(client) == ["Bottom", "Middle", "Top"]
            assert client.post(CATEGORIES, json={"name": "Mine"}).status_code == 403
            assert client.patch(path_of(family[0]), json={"name": "Mine"}).status_code == 403
            assert client.delete(path_of(family[0])).status_code == 403


class TestCounts:
    @pytest.fixture(autouse=True)
    def articles(self, write, family):
        top, middle, bottom = family
        write("One", category=top["id"])
        write("Two", category=middle["id"], audience="internal")
        write("Three", category=bottom["id"], status="draft")
        write("Four", category=bottom["id"], status="archived")
        write("Five", category=bottom["id"], audience="public")
        write("Elsewhere")

    @pytest.mark.parametrize(
        ("who", "direct", "total"),
        [
            ("member", [1, 0, 1], [2, 1, 1]),
            ("technician", [1, 1, 1], [3, 2, 1]),
            ("agent", [1, 1, 3], [5, 4, 3]),
        ],
    )
    def test_are_of_what_the_caller_may_see(self, installation, family, who, direct, total):
        client = installation.client(who)
        assert [shown(client, category)["article_count"] for category in family] == direct
        whole = [client.get(path_of(each), params={"include": "total_article_count"}).json() for each in family]
        assert [each["total_article_count"] for each in whole] == total
        assert [child["article_count"] for child in shown(client, family[0])["subcategories"]] == direct[1:2]
        (tree,) = client.get(f"{CATEGORIES}tree/").json()
        below = tree["subcategories"][0]
        assert [tree["article_count"], below["article_count"]] == direct[:2]
        assert [tree["total_article_count"], below["total_article_count"]] == total[:2]

    @pytest.mark.parametrize("who", ["member", "technician", "agent"])
    def test_agree_with_the_lists(self, installation, family, who):
        client = installation.client(who)
        for category in family:
            count = shown(client, category)["article_count"]
            assert client.get(path_of(category, "articles")).json()["count"] == count
            assert client.get(ARTICLES, params={"category": category["id"]}).json()["count"] == count
            whole = client.get(path_of(category), params={"include": "total_article_count"}).json()
            found = client.get(ARTICLES, params={"category_tree": category["id"]}).json()["count"]
            assert found == whole["total_article_count"]

    def test_follow_the_articles(self, agent, member, family):
        (one,) = agent.get(ARTICLES, params={"search": "One"}).json()["results"]
        agent.patch(f"{ARTICLES}{one['id']}/", json={"category": family[2]["id"]})
        assert [shown(member, category)["article_count"] for category in family] == [0, 0, 2]
        agent.post(f"{ARTICLES}{one['id']}/archive/")
        assert [shown(member, category)["article_count"] for category in family] == [0, 0, 1]

    def test_move_with_a_category(self, agent, member, family):
        agent.patch(path_of(family[2]), json={"parent_category": None})
        assert [shown(member, category)["article_count"] for category in family] == [1, 0, 1]

    def test_do_not_stand_in_the_way_of_a_change(self, agent, write, family):
        tag = agent.get(path_of(family[0])).headers["ETag"]
        write("Six", category=family[0]["id"])
        reply = agent.patch(path_of(family[0]), json={"description": "New"}, headers={"If-Match": tag})
        assert reply.status_code == 200


class TestTheTree:
    def test_shows_everything_that_is_in_something(self, agent, family, make_category):
        make_category("Another", parent=family[0]["id"])
        assert inside(agent.get(f"{CATEGORIES}tree/").json()) == {"Top": {"Another": {}, "Middle": {"Bottom": {}}}}
        assert [child["name"] for child in shown(agent, family[0])["subcategories"]] == ["Another", "Middle"]

    def test_is_filtered_by_parent(self, agent, family):
        assert names(agent, is_root="true") == ["Top"]
        assert names(agent, is_root="false") == ["Bottom", "Middle"]
        assert names(agent, parent_category=family[0]["id"]) == ["Middle"]

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_has_no_cycles(self, agent, family, place):
        reply = agent.patch(path_of(family[0]), json={"parent_category": family[place]["id"]})
        assert reply.status_code == 400
        assert reply.json()["error"]["details"]["field"] == "parent_category"
        assert inside(agent.get(f"{CATEGORIES}tree/").json()) == {"Top": {"Middle": {"Bottom": {}}}}

    def test_has_no_cycles_by_two_moves_at_once_either(self, installation, agent, make_category):
        one, other = make_category("One"), make_category("Other")
        replies = []

        def move(category, into):
            replies.append(agent.patch(path_of(category), json={"parent_category": into["id"]}).status_code)

        moves = [threading.Thread(target=move, args=pair) for pair in ((one, other), (other, one))]
        for each in moves:
            each.start()
        for each in moves:
            each.join()
        assert sorted(replies) == [200, 400]
        assert len(agent.get(f"{CATEGORIES}tree/").json()) == 1

    def test_has_five_levels(self, agent, make_category, family):
        fourth = make_category("Fourth", parent=family[2]["id"])
        fifth = make_category("Fifth", parent=fourth["id"])
        assert agent.post(CATEGORIES, json={"name": "Sixth", "parent_category": fifth["id"]}).status_code == 400
        two = make_category("Two")
        make_category("Levels", parent=two["id"])
        assert agent.patch(path_of(two), json={"parent_category": fourth["id"]}).status_code == 400
        assert agent.patch(path_of(two), json={"parent_category": family[2]["id"]}).status_code == 200

    def test_moves_by_branches(self, agent, family, make_category):
        other = make_category("Other")
        moved = agent.patch(path_of(family[1]), json={"parent_category": other})
        assert moved.json()["parent_category"] == other["id"]
        assert inside(agent.get(f"{CATEGORIES}tree/").json()) == {"Other": {"Middle": {"Bottom": {}}}, "Top": {}}
        agent.patch(path_of(family[1]), json={"parent_category": None})
        assert inside(agent.get(f"{CATEGORIES}tree/").json()) == {"Middle": {"Bottom": {}}, "Other": {}, "Top": {}}


class TestNames:
    def test_are_unique_where_they_are(self, agent, family):
        reply = agent.post(CATEGORIES, json={"name": " TOP "})
        assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (409, "name")
        assert agent.post(CATEGORIES, json={"name": "Top", "parent_category": family[0]["id"]}).status_code == 201
        assert agent.patch(path_of(family[1]), json={"name": "top", "parent_category": None}).status_code == 409
        assert agent.patch(path_of(family[0]), json={"name": "TOP"}).status_code == 200

    def test_in_addresses_stay(self, agent, family):
        changed = agent.patch(path_of(family[0]), json={"name": "New"}, params={"include": "slug"}).json()
        assert (changed["name"], changed["slug"]) == ("New", "top")


class TestChanges:
    def test_accept_what_was_read(self, installation, agent, family, clock):
        before, told = shown(agent, family[1]), len(installation.events())
        clock.advance(minutes=1)
        reply = agent.put(path_of(family[1]), json=before)
        assert (reply.status_code, reply.json()) == (200, before)
        assert len(installation.events()) == told

    def test_are_told(self, installation, agent, family):
        agent.patch(path_of(family[1]), json={"name": "Centre", "description": "Of it all"})
        told = {
            "category_id": family[1]["id"],
            "parent_id": family[0]["id"],
            "name": "Centre",
            "fields": ("description", "name"),
        }
        assert installation.events()[-1] == ("kb.category_updated", told)


class TestDeletion:
    def test_of_an_empty_one_is_told(self, installation, agent, family):
        assert agent.delete(path_of(family[2])).status_code == 204
        told = {
            "category_id": family[2]["id"],
            "parent_id": family[1]["id"],
            "name": "Bottom",
            "moved_to": None,
        }
        assert installation.events()[-1] == ("kb.category_deleted", told)

    def test_of_one_that_holds_something_is_refused(self, agent, family, write):
        write("One", category=family[2]["id"], status="draft")
        for category in family:
            reply = agent.delete(path_of(category))
            assert (reply.status_code, reply.json()["error"]["code"]) == (409, "CATEGORY_NOT_EMPTY")

    def test_moves_what_it_holds(self, agent, family, write, make_category):
        article = write("One", category=family[1]["id"])
        other = make_category("Other")
        assert agent.delete(path_of(family[1]), params={"move_to": other["id"]}).status_code == 204
        assert inside(agent.get(f"{CATEGORIES}tree/").json()) == {"Other": {"Bottom": {}}, "Top": {}}
        assert agent.get(f"{ARTICLES}{article['id']}/").json()["category"]["name"] == "Other"
        assert shown(agent, other)["article_count"] == 1

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_moves_nothing_into_itself(self, agent, family, place):
        assert agent.delete(path_of(family[0]), params={"move_to": family[place]["id"]}).status_code == 400

    def test_moves_nothing_to_where_its_name_is_taken(self, agent, family, make_category):
        other = make_category("Other")
        make_category("Bottom", parent=other["id"])
        assert agent.delete(path_of(family[1]), params={"move_to": other["id"]}).status_code == 409
        assert agent.delete(path_of(family[1]), params={"move_to": 999_999}).status_code == 400
        assert shown(agent, family[1])["subcategories"] != []
