"""Articles and tickets: who may link them, send an article, and say that it solved the problem."""

import pytest
from sqlalchemy import func, select

from helpdesk_core.api import Contributions, LifeCycleContext, PluginNames
from helpdesk_kb import plugin
from helpdesk_kb.link_models import ArticleLink

ARTICLES = "/knowledge-base/articles/"
TICKETS = "/knowledge-base/tickets/"


@pytest.fixture
def ask(member):
    """Open a ticket as the member."""

    def ask(title="I cannot sign in", client=member, **fields):
        reply = client.post("/tickets/", json={"title": title, "description": "My password is gone.", **fields})
        assert reply.status_code == 201, reply.text
        return reply.json()

    return ask


@pytest.fixture
def ticket(ask):
    """A ticket of the member's."""
    return ask()


@pytest.fixture
def public(write):
    """An article that everybody may read."""
    return write("Limits [2026]", audience="public")


def act(client, verb, article, ticket, **more):
    return client.post(f"{ARTICLES}{article['id']}/{verb}/", json={"ticket": ticket["id"], **more})


def link(client, article, ticket):
    reply = act(client, "tickets", article, ticket)
    assert reply.status_code == 201, reply.text
    return reply.json()


def solve(client, article, ticket):
    reply = act(client, "solve", article, ticket)
    assert reply.status_code == 200, reply.text
    return reply.json()


def of_article(client, article, **parameters):
    reply = client.get(f"{ARTICLES}{article['id']}/tickets/", params=parameters)
    assert reply.status_code == 200, reply.text
    return [(row["ticket"]["title"], row["kind"]) for row in reply.json()["results"]]


def of_ticket(client, ticket):
    reply = client.get(f"{TICKETS}{ticket['id']}/articles/")
    assert reply.status_code == 200, reply.text
    return [(row["article"]["title"], row["kind"]) for row in reply.json()["results"]]


def comments(client, ticket):
    return client.get(f"/tickets/{ticket['id']}/comments/").json()["results"]


def refusals(client, article, ticket):
    """Status and code of everything that needs tickets, and of the ticket itself."""
    replies = [act(client, verb, article, ticket) for verb in ("tickets", "send", "solve")]
    replies += [client.post(f"{ARTICLES}from-ticket/", json={"ticket": ticket["id"]})]
    paths = (f"{ARTICLES}{article['id']}/tickets/", f"{TICKETS}{ticket['id']}/articles/", f"/tickets/{ticket['id']}/")
    replies += [client.get(path) for path in paths]
    return {(each.status_code, each.json()["error"]["code"]) for each in replies}


def refused_field(reply):
    return reply.status_code, reply.json()["error"]["details"].get("field")


def solved(client, article):
    shown = client.get(f"{ARTICLES}{article['id']}/", params={"include": "solved_tickets"})
    return shown.json()["solved_tickets"]


