"""What is read of a request, what is refused, and how writing twice is prevented."""

import pytest

from tests.contract.steps import (
    assign,
    change_ticket,
    created,
    deleted,
    open_ticket,
    refused,
    register,
    served,
    show_ticket,
    subjects,
)


class TestUnknownParameters:
    @pytest.mark.parametrize("path", ["/tickets/", "/tags/", "/users/", "/organizations/", "/tickets/stats/"])
    def test_are_refused_naming_the_parameter(self, agent, path):
        found = refused(agent.get(path, params={"statuss": "open"}), 400)
        assert "statuss" in str(found["error"])

    def test_are_refused_naming_the_known_ones(self, agent):
        found = refused(agent.get("/tickets/", params={"prio": "high"}), 400)
        for known in ("priority", "assigned_to", "assigned_agent", "created_after", "page_size"):
            assert known in str(found["error"])


class TestUnknownFields:
    def test_are_refused_naming_the_nearest_known_one(self, member):
        found = refused(member.post("/tickets/", json={"subject": "Smoke", "priorty": "high"}), 400)
        assert found["error"]["details"]["field"] == "priorty"
        assert "priority" in found["error"]["details"]["message"]

    def test_are_refused_in_classic_alike(self, member):
        found = refused(member.classic.post("/tickets/", json={"titel": "Smoke", "title": "Smoke"}), 400)
        assert "title" in found["details"]["titel"][0]

    def test_are_refused_in_updates(self, member):
        path = f"/tickets/{open_ticket(member)['id']}/"
        assert refused(member.put(path, json={"desc": "x"}), 400)["error"]["details"]["field"] == "desc"
        assert refused(member.patch(path, json={"desc": "x"}), 400)["error"]["details"]["field"] == "desc"


class TestTypes:
    @pytest.mark.parametrize("value", [1, 0, "true", "yes", 1.0, [], None])
    def test_a_flag_is_true_or_false(self, agent, value):
        path = f"/tickets/{open_ticket(agent)['id']}/comments/"
        found = refused(agent.post(path, json={"content": "Seen", "is_internal": value}), 400)
        assert found["error"]["details"]["field"] == "is_internal"
        assert served(agent.get(path))["count"] == 0

    @pytest.mark.parametrize("value", ["7", 7.5, True])
    def test_a_number_is_no_text_and_no_flag(self, owner, value):
        policy = {"name": "Gold", "priority": "low", "resolution_minutes": 60}
        key = created(owner.post("/sla-policies/", json=policy))["id"]
        found = refused(owner.patch(f"/sla-policies/{key}/", json={"resolution_minutes": value}), 400)
        assert found["error"]["details"]["field"] == "resolution_minutes"

    def test_text_is_no_number(self, member):
        assert refused(member.post("/tickets/", json={"subject": 5}), 400)["error"]["details"]["field"] == "subject"


class TestSavingWhatWasRead:
    """A client that reads a resource, changes one field and sends everything back is understood."""

    @pytest.mark.parametrize("dialect", ["classic", "comprehensive"])
    def test_a_ticket_sent_back_stays_as_it_was(self, agent, member, dialect):
        client = agent.classic if dialect == "classic" else agent
        ticket = open_ticket(member, tags=["login"], priority="high", due_date="2030-01-01T00:00:00Z")
        assign(agent, ticket, agent)
        before = show_ticket(client, ticket)
        after = change_ticket(client, ticket, **before)
        assert {**after, "updated_at": None} == {**before, "updated_at": None}

    def test_read_only_fields_are_ignored(self, agent, member):
        ticket = open_ticket(member)
        fields = {"ticket_number": "TKT-777", "created_at": "2000-01-01T00:00:00Z", "id": 7}
        changed = change_ticket(agent, ticket, subject="Changed", **fields)
        assert changed["subject"] == "Changed"
        for name in fields:
            assert changed[name] == ticket[name]

    def test_a_reference_may_be_the_object_that_was_read(self, agent, member):
        ticket = assign(agent, open_ticket(member), agent)
        other = open_ticket(member)
        changed = change_ticket(agent, other, assigned_agent=ticket["assigned_agent"])
        assert changed["assigned_agent"] == ticket["assigned_agent"]

    def test_tags_may_be_the_objects_that_were_read(self, agent):
        tag = show_ticket(agent.classic, open_ticket(agent, tags=["login"]))["tags"][0]
        assert open_ticket(agent, tags=[tag])["tags"] == ["login"]

    def test_a_profile_sent_back_stays_as_it_was(self, member):
        before = served(member.get("/users/profile/"))
        after = served(member.put("/users/profile/", json=before))
        moving = {"updated_at": None, "last_active_at": None}
        assert {**after, **moving} == {**before, **moving}


