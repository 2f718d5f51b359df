"""What no endpoint answers is answered in the documented form all the same."""

import pytest

from helpdesk_core.testing import Client


@pytest.mark.parametrize(
    "path", ["/nothing/", "/", "//", "/organizations/by-slug/a\nb/", "/users/\x00/", "/users/%2e%2e/"]
)
def test_an_unknown_path_of_the_api_is_not_found_in_the_callers_dialect(member: Client, path: str) -> None:
    quoted = path.replace("\n", "%0A").replace("\x00", "%00")
    reply = member.get(quoted)
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "RESOURCE_NOT_FOUND"
    classic = member.classic.get(quoted)
    assert (classic.status_code, set(classic.json())) == (404, {"error", "details"})


def test_a_path_outside_the_api_is_not_found_in_the_same_form(anonymous: Client) -> None:
    reply = anonymous.raw("GET", "/nowhere")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "RESOURCE_NOT_FOUND")


def test_a_wrong_method_names_the_right_ones(member: Client) -> None:
    reply = member.delete("/users/profile/")
    assert (reply.status_code, reply.headers["Allow"]) == (405, "GET, HEAD, PATCH, PUT")
    assert reply.json()["error"]["code"] == "METHOD_NOT_ALLOWED"


def test_every_answer_has_its_id_and_the_version(anonymous: Client) -> None:
    for path in ("/api/v1/users/", "/nowhere", "/healthz"):
        headers = anonymous.raw("GET", path).headers
        assert headers["X-Request-ID"].startswith("req_")
        assert headers["X-API-Version"] == "v1"