class TestLinks:
    def test_are_nothing_to_outsiders(self, outsider, agent, article, ticket):
        made = link(agent, article, ticket)
        for verb in ("tickets", "send", "solve"):
            assert act(outsider, verb, article, ticket).status_code == 404
        assert outsider.get(f"{ARTICLES}{article['id']}/tickets/").status_code == 404
        assert outsider.get(f"{TICKETS}{ticket['id']}/articles/").status_code == 404
        assert outsider.delete(f"{ARTICLES}{article['id']}/tickets/{made['id']}/").status_code == 404

    def test_say_what_belongs_together(self, agent, article, ticket):
        made = link(agent, article, ticket)
        assert made["kind"] == "suggested"
        assert made["article"] == {
            "id": article["id"], "title": article["title"], "status": "published", "audience": "customers",
        }  # fmt: skip
        names = ("id", "ticket_number", "status")
        assert made["ticket"] == {"title": ticket["subject"], **{name: ticket[name] for name in names}}
        assert made["user"]["id"] == agent.user.id
        assert of_article(agent, article) == [("I cannot sign in", "suggested")]
        assert of_ticket(agent, ticket) == [("How to reset a password", "suggested")]

    def test_use_the_words_of_both_documents(self, agent, article, ticket):
        link(agent, article, ticket)
        (row,) = agent.classic.get(f"{ARTICLES}{article['id']}/tickets/").json()["results"]
        old = agent.classic.get(f"/tickets/{ticket['id']}/").json()
        assert {name: row["ticket"][name] for name in ("id", "title", "status")} == {
            name: old[name] for name in ("id", "title", "status")
        }
        assert agent.get(f"{TICKETS}{old['id']}/articles/").json()["count"] == 1
        assert agent.post(f"{ARTICLES}{article['id']}/solve/", json={"ticket": old["id"]}).status_code == 200

    def test_are_made_once(self, agent, article, ticket):
        link(agent, article, ticket)
        assert refused_field(act(agent, "tickets", article, ticket)) == (409, "ticket")

    def test_are_made_by_colleagues(self, member, article, ticket):
        assert act(member, "tickets", article, ticket).status_code == 403

    @pytest.mark.parametrize("named", [0, 999_999, "x", "", None, True, "550e8400-e29b-41d4-a716-446655440000", [1]])
    def test_need_a_ticket(self, agent, article, named):
        for verb in ("tickets", "send", "solve"):
            reply = agent.post(f"{ARTICLES}{article['id']}/{verb}/", json={"ticket": named})
            assert refused_field(reply) == (400, "ticket")

    def test_show_only_what_one_may_see_of_both_ends(self, agent, member, article, internal, ask):
        mine, other = ask(), ask("Another one", client=agent)
        for each in (article, internal):
            link(agent, each, mine)
            link(agent, each, other)
        assert of_article(member, article) == [("I cannot sign in", "suggested")]
        assert member.get(f"{ARTICLES}{internal['id']}/tickets/").status_code == 404
        assert of_ticket(member, mine) == [("How to reset a password", "suggested")]
        assert member.get(f"{TICKETS}{other['id']}/articles/").status_code == 404
        assert len(of_article(agent, article)) == len(of_ticket(agent, mine)) == 2

    def test_are_filtered_by_kind(self, agent, article, ticket):
        link(agent, article, ticket)
        solve(agent, article, ticket)
        assert of_article(agent, article, kind="solved") == [("I cannot sign in", "solved")]
        assert len(of_article(agent, article, kind="solved,suggested")) == 2
        assert agent.get(f"{ARTICLES}{article['id']}/tickets/", params={"kind": "x"}).status_code == 400

    def test_can_be_removed(self, agent, article, ticket):
        made = link(agent, article, ticket)
        path = f"{ARTICLES}{article['id']}/tickets/{made['id']}/"
        assert agent.delete(path).status_code == 204
        assert agent.delete(path).status_code == 404
        assert of_article(agent, article) == []

    def test_of_other_articles_are_not_removed(self, agent, article, internal, ticket):
        made = link(agent, article, ticket)
        assert agent.delete(f"{ARTICLES}{internal['id']}/tickets/{made['id']}/").status_code == 404

    def test_of_others_are_not_removed_by_requesters(self, agent, member, article, ticket):
        made = link(agent, article, ticket)
        own = solve(member, article, ticket)
        assert member.delete(f"{ARTICLES}{article['id']}/tickets/{made['id']}/").status_code == 403
        assert member.delete(f"{ARTICLES}{article['id']}/tickets/{own['id']}/").status_code == 204

    def test_are_told(self, installation, agent, article, ticket):
        made = link(agent, article, ticket)
        agent.delete(f"{ARTICLES}{article['id']}/tickets/{made['id']}/")
        told = installation.events()[-2:]
        assert [name for name, _ in told] == ["kb.article_linked", "kb.article_unlinked"]
        for _, payload in told:
            assert payload["ticket_id"] > 0
            assert payload | {"ticket_id": 0} == {
                "article_id": article["id"], "reach": "customers", "ticket_id": 0, "kind": "suggested",
            }  # fmt: skip

    def test_take_as_many_statements_however_many_there_are(self, installation, agent, article, ask):
        path = f"{ARTICLES}{article['id']}/tickets/"
        taken = []
        for number in (1, 6):
            for place in range(number):
                link(agent, article, ask(f"Ticket {number} {place}"))
            agent.get(path)
            with installation.statements() as seen:
                assert len(agent.get(path).json()["results"]) >= number
            taken.append(len(seen))
        assert taken[0] == taken[1]


