"""Versions of articles over HTTP."""

import pytest

ARTICLES = "/knowledge-base/articles/"


def path_of(article, *more):
    return "/".join((f"{ARTICLES}{article['id']}/versions", *(str(each) for each in more))) + "/"


@pytest.fixture
def edited(agent, owner, article):
    """An article that three versions were made of, by two people."""
    path = f"{ARTICLES}{article['id']}/"
    agent.patch(path, json={"content": "Line one\nLine two\n", "note": "Shorter"})
    owner.patch(path, json={"content": "Line one\nLine 2\n", "title": "Passwords"})
    return article


@pytest.fixture
def versions(agent, edited):
    """Its versions, by number."""
    return {row["number"]: row for row in agent.get(path_of(edited)).json()["results"]}


def test_outsiders_find_none(outsider, edited, versions):
    for more in ((), (versions[1]["id"],), (versions[2]["id"], "diff")):
        assert outsider.get(path_of(edited, *more)).status_code == 404
    assert outsider.post(path_of(edited, versions[1]["id"], "restore")).status_code == 404


def test_every_title_and_content_is_kept(agent, edited, versions):
    assert list(versions) == [3, 2, 1]
    told = [(row["title"], row["note"], row["editor"]["full_name"]) for row in versions.values()]
    assert told == [
        ("Passwords", "", "Owner Example"),
        ("How to reset a password", "Shorter", "Agent Example"),
        ("How to reset a password", "", "Agent Example"),
    ]
    first = agent.get(path_of(edited, versions[1]["id"])).json()
    assert first["content"] == edited["content"]


def test_what_is_neither_title_nor_content_makes_none(agent, edited):
    agent.patch(f"{ARTICLES}{edited['id']}/", json={"tags": ["new"], "audience": "public"})
    agent.post(f"{ARTICLES}{edited['id']}/archive/")
    assert agent.get(path_of(edited)).json()["count"] == 3


def test_a_version_of_another_article_is_unknown(agent, edited, versions, write):
    other = write("Other")
    assert agent.get(path_of(other, versions[1]["id"])).status_code == 404
    assert agent.get(path_of(other, versions[1]["id"], "diff")).status_code == 404
    assert agent.post(path_of(other, versions[1]["id"], "restore")).status_code == 404
    own = agent.get(path_of(other)).json()["results"][0]
    reply = agent.get(path_of(other, own["id"], "diff"), params={"against": versions[1]["id"]})
    assert reply.status_code == 400


class TestDifferences:
    def test_are_those_from_the_version_before(self, agent, edited, versions):
        shown = agent.get(path_of(edited, versions[3]["id"], "diff")).json()
        assert (shown["before"], shown["after"]) == (2, 3)
        assert shown["content"].splitlines() == [
            "--- version 2",
            "+++ version 3",
            "@@ -1,2 +1,2 @@",
            " Line one",
            "-Line two",
            "+Line 2",
        ]
        assert "+Passwords" in shown["title"].splitlines()

    def test_of_the_first_are_all_of_it(self, agent, edited, versions):
        shown = agent.get(path_of(edited, versions[1]["id"], "diff")).json()
        assert shown["before"] is None
        assert [line for line in shown["content"].splitlines() if line.startswith("-") and line[:3] != "---"] == []

    def test_go_from_the_older_to_the_newer_whichever_is_named_first(self, agent, edited, versions):
        one = agent.get(path_of(edited, versions[1]["id"], "diff"), params={"against": versions[3]["id"]}).json()
        other = agent.get(path_of(edited, versions[3]["id"], "diff"), params={"against": versions[1]["id"]}).json()
        assert one == other
        assert (one["before"], one["after"]) == (1, 3)

    def test_from_itself_are_none(self, agent, edited, versions):
        shown = agent.get(path_of(edited, versions[2]["id"], "diff"), params={"against": versions[2]["id"]}).json()
        assert (shown["title"], shown["content"]) == ("", "")


class TestRestoring:
    def test_makes_a_new_version(self, installation, agent, edited, versions):
        restored = agent.post(path_of(edited, versions[1]["id"], "restore")).json()
        assert (restored["title"], restored["content"]) == (edited["title"], edited["content"])
        newest = agent.get(path_of(edited)).json()["results"][0]
        assert (newest["number"], newest["note"]) == (4, "Restored version 1")
        assert installation.events()[-1][1]["fields"] == ("content", "title")
        assert agent.get(ARTICLES, params={"search": "settings"}).json()["count"] == 1

    def test_of_what_is_there_already_is_refused(self, agent, edited, versions):
        reply = agent.post(path_of(edited, versions[3]["id"], "restore"))
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "NOTHING_CHANGED")


def test_names_in_addresses_lead_on(agent, edited):
    shown = agent.get(f"{ARTICLES}{edited['id']}/", params={"include": "slug,version"}).json()
    assert (shown["slug"], shown["version"]) == ("passwords", 3)
