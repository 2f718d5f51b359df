"""What people search for, and what they open then; nobody knows who it was."""

import pytest
from sqlalchemy import func, select

from helpdesk_kb.search_models import Search, SearchClick
from helpdesk_kb.service import searches
from plugins.knowledge_base.tests.reader import Page

ARTICLES = "/knowledge-base/articles/"
SEARCHES = "/knowledge-base/searches/"


def look_for(client, question):
    return client.get(f"{ARTICLES}search/", params={"q": question}).json()["search"]


def click(client, search, article):
    return client.post(f"{SEARCHES}{search}/clicks/", json={"article": article["id"]})


def terms(client, **parameters):
    reply = client.get(SEARCHES, params=parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()["results"]


def kept(installation, client):
    with installation.session(client.organization_id) as session:
        return tuple(session.scalar(select(func.count()).select_from(table)) for table in (Search, SearchClick))


@pytest.fixture
def days_pass(clock, run_schedules):
    """Let days pass, and what is done every night be done."""

    def passed(days):
        run_schedules()
        clock.advance(days=days)
        run_schedules()

    return passed


class TestClicks:
    def test_are_not_made_by_outsiders(self, outsider, member, agent, article):
        search = look_for(member, "password")
        own = outsider.post(ARTICLES, json={"title": "Their own", "content": "x"}).json()
        for each in (article, own):
            assert click(outsider, search, each).status_code == 404
        assert terms(agent)[0]["clicks"] == 0

    def test_count_once_for_each_article(self, member, agent, article, write):
        other, search = write("Another password"), look_for(member, "password")
        for _ in range(2):
            assert click(member, search, article).status_code == 204
        assert terms(agent)[0]["clicks"] == 1
        click(member, search, other)
        (row,) = terms(agent)
        assert (row["query"], row["times"], row["results"], row["clicks"]) == ("password", 1, 2, 2)
        assert row["click_through_rate"] == 1

    def test_need_a_search_and_an_article_that_one_sees(self, member, draft, article):
        search = look_for(member, "password")
        assert click(member, 999_999, article).status_code == 404
        for named in (draft["id"], 999, 0, None, "x"):
            reply = member.post(f"{SEARCHES}{search}/clicks/", json={"article": named})
            assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, "article")

    def test_go_with_their_article(self, installation, member, agent, article):
        click(member, look_for(member, "password"), article)
        assert agent.delete(f"{ARTICLES}{article['id']}/").status_code == 204
        assert kept(installation, agent) == (1, 0)


class TestTerms:
    def test_are_those_of_the_organization(self, outsider, member, article):
        for _ in range(2):
            look_for(member, "password")
        assert terms(outsider) == []
        look_for(outsider, "login")
        assert [row["query"] for row in terms(outsider, limit=1)] == ["login"]

    def test_are_for_those_who_write_articles(self, member, technician):
        for client in (member, technician):
            assert client.get(SEARCHES).status_code == 403

    def test_tell_how_often_something_was_opened(self, member, second_member, agent, article):
        searched = [look_for(client, "Password?") for client in (member, second_member, member, member)]
        look_for(member, "zeppelin")
        click(member, searched[0], article)
        rows = terms(agent)
        assert [(row["query"], row["times"], row["results"], row["clicks"]) for row in rows] == [
            ("password", 4, 1, 1),
            ("zeppelin", 1, 0, 0),
        ]
        assert [row["click_through_rate"] for row in rows] == [0.25, 0]
        assert terms(agent, limit=1) == rows[:1]

    def test_count_a_search_as_successful_once(self, member, agent, article, write):
        other, first, _ = write("Another password"), look_for(member, "password"), look_for(member, "password")
        click(member, first, article)
        click(member, first, other)
        (row,) = terms(agent)
        assert (row["clicks"], row["click_through_rate"]) == (2, 0.5)

    def test_are_so_many_at_most(self, agent):
        for limit in (0, 101, "x"):
            reply = agent.get(SEARCHES, params={"limit": limit})
            assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, "limit")

    def test_tell_what_the_last_search_found(self, member, agent, write):
        look_for(member, "wombat")
        write("Wombats", content="wombat")
        look_for(member, "wombat")
        assert terms(agent)[0]["results"] == 1

    def test_are_of_the_last_ninety_days(self, member, agent, article, clock):
        look_for(member, "password")
        clock.advance(days=90)
        assert len(terms(agent)) == 1
        clock.advance(seconds=1)
        assert terms(agent) == []

    def test_are_forgotten_with_what_was_opened(self, installation, member, article, days_pass):
        click(member, look_for(member, "password"), article)
        days_pass(89)
        assert kept(installation, member) == (1, 1)
        days_pass(2)
        assert kept(installation, member) == (0, 0)

    def test_are_the_newest_of_very_many(self, member, agent, days_pass, monkeypatch):
        monkeypatch.setattr(searches, "MOST_SEARCHES", 2)
        for question in ("one", "two", "three"):
            look_for(member, f"question {question}")
        days_pass(1)
        assert {row["query"] for row in terms(agent)} == {"question two", "question three"}

    def test_need_words(self, installation, member, agent):
        assert look_for(member, "?!") is None
        assert kept(installation, agent) == (0, 0)


class TestTheHelpCenter:
    def found(self, reader, question="reset password", **options):
        page = Page(reader.page("search/", params={"q": question}, **options))
        return [each for each in page.links() if "/articles/" in each]

    def test_notes_what_is_opened(self, visitor, agent, write):
        write(audience="public")
        (address,) = self.found(visitor)
        path = address.removeprefix("/help/acme-corp/")
        page = Page(visitor.page(path))
        (canonical,) = (each["href"] for each in page.of("link") if each.get("rel") == "canonical")
        assert canonical.endswith("/help/acme-corp/articles/how-to-reset-a-password/")
        visitor.page(path)
        (row,) = terms(agent)
        assert (row["times"], row["clicks"], row["click_through_rate"]) == (1, 1, 1)

    def test_notes_what_is_opened_in_any_language(self, visitor, agent, write, translate):
        translate(write(audience="public"))
        german = {"Accept-Language": "de"}
        paths = {"reset password": "how-to-reset-a-password/?language=en&", "Passwort": "passwort-zurucksetzen/?"}
        for question, path in paths.items():
            (address,) = self.found(visitor, question, headers=german)
            assert address.startswith(f"/help/acme-corp/articles/{path}search=")
            visitor.page(address.removeprefix("/help/acme-corp/"), headers=german)
        assert [row["clicks"] for row in terms(agent)] == [1, 1]

    def test_notes_nothing_that_was_opened_otherwise(self, visitor, agent, write):
        write(audience="public")
        self.found(visitor)
        for end in ("", "?search=", "?search=x", "?search=999999", "?search=-1", "?search=1&search=2", "?utm_source=x"):
            visitor.page(f"articles/how-to-reset-a-password/{end}")
        assert [row["clicks"] for row in terms(agent)] == [0]

    def test_notes_nothing_of_other_organizations(self, visitor, member, agent, outsider, write):
        search = look_for(outsider, "reset password")
        write(audience="public")
        visitor.page(f"articles/how-to-reset-a-password/?search={search}")
        assert terms(outsider)[0]["clicks"] == 0

    def test_notes_no_programs(self, visitor, agent, write):
        write(audience="public")
        visitor.agent = "Examplebot/1.0"
        assert self.found(visitor) == ["/help/acme-corp/articles/how-to-reset-a-password/"]
        assert terms(agent) == []