class TestSending:
    def test_writes_to_the_requester(self, agent, member, public, ticket):
        sent = act(agent, "send", public, ticket, message="Hello!\n").json()
        assert sent["url"].endswith("/help/acme-corp/articles/limits-2026/")
        assert sent["content"] == f"Hello!\n\n[Limits \\[2026\\]]({sent['url']})"
        (comment,) = comments(member, ticket)
        assert (comment["id"], comment["content"]) == (sent["comment"], sent["content"])
        assert (comment["is_internal"], comment["author"]["id"]) == (False, agent.user.id)
        assert of_ticket(member, ticket) == [("Limits [2026]", "sent")]
        assert sent["link"]["kind"] == "sent"

    def test_has_the_title_in_the_language_of_the_requester(self, agent, member, public, translate, ticket):
        translate(public, title="Obergrenzen", status="draft")
        member.patch("/users/profile/", json={"language": "de-AT"})
        assert "[Limits " in act(agent, "send", public, ticket).json()["content"]
        agent.post(f"{ARTICLES}{public['id']}/translations/de/publish/")
        sent = act(agent, "send", public, ticket).json()
        assert sent["content"] == f"[Obergrenzen]({sent['url']})"

    def test_may_happen_again_without_another_link(self, agent, public, ticket):
        first, second = (act(agent, "send", public, ticket).json() for _ in range(2))
        assert first["link"] == second["link"]
        assert first["comment"] != second["comment"]

    def test_of_what_is_not_public_leads_by_the_sign_in_page(self, agent, read_as, visitor, article, ticket):
        url = act(agent, "send", article, ticket).json()["url"]
        path = url.partition("/account/")[2]
        asked = visitor.get(f"../../account/{path}")
        assert (asked.status_code, "location" in asked.headers) == (200, False)
        led = read_as("member").get(f"../../account/{path}")
        assert (led.status_code, led.headers["location"]) == (303, "/help/acme-corp/articles/how-to-reset-a-password/")

    @pytest.mark.parametrize(
        "fields", [{"audience": "internal"}, {"status": "draft", "audience": "public"}, {"status": "archived"}]
    )
    def test_is_refused_where_the_requester_cannot_open_it(self, agent, member, write, ticket, fields):
        reply = act(agent, "send", write(**fields), ticket)
        assert (reply.status_code, reply.json()["error"]["code"]) == (422, "NOT_FOR_REQUESTER")
        assert comments(member, ticket) == []
        assert of_ticket(agent, ticket) == []

    def test_to_a_colleague_may_be_of_what_is_internal(self, agent, technician, internal, ask):
        assert act(agent, "send", internal, ask(client=technician)).status_code == 200

    def test_is_for_colleagues(self, member, public, ticket):
        assert act(member, "send", public, ticket).status_code == 403

    def test_takes_text_alone(self, agent, public, ticket):
        for message in ("x" * 20_001, 7, "a\x00"):
            assert refused_field(act(agent, "send", public, ticket, message=message)) == (400, "message")

    def test_is_told(self, installation, agent, public, ticket):
        sent = act(agent, "send", public, ticket).json()
        (told,) = (payload for name, payload in installation.events() if name == "kb.article_sent")
        assert (told["article_id"], told["comment_id"], told["reach"]) == (public["id"], sent["comment"], "public")


