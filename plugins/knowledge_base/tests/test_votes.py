"""Votes: one say for each person, whatever happens at once."""

import threading

import pytest
from sqlalchemy import func, select

from helpdesk_kb.models import Article, ArticleVote

ARTICLES = "/knowledge-base/articles/"


@pytest.fixture
def path(article):
    return f"{ARTICLES}{article['id']}/vote/"


def votes(client, article):
    shown = client.get(f"{ARTICLES}{article['id']}/").json()
    return shown["helpful_votes"], shown["not_helpful_votes"]


def say(client, path, helpful, **more):
    reply = client.post(path, json={"helpful": helpful, **more})
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_outsiders_have_no_say(outsider, path):
    assert outsider.post(path, json={"helpful": True}).status_code == 404


def test_the_last_say_counts(member, second_member, technician, article, path):
    assert say(member, path, True) == {"helpful": True, "reason": "", "helpful_votes": 1, "not_helpful_votes": 0}
    say(member, path, True)
    say(second_member, path, True)
    say(technician, path, False)
    assert votes(member, article) == (2, 1)
    assert say(member, path, False, reason="Too short")["not_helpful_votes"] == 2
    assert votes(member, article) == (1, 2)


def test_a_say_can_be_taken_back(member, second_member, article, path):
    say(member, path, True)
    say(second_member, path, False)
    for _ in range(2):
        assert member.delete(path).status_code == 204
        assert votes(member, article) == (0, 1)


@pytest.mark.parametrize("body", [{}, {"helpful": None}, {"helpful": "yes"}, {"helpful": 1}, {"helpful": True, "x": 1}])
def test_a_say_is_yes_or_no(member, path, body):
    assert member.post(path, json=body).status_code == 400


def test_many_says_of_few_people_at_once_count_once_each(installation, article, path):
    voters = [installation.client(name) for name in ("member", "second_member", "technician", "owner")]
    assert all(voter.token for voter in voters)
    start = threading.Barrier(2 * len(voters))

    def flood(voter, helpful):
        start.wait()
        for round_ in range(6):
            voter.post(path, json={"helpful": helpful if round_ % 2 else not helpful})

    threads = [threading.Thread(target=flood, args=(voter, helpful)) for voter in voters for helpful in (True, False)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with installation.session(voters[0].organization_id) as session:
        counted = dict(session.execute(select(ArticleVote.helpful, func.count()).group_by(ArticleVote.helpful)).all())
        kept = session.execute(select(Article.helpful_votes, Article.not_helpful_votes)).one()
    assert sum(counted.values()) == len(voters)
    assert tuple(kept) == (counted.get(True, 0), counted.get(False, 0))


def test_a_say_is_told_without_its_words(installation, member, agent, article, path):
    say(member, path, False, reason="It says nothing about keys")
    told = {
        "article_id": article["id"],
        "reach": "customers",
        "user_id": member.user.id,
        "author_id": agent.user.id,
        "helpful": False,
        "before": None,
        "with_reason": True,
    }
    assert installation.events()[-1] == ("kb.article_voted", told)
    member.delete(path)
    assert installation.events()[-1][1]["helpful"] is None


class TestAuthors:
    def told(self, client):
        return [row["title"] for row in client.get("/notifications/").json()["results"]]

    def test_are_told_what_is_missing(self, member, agent, path, run_jobs):
        say(member, path, False, reason="It says nothing about keys")
        run_jobs()
        assert self.told(agent) == ["Not helpful: How to reset a password"]

    def test_are_not_told_of_every_say(self, member, second_member, agent, path, run_jobs):
        say(member, path, False)
        say(second_member, path, True, reason="Thank you")
        run_jobs()
        assert self.told(agent) == []
