"""Articles that are published, or to be looked at again, at a time that somebody set."""

import pytest

ARTICLES = "/knowledge-base/articles/"
TOMORROW = "2026-03-03T10:00:00Z"


@pytest.fixture
def scheduled(write):
    return write("Later", status="draft", publish_at=TOMORROW)


def shown(client, article, include="publish_at,review_at,published_at"):
    return client.get(f"{ARTICLES}{article['id']}/", params={"include": include}).json()


def told(client):
    return [row["title"] for row in client.get("/notifications/").json()["results"]]


class TestPublication:
    def test_happens_when_its_time_has_come(self, installation, scheduled, clock, run_schedules):
        agent, member = installation.client("agent"), installation.client("member")
        run_schedules()
        clock.advance(hours=23)
        run_schedules()
        assert member.get(f"{ARTICLES}{scheduled['id']}/").status_code == 404
        clock.advance(hours=1)
        run_schedules()
        assert shown(member, scheduled)["status"] == "published"
        assert shown(agent, scheduled)["publish_at"] is None
        (event,) = [payload for kind, payload in installation.events() if kind == "kb.article_published"]
        assert event["by_schedule"] is True

    def test_is_told_to_the_author(self, agent, scheduled, clock, run_schedules):
        clock.advance(days=1)
        run_schedules()
        assert told(agent) == ["Published: Later"]

    def test_by_oneself_is_not_told_to_oneself(self, agent, scheduled, run_jobs):
        agent.post(f"{ARTICLES}{scheduled['id']}/publish/")
        run_jobs()
        assert told(agent) == []
        assert shown(agent, scheduled)["publish_at"] is None

    def test_can_be_called_off(self, agent, scheduled, clock, run_schedules):
        agent.patch(f"{ARTICLES}{scheduled['id']}/", json={"publish_at": None})
        clock.advance(days=1)
        run_schedules()
        assert shown(agent, scheduled)["status"] == "draft"

    def test_leaves_an_empty_article_a_draft(self, agent, scheduled, clock, run_schedules):
        agent.patch(f"{ARTICLES}{scheduled['id']}/", json={"content": ""})
        clock.advance(days=1)
        run_schedules()
        after = shown(agent, scheduled)
        assert (after["status"], after["publish_at"]) == ("draft", None)

    def test_is_for_drafts_and_for_the_future(self, agent, article, draft):
        for target, moment in ((article, TOMORROW), (draft, "2026-03-02T09:00:00Z")):
            reply = agent.patch(f"{ARTICLES}{target['id']}/", json={"publish_at": moment})
            assert reply.status_code == 400


class TestReviews:
    @pytest.fixture
    def stale(self, write):
        return write("Old", review_at=TOMORROW)

    def test_are_asked_for_once(self, agent, stale, clock, run_schedules):
        clock.advance(days=1)
        for _ in range(3):
            run_schedules()
            clock.advance(minutes=10)
        assert told(agent) == ["Is this still right? Old"]

    def test_are_asked_for_again_at_a_new_date(self, agent, stale, clock, run_schedules):
        clock.advance(days=1)
        run_schedules()
        agent.patch(f"{ARTICLES}{stale['id']}/", json={"review_at": "2026-04-01T10:00:00Z"})
        clock.advance(days=40)
        run_schedules()
        assert len(told(agent)) == 2

    def test_are_no_matter_for_what_was_put_away(self, agent, stale, clock, run_schedules):
        agent.post(f"{ARTICLES}{stale['id']}/archive/")
        clock.advance(days=1)
        run_schedules()
        assert told(agent) == []