class TestSolving:
    def test_is_said_by_requesters_and_colleagues(self, member, agent, article, ask):
        assert solved(agent, article) == 0
        assert solve(member, article, ask())["kind"] == "solved"
        solve(agent, article, ask())
        assert solved(agent, article) == solved(member, article) == 2

    def test_counts_once_for_each_ticket(self, installation, member, agent, article, ticket):
        assert solve(member, article, ticket) == solve(member, article, ticket) == solve(agent, article, ticket)
        assert solved(agent, article) == 1
        told = [payload for name, payload in installation.events() if name == "kb.article_solved_ticket"]
        assert [(each["user_id"], each["author_id"]) for each in told] == [(member.user.id, agent.user.id)]

    def test_can_be_taken_back(self, member, article, ticket):
        made = solve(member, article, ticket)
        member.delete(f"{ARTICLES}{article['id']}/tickets/{made['id']}/")
        assert solved(member, article) == 0

    def test_is_not_said_of_tickets_of_others(self, member, second_member, agent, article, ask):
        theirs = ask(client=second_member)
        assert refused_field(act(member, "solve", article, theirs)) == (400, "ticket")
        opened = ask(client=agent, customer=second_member.user.id)
        assert act(second_member, "solve", article, opened).status_code == 200

    def test_is_not_said_by_who_merely_sees_the_ticket(self, owner, agent, member, article, ask):
        codes = ["tickets:ticket:view", "tickets:ticket:view_all", "kb:article:view", "kb:article:vote"]
        role = owner.post("/users/roles/", json={"name": "Onlooker", "base": "customer", "permissions": codes}).json()
        given = owner.post(f"/users/{member.user.id}/change-role/", json={"custom_role": role["id"]})
        assert given.status_code == 200, given.text
        assert act(member, "solve", article, ask(client=agent)).status_code == 403

    def test_is_not_said_of_articles_that_one_does_not_see(self, member, internal, ticket):
        assert act(member, "solve", internal, ticket).status_code == 404

    def test_of_a_list_is_counted_in_as_many_statements(self, installation, agent, write, ticket):
        taken = []
        for number in (1, 6):
            for place in range(number):
                solve(agent, write(f"Article {number} {place}"), ticket)
            with installation.statements() as seen:
                rows = agent.get(ARTICLES, params={"include": "solved_tickets"}).json()["results"]
            assert {row["solved_tickets"] for row in rows} == {1}
            taken.append(len(seen))
        assert taken[0] == taken[1]

    def test_does_not_stand_in_the_way_of_a_change(self, agent, article, ticket):
        path = f"{ARTICLES}{article['id']}/"
        tag = agent.get(path, params={"include": "solved_tickets"}).headers["etag"]
        solve(agent, article, ticket)
        assert agent.get(path, params={"include": "solved_tickets"}).headers["etag"] == tag


class TestDraftsFromTickets:
    def make(self, client, ticket, **more):
        return client.post(f"{ARTICLES}from-ticket/", json={"ticket": ticket["id"], **more})

    def test_have_the_question_and_the_public_answers_of_colleagues(self, agent, technician, member, ticket):
        for client, content, internal in (
            (agent, "Choose *Forgotten*.", False),
            (agent, "Customer is rude.", True),
            (member, "I have done that.", False),
            (agent, "Then wait a minute.", False),
        ):
            body = {"content": content, "is_internal": internal}
            assert client.post(f"/tickets/{ticket['id']}/comments/", json=body).status_code == 201
        made = self.make(agent, ticket)
        assert made.status_code == 201, made.text
        shown = made.json()
        assert (shown["title"], shown["status"], shown["author"]["id"]) == ("I cannot sign in", "draft", agent.user.id)
        assert shown["content"] == "My password is gone.\n\n---\n\nChoose *Forgotten*.\n\nThen wait a minute."
        assert of_ticket(agent, ticket) == [("I cannot sign in", "source")]

    def test_go_where_they_are_put(self, agent, make_category, ticket):
        category = make_category()["id"]
        made = self.make(agent, ticket, category=category, audience="internal").json()
        assert made["category"]["id"] == category
        assert agent.get(ARTICLES, params={"audience": "internal"}).json()["count"] == 1
        assert refused_field(self.make(agent, ticket, category=999)) == (400, "category")

    def test_are_as_long_as_articles_can_be(self, agent, ask):
        ticket = ask(description="x" * 60_000)
        for _ in range(2):
            agent.post(f"/tickets/{ticket['id']}/comments/", json={"content": "y" * 30_000})
        assert len(self.make(agent, ticket).json()["content"]) == 90_000 + len("\n\n---\n\n")

    def test_are_for_those_who_write(self, outsider, member, technician, agent, ticket):
        assert refused_field(self.make(outsider, ticket)) == (400, "ticket")
        for client in (member, technician):
            assert self.make(client, ticket).status_code == 403

    def test_are_told(self, installation, agent, ticket):
        self.make(agent, ticket)
        assert [name for name, _ in installation.events()][-2:] == ["kb.article_created", "kb.article_linked"]


