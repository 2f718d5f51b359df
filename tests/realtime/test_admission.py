"""Who may connect, by which credential, and from which page."""

import pytest
from starlette.websockets import WebSocketDisconnect

from helpdesk_core.testing import Client, Installation
from tests.realtime.conftest import Connect, ready

REFUSED = 4401


def ticket_of(client: Client) -> str:
    reply = client.post("/users/ws-ticket/")
    assert reply.status_code == 201, reply.text
    return str(reply.json()["ticket"])


class TestCredentials:
    def test_none_is_let_in_and_told_to_leave(self, connect: Connect) -> None:
        assert connect().closed()[0] == REFUSED

    @pytest.mark.parametrize("header", ["Bearer nonsense", "Basic YTpi", "Bearer "])
    def test_a_bad_header_is_refused(self, connect: Connect, header: str) -> None:
        assert connect(headers={"Authorization": header}).closed()[0] == REFUSED

    def test_an_access_token_opens(self, connect: Connect, agent: Client) -> None:
        frame = connect(agent).next()
        assert frame["type"] == "connection.ready"
        assert frame["data"]["user_id"] == agent.user.id

    def test_a_token_as_subprotocol_opens_and_only_bearer_is_answered(self, connect: Connect, agent: Client) -> None:
        socket = connect(subprotocols=["bearer", agent.token])
        assert socket.session.accepted_subprotocol == "bearer"
        ready(socket)

    def test_an_api_key_opens(self, connect: Connect, agent: Client) -> None:
        key = agent.post("/users/api-keys/", json={"name": "Mirror", "scopes": ["*"]}).json()["key"]
        ready(connect(headers={"X-API-Key": key}))

    def test_a_token_in_the_address_is_refused_even_if_it_is_good(self, connect: Connect, agent: Client) -> None:
        code, reason = connect(token=agent.token).closed()
        assert code == REFUSED
        assert "never in the address" in reason

    def test_an_expired_token_is_refused(self, installation: Installation, connect: Connect, agent: Client) -> None:
        token = agent.token
        installation.clock.advance(hours=1)
        assert connect(headers={"Authorization": f"Bearer {token}"}).closed()[0] == REFUSED

    def test_the_cookie_of_a_session_does_not_count(
        self, installation: Installation, connect: Connect, agent: Client
    ) -> None:
        credentials = {"username": agent.user.username, "password": agent.user.password}
        assert installation.http.post("/api/v1/users/session/", json=credentials).status_code in {200, 201}
        assert installation.http.cookies
        assert connect().closed()[0] == REFUSED


class TestTickets:
    def test_open_once(self, connect: Connect, agent: Client) -> None:
        ticket = ticket_of(agent)
        ready(connect(ticket=ticket))
        assert connect(ticket=ticket).closed()[0] == REFUSED

    def test_are_no_good_after_half_a_minute(self, installation: Installation, connect: Connect, agent: Client) -> None:
        ticket = ticket_of(agent)
        installation.clock.advance(seconds=31)
        assert connect(ticket=ticket).closed()[0] == REFUSED

    def test_are_no_good_once_their_login_has_ended(self, connect: Connect, agent: Client) -> None:
        ticket = ticket_of(agent)
        agent.post("/users/logout/", json={})
        assert agent.raw("GET", "/api/v1/users/profile/").status_code == 401
        assert connect(ticket=ticket).closed()[0] == REFUSED

    def test_speak_the_language_of_who_asked(self, connect: Connect, agent: Client) -> None:
        socket = ready(connect(ticket=ticket_of(agent.classic)))
        agent.post("/tickets/", json={"subject": "Printer"})
        assert socket.next()["data"]["title"] == "Printer"

    def test_are_not_given_to_api_keys(self, installation: Installation, agent: Client) -> None:
        key = agent.post("/users/api-keys/", json={"name": "Mirror", "scopes": ["*"]}).json()["key"]
        reply = installation.http.post("/api/v1/users/ws-ticket/", headers={"X-API-Key": key})
        assert reply.status_code == 403

    def test_are_stored_as_hashes(self, installation: Installation, agent: Client) -> None:
        ticket = ticket_of(agent)
        with installation.session() as session:
            rows = session.connection().exec_driver_sql("SELECT * FROM core_socket_ticket").all()
        assert rows
        assert ticket not in str(rows)


class TestOrigins:
    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example", "http://["])
    def test_a_page_of_somebody_else_does_not_get_through_the_handshake(
        self, connect: Connect, agent: Client, origin: str
    ) -> None:
        with pytest.raises(WebSocketDisconnect):
            connect(agent, headers={"Origin": origin})

    def test_a_page_of_ours_does(self, connect: Connect, agent: Client) -> None:
        ready(connect(agent, headers={"Origin": "http://testserver"}))

    def test_a_host_that_is_not_served_is_refused(self, connect: Connect, agent: Client) -> None:
        with pytest.raises(WebSocketDisconnect):
            connect(agent, headers={"Host": "elsewhere.example"})


class TestRights:
    def test_end_with_the_account(self, connect: Connect, owner: Client, agent: Client) -> None:
        socket = ready(connect(agent))
        assert owner.delete(f"/users/{agent.user.id}/").status_code == 204
        assert socket.closed()[0] == REFUSED

    @pytest.mark.parametrize("path", ["/users/logout/", "/users/logout-all/"])
    def test_end_with_the_login(self, connect: Connect, agent: Client, path: str) -> None:
        socket = ready(connect(agent))
        assert agent.post(path).status_code == 200
        assert socket.closed()[0] == REFUSED

    def test_end_with_the_key(self, connect: Connect, agent: Client) -> None:
        made = agent.post("/users/api-keys/", json={"name": "Mirror", "scopes": ["*"]}).json()
        socket = ready(connect(headers={"X-API-Key": made["key"]}))
        agent.delete(f"/users/api-keys/{made['id']}/")
        assert socket.closed()[0] == REFUSED

    def test_end_when_the_token_runs_out(self, installation: Installation, connect: Connect, agent: Client) -> None:
        socket = ready(connect(agent))
        installation.clock.advance(hours=1)
        assert socket.closed()[0] == REFUSED

    def test_follow_a_change_of_role_at_once(
        self, connect: Connect, owner: Client, agent: Client, member: Client
    ) -> None:
        socket = ready(connect(agent))
        socket.ask("subscribe", topics=["ticket"])
        reply = owner.post(f"/users/{agent.user.id}/change-role/", json={"role": "customer"})
        assert reply.status_code == 200, reply.text
        member.post("/tickets/", json={"subject": "Not for customers"})
        mine = agent.post("/tickets/", json={"subject": "Mine"}).json()
        assert socket.next()["data"]["id"] == mine["id"]