class TestWritingTwice:
    def test_a_repeated_key_makes_one_ticket(self, member):
        headers = {"Idempotency-Key": "3f1c9e0a-once"}
        first = created(member.post("/tickets/", json={"subject": "Once"}, headers=headers))
        second = created(member.post("/tickets/", json={"subject": "Once"}, headers=headers))
        assert first == second
        assert subjects(member) == ["Once"]

    def test_another_key_makes_another_ticket(self, member):
        for key in ("first", "second"):
            created(member.post("/tickets/", json={"subject": key}, headers={"Idempotency-Key": key}))
        assert sorted(subjects(member)) == ["first", "second"]

    def test_one_persons_key_is_not_anothers(self, member, second_member):
        for client in (member, second_member):
            reply = client.post("/tickets/", json={"subject": "Mine"}, headers={"Idempotency-Key": "same"})
            created(reply)
        assert subjects(member) == subjects(second_member) == ["Mine"]

    def test_a_key_does_not_serve_another_body(self, member):
        headers = {"Idempotency-Key": "used"}
        created(member.post("/tickets/", json={"subject": "One"}, headers=headers))
        reply = member.post("/tickets/", json={"subject": "Two"}, headers=headers)
        assert reply.status_code in {409, 422}
        assert subjects(member) == ["One"]


class TestWritingOverSomebodyElse:
    def test_every_single_resource_has_an_etag(self, owner, member):
        reply = member.post("/tickets/", json={"subject": "Smoke"})
        path = f"/tickets/{reply.json()['id']}/"
        paths = (path, "/users/profile/", f"/organizations/{owner.organization_id}/")
        for answered in (reply, member.put(path, json={"subject": "Fire"}), *map(member.get, paths)):
            assert answered.headers["ETag"]

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_the_tag_that_was_read_lets_one_write_through(self, member, method):
        path = f"/tickets/{open_ticket(member)['id']}/"
        headers = {"If-Match": member.get(path).headers["ETag"]}
        served(getattr(member, method)(path, json={"subject": "First"}, headers=headers))
        refused(getattr(member, method)(path, json={"subject": "Second"}, headers=headers), 412)
        assert served(member.get(path))["subject"] == "First"

    def test_a_stale_tag_deletes_nothing(self, agent):
        path = f"/tickets/{open_ticket(agent)['id']}/"
        stale = agent.get(path).headers["ETag"]
        served(agent.put(path, json={"subject": "Changed"}))
        refused(agent.delete(path, headers={"If-Match": stale}), 412)
        deleted(agent.delete(path, headers={"If-Match": agent.get(path).headers["ETag"]}))


class TestMediaTypes:
    @pytest.mark.parametrize("path", ["/auth/token/", "/users/login/"])
    def test_credentials_come_as_a_form_or_as_json(self, owner, anonymous, path):
        register(anonymous, "former", password="quite a long secret")
        credentials = {"username": "former", "password": "quite a long secret"}
        assert served(anonymous.post(path, data=credentials))["access"]
        assert served(anonymous.post(path, json=credentials))["access"]

    def test_everything_else_is_no_form(self, member):
        reply = member.post("/tickets/", data={"subject": "A form"})
        assert refused(reply, 415)["error"]["code"] == "UNSUPPORTED_MEDIA_TYPE"
        assert subjects(member) == []

    @pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data"])
    def test_json_under_another_name_is_refused(self, member, content_type):
        headers = {"Content-Type": content_type}
        refused(member.post("/tickets/", content='{"subject": "x"}', headers=headers), 415)

    def test_json_may_name_its_charset(self, member):
        headers = {"Content-Type": "application/json; charset=utf-8"}
        body = '{"subject": "Rauch über Zürich"}'.encode()
        ticket = created(member.post("/tickets/", content=body, headers=headers))
        assert ticket["subject"] == "Rauch über Zürich"


class TestPaths:
    def test_the_trailing_slash_may_be_left_out_of_any_request(self, member):
        ticket = created(member.post("/tickets", json={"subject": "Smoke"}))
        assert served(member.get(f"/tickets/{ticket['id']}")) == served(member.get(f"/tickets/{ticket['id']}/"))
        assert served(member.get("/tickets"))["count"] == 1

    def test_snake_case_paths_have_kebab_case_twins(self, agent):
        ticket = open_ticket(agent)
        path = f"/tickets/{ticket['id']}/change-status/"
        assert served(agent.post(path, json={"status": "resolved"}))["status"] == "resolved"
        assert served(agent.get("/tickets/my-tickets/")) == served(agent.get("/tickets/my_tickets/"))
        template = created(agent.post("/templates/", json={"title": "Hi", "content": "Hello"}))
        used = served(agent.post(f"/templates/{template['id']}/use-template/", json={"context": {}}))
        assert used["processed_content"] == "Hello"

    def test_fixed_words_are_no_identifiers(self, agent):
        open_ticket(agent)
        assert "total_tickets" in served(agent.get("/tickets/stats/"))
        assert "total_tickets" in served(agent.get("/tickets/statistics/"))
        assert "results" in served(agent.get("/tickets/my_tickets/"))
        refused(agent.get("/tickets/nonsense/"), 404)