class TestWithoutTickets:
    @pytest.fixture(autouse=True)
    def off(self, owner, agent, article, ticket):
        link(agent, article, ticket)
        for name in ("workflow", "tickets"):
            reply = owner.post(f"/organizations/{owner.organization_id}/plugins/{name}/disable/")
            assert reply.status_code == 200, reply.text

    def test_articles_are_there_as_ever(self, agent, article):
        assert solved(agent, article) == 0
        assert agent.patch(f"{ARTICLES}{article['id']}/", json={"title": "New"}).status_code == 200

    def test_links_are_refused_as_tickets_are(self, agent, article, ticket):
        assert refusals(agent, article, ticket) == {(403, "PLUGIN_NOT_ENABLED")}

    def test_links_are_kept(self, owner, agent, article, run_schedules):
        run_schedules()
        assert owner.post(f"/organizations/{owner.organization_id}/plugins/tickets/enable/").status_code == 200
        assert of_article(agent, article) == [("I cannot sign in", "suggested")]


class TestGoneTickets:
    @pytest.fixture(autouse=True)
    def look(self, installation):
        self.installation = installation

    @pytest.fixture
    def a_month_passes(self, clock, run_schedules):
        def passes():
            run_schedules()
            for days in (31, 1):  # the tickets are purged first, or later in the same night
                clock.advance(days=days)
                run_schedules()

        return passes

    def number(self, client):
        with self.installation.session(client.organization_id) as session:
            return session.scalar(select(func.count()).select_from(ArticleLink))

    def test_are_not_shown_and_come_back(self, owner, agent, article, ticket, run_schedules):
        link(agent, article, ticket)
        assert agent.delete(f"/tickets/{ticket['id']}/").status_code == 204
        run_schedules()
        assert of_article(agent, article) == []
        assert owner.post(f"/tickets/{ticket['id']}/restore/").status_code == 200
        assert of_article(agent, article) == [("I cannot sign in", "suggested")]

    def test_lose_their_links_when_they_are_gone_for_good(self, agent, article, ask, a_month_passes):
        gone, kept = ask("Gone"), ask("Kept")
        for each in (gone, kept):
            link(agent, article, each)
        agent.delete(f"/tickets/{gone['id']}/")
        a_month_passes()
        assert self.number(agent) == 1
        assert of_article(agent, article) == [("Kept", "suggested")]

    def test_articles_take_their_links_along(self, agent, article, ticket):
        link(agent, article, ticket)
        assert agent.delete(f"{ARTICLES}{article['id']}/").status_code == 204
        assert self.number(agent) == 0

    @pytest.mark.parametrize(("uninstalled", "left"), [("workflow", 1), ("tickets", 0)])
    def test_of_an_uninstalled_plugin_have_no_links(self, agent, article, ticket, uninstalled, left):
        link(agent, article, ticket)
        with self.installation.session() as session:
            services = {Contributions: self.installation.parts.services.get(Contributions)}
            ctx = LifeCycleContext(session, None, self.installation.clock.now(), services)
            plugin.forget_plugin(ctx, PluginNames(uninstalled, frozenset(), frozenset()))
            self.installation.commit(session)
        assert self.number(agent) == left


def test_links_wait_while_the_plugin_with_the_tickets_does(installation, agent, article, ticket):
    installation.suspend("tickets")
    assert refusals(agent, article, ticket) == {(503, "PLUGIN_UNAVAILABLE")}
    assert solved(agent, article) == 0
