"""Bodies are bare unless the envelope is asked for; errors and headers are the same on every operation."""

import json

import pytest

from tests.contract.documents import CLASSIC, COMPREHENSIVE, CONTRACT, answer, error
from tests.contract.shapes import assert_shape
from tests.contract.steps import UNKNOWN_UUID, open_ticket, refused, served, show_ticket

ENVELOPE = {"Accept": CONTRACT["envelope"]["accept"]}
META = json.loads(CONTRACT["envelope"]["meta"])
CODES = CONTRACT["errors"]["codes"]


class TestTheEnvelope:
    def test_an_object_is_bare_until_it_is_asked_for(self, member):
        ticket = open_ticket(member)
        plain = {"Accept": "application/vnd.helpdesk.v1+json"}
        reply = member.get(f"/tickets/{ticket['id']}/", headers=plain)
        assert served(reply) == show_ticket(member, ticket)

    def test_an_object_is_its_data(self, member):
        ticket = open_ticket(member)
        enveloped = served(member.get(f"/tickets/{ticket['id']}/", headers=ENVELOPE))
        assert_shape(enveloped["meta"], META)
        assert enveloped == {"data": show_ticket(member, ticket), "meta": enveloped["meta"]}

    def test_a_list_keeps_its_keys_and_gains_the_meta(self, member):
        open_ticket(member)
        enveloped = served(member.get("/tickets/", headers=ENVELOPE))
        assert_shape(enveloped, answer("tickets_list", COMPREHENSIVE) | {"results": [], "meta": META})
        assert enveloped["count"] == 1

    def test_a_body_with_a_message_becomes_the_data_as_a_whole(self, owner, anonymous):
        body = {"email": "a@example.com", "username": "ada", "password": "quite a long secret"}
        reply = anonymous.post("/users/register/", json=body, headers=ENVELOPE)
        assert reply.status_code == 201
        assert_shape(reply.json()["data"], answer("users_register", COMPREHENSIVE))
        assert_shape(reply.json()["meta"], META)

    def test_an_error_has_its_time_and_request_in_the_meta(self, member):
        found = refused(member.get(f"/tickets/{UNKNOWN_UUID}/", headers=ENVELOPE), 404)
        assert_shape(found, error("comprehensive_enveloped"))

    def test_the_meta_names_the_request_of_the_header(self, member):
        reply = member.get("/tickets/", headers=ENVELOPE)
        assert reply.json()["meta"]["request_id"] == reply.headers["X-Request-ID"]


class TestHeaders:
    def test_every_answer_names_its_request_and_its_version(self, member, anonymous):
        for reply in (member.get("/tickets/"), anonymous.get("/tickets/"), member.get("/nowhere/")):
            for name, example in CONTRACT["headers"]["always"].items():
                assert_shape(reply.headers.get(name), example)
            assert reply.headers["X-API-Version"] == "v1"

    def test_no_two_answers_have_the_same_request_id(self, member):
        ids = [member.get("/tickets/").headers["X-Request-ID"] for _ in range(5)]
        assert len(set(ids)) == 5

    def test_a_clients_own_request_id_is_not_taken_for_ours(self, member):
        reply = member.get("/tickets/", headers={"X-Request-ID": "req_1"})
        assert reply.headers["X-Request-ID"] != "req_1"

    def test_a_refusal_names_the_request_of_the_header(self, member):
        reply = member.get(f"/tickets/{UNKNOWN_UUID}/")
        assert reply.json()["error"]["request_id"] == reply.headers["X-Request-ID"]


class TestErrors:
    def test_comprehensive_has_the_field_and_the_message(self, member):
        found = refused(member.post("/tickets/", json={"description": "No subject"}), 400)
        assert_shape(found, error(COMPREHENSIVE))
        assert found["error"]["code"] == "VALIDATION_ERROR"
        assert found["error"]["message"] == "Validation failed"
        assert found["error"]["details"] == {"field": "subject", "message": "This field is required."}

    def test_comprehensive_lists_all_errors_when_there_are_several(self, member):
        found = refused(member.post("/tickets/", json={"priority": "extreme"}), 400)
        details = found["error"]["details"]
        assert {"field": details["field"], "message": details["message"]} == details["errors"][0]
        assert sorted(each["field"] for each in details["errors"]) == ["priority", "subject"]

    def test_classic_lists_messages_by_field(self, member):
        found = refused(member.classic.post("/tickets/", json={"priority": "extreme"}), 400)
        assert found == {
            "error": "Validation failed",
            "details": {"title": ["This field is required."], "priority": ["Invalid choice."]},
        }

    def test_the_field_is_named_as_the_caller_wrote_it(self, member):
        found = refused(member.classic.post("/tickets/", json={"subject": ""}), 400)
        assert list(found["details"]) == ["subject"]
        found = refused(member.post("/tickets/", json={"title": ""}), 400)
        assert found["error"]["details"]["field"] == "title"

    @pytest.mark.parametrize("status", [401, 403, 404, 405, 406, 409, 415])
    def test_every_status_has_its_code_in_comprehensive(self, owner, member, anonymous, status):
        assert refusal(status, owner, member, anonymous)["error"]["code"] == CODES[status]

    @pytest.mark.parametrize("status", [403, 404, 405, 406, 409, 415])
    def test_classic_has_a_sentence_and_details_for_every_status(self, owner, member, anonymous, status):
        found = refusal(status, owner.classic, member.classic, anonymous)
        assert_shape(found, error(CLASSIC))
        assert found["error"]

    def test_a_wrong_method_is_told_the_right_ones(self, member):
        reply = member.delete("/tickets/")
        refused(reply, 405)
        allowed = {word.strip() for word in reply.headers["Allow"].split(",")}
        assert {"GET", "POST"} <= allowed
        assert "DELETE" not in allowed

    @pytest.mark.parametrize("body", ["{", "", "[]", '"text"', '{"subject": }', "\xff", "null"])
    def test_a_body_that_is_no_json_object_is_a_bad_request(self, member, body):
        headers = {"Content-Type": "application/json"}
        reply = member.post("/tickets/", content=body.encode("latin-1"), headers=headers)
        assert_shape(refused(reply, 400), error(COMPREHENSIVE))


def refusal(status, owner, member, anonymous):
    """A body of each status."""
    send = {
        401: lambda: anonymous.get("/tickets/"),
        403: lambda: member.post("/categories/", json={"name": "Mine"}),
        404: lambda: member.get(f"/tickets/{UNKNOWN_UUID}/"),
        405: lambda: member.delete("/tickets/"),
        406: lambda: member.get("/tickets/", headers={"Accept": "application/vnd.helpdesk.v2+json"}),
        409: lambda: [owner.post("/tags/", json={"name": "twice"}) for _ in range(2)][-1],
        415: lambda: member.post("/tickets/", data={"subject": "A form"}),
    }
    return refused(send[status](), status)
