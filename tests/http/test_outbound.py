"""Requests go to the address that was checked, in the name that was given, and end in time whatever answers."""

import gzip
import socket
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
from authlib.integrations.httpx_client import OAuth2Client

from helpdesk_core.http.failures import OutboundError, UnsafeUrl
from helpdesk_core.http.outbound import KEPT_BYTES, Outbound
from helpdesk_core.settings import Settings
from tests.http.conftest import NAME
from tests.http.servers import answering, dripping, ok, redirect, silent, sipping

PUBLIC = "93.184.216.34"
SOON, LATE = 0.15, 2.0  # a request's time, and what would mean that nobody looked at the clock
OK = b"HTTP/1.1 200 OK\r\n"


def failure(outbound, url, method="GET", **options):
    with pytest.raises(OutboundError) as failed:
        outbound.request(method, url, **options)
    assert failed.value.__suppress_context__
    return failed.value


def headers_of(server):
    """The one request that a server was sent, in lines."""
    ((head, _),) = server.requests
    return head.splitlines()


class TestRequest:
    def test_says_what_was_answered(self, serve, outbound):
        server = serve(answering(b"HTTP/1.1 201 Made\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 4\r\n\r\nmade"))
        reply = outbound().request("POST", f"http://{NAME}:{server.port}/a?b=c#d", content=b"{}", headers={"X-B": "3"})
        assert (reply.status, reply.body, reply.truncated) == (201, b"made", False)
        assert reply.headers == {"x-a": "1, 2", "content-length": "4"}
        assert 0 < reply.seconds < LATE
        assert server.requests[0][1] == b"{}"
        assert headers_of(server)[0] == "POST /a?b=c HTTP/1.1"
        assert {"X-B: 3", "Content-Length: 2", "Accept-Encoding: identity", "User-Agent: Helpdesk"} <= set(
            headers_of(server)
        )

    def test_goes_to_the_checked_address_in_the_name_of_the_host(self, serve, outbound):
        server = serve(answering(ok()))
        assert outbound().request("GET", f"http://{NAME}:{server.port}/").status == 200
        assert f"Host: {NAME}:{server.port}" in headers_of(server)

    def test_goes_to_the_next_address_where_one_does_not_answer(self, serve, outbound):
        server = serve(answering(ok()))
        both = outbound("127.0.0.3", "127.0.0.1", allow=("127.0.0.0/8",))
        assert both.request("GET", f"http://{NAME}:{server.port}/").status == 200

    def test_reaches_an_allowed_address_without_a_name(self, serve, outbound):
        server = serve(answering(ok()))
        assert outbound().request("GET", f"http://127.0.0.1:{server.port}/").body == b"fine"

    def test_reaches_an_allowed_ipv6_address(self, serve, outbound):
        if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
            pytest.skip("this machine has no IPv6")
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
        seen = []

        def serve_once():
            connection, _ = listening.accept()
            with connection:
                seen.append(connection.recv(65536).decode())
                connection.sendall(ok())

        thread = threading.Thread(target=serve_once)
        thread.start()
        port = listening.getsockname()[1]
        assert outbound(allow=("::1/128",)).request("GET", f"http://[::1]:{port}/").status == 200
        thread.join()
        listening.close()
        assert f"\r\nHost: [::1]:{port}\r\n" in seen[0]

    @pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
    def test_knows_no_proxy_and_no_environment(self, serve, outbound, canary, monkeypatch, variable):
        monkeypatch.setenv(variable, f"http://127.0.0.2:{canary.port}")
        server = serve(answering(ok()))
        url = f"http://{NAME}:{server.port}/"
        assert outbound().request("GET", url).status == 200
        with outbound().client() as client:
            assert client.get(url).status_code == 200

    @pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection", "Accept-Encoding"])
    def test_lets_nobody_set_what_frames_it(self, serve, outbound, name):
        server = serve(answering(ok()))
        failed = failure(outbound(), f"http://{NAME}:{server.port}/", headers={name: "internal.example.com"})
        assert (failed.kind, server.connections) == ("refused", 0)

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-A": "1\r\nX-B: 2"}, {"X-A": "1\n"}, {"X-A\r\nX-B": "2"}, {"X A": "1"}, {"": "1"}, {"X-A": " 1"},
            {"X-A": "hunter2ü"}, {"X-A": "\x00"}, {"X-A:": "1"},
        ],
    )  # fmt: skip
    def test_lets_no_header_end_a_line(self, serve, outbound, headers):
        server = serve(answering(ok()))
        failed = failure(outbound(), f"http://{NAME}:{server.port}/", headers=headers)
        assert (failed.kind, server.connections) == ("refused", 0)
        assert "hunter2" not in failed.message

    @pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "GET / HTTP/1.1\r\nX: ", ""])
    def test_knows_the_usual_methods_alone(self, serve, outbound, method):
        server = serve(answering(ok()))
        assert failure(outbound(), f"http://{NAME}:{server.port}/", method).kind == "refused"
        assert server.connections == 0

    def test_takes_a_header_of_ones_own_in_place_of_the_usual_one(self, serve, outbound):
        server = serve(answering(ok()))
        outbound().request("GET", f"http://{NAME}:{server.port}/", headers={"user-agent": "Mine"})
        assert [line for line in headers_of(server) if line.lower().startswith("user-agent")] == ["user-agent: Mine"]


class TestNames:
    def test_that_turn_inward_after_they_were_saved_reach_nobody(self, canary):
        answers = iter([[PUBLIC], ["127.0.0.2"]])
        turning = Outbound(Settings(outbound_ports=(canary.port,)), lambda host, port: next(answers))
        url = f"https://{NAME}:{canary.port}/"
        turning.check(url)
        assert failure(turning, url).kind == "refused"

    @pytest.mark.parametrize("addresses", [[PUBLIC, "127.0.0.2"], ["127.0.0.2", PUBLIC]])
    def test_with_one_public_and_one_inner_address_reach_nobody(self, canary, outbound, addresses):
        mixed = outbound(*addresses, outbound_ports=(canary.port,))
        url = f"https://{NAME}:{canary.port}/"
        with pytest.raises(UnsafeUrl):
            mixed.check(url)
        assert failure(mixed, url).kind == "refused"

    def test_are_looked_up_once_for_each_request(self, serve):
        server = serve(answering(ok()))
        canary = serve(answering(ok()), host="127.0.0.2", port=server.port)
        asked = []

        def turning(host, port):
            asked.append((host, port))
            return ["127.0.0.1" if len(asked) == 1 else "127.0.0.2"]

        outbound = Outbound(Settings(outbound_allow=("127.0.0.0/8",)), turning)
        assert outbound.request("GET", f"http://{NAME}:{server.port}/").status == 200
        assert asked == [(NAME, server.port)]
        assert (server.connections, canary.connections) == (1, 0)

    def test_without_an_address_are_told_as_such(self):
        def unknown(host, port):
            raise socket.gaierror

        assert failure(Outbound(Settings(), unknown), f"https://{NAME}/").kind == "dns"

    def test_whose_servers_are_silent_take_no_longer_than_anything_else(self):
        done = threading.Event()
        slow = Outbound(Settings(), lambda host, port: done.wait(10) and [])
        began = time.monotonic()
        assert failure(slow, f"https://{NAME}/", timeout=SOON).kind == "dns"
        assert time.monotonic() - began < LATE
        done.set()

    def test_are_those_of_this_machine_unless_told_otherwise(self, serve):
        server = serve(answering(ok()))
        own = Outbound(Settings(outbound_allow=("127.0.0.0/8", "::1/128")))
        assert own.request("GET", f"http://localhost:{server.port}/").status == 200


class TestRedirects:
    @pytest.mark.parametrize("inward", ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.2:{port}/"])
    def test_are_answers_like_any_other(self, serve, outbound, canary, inward):
        location = inward.replace("{port}", str(canary.port))
        server = serve(answering(redirect(location)))
        url = f"http://{NAME}:{server.port}/"
        reply = outbound().request("GET", url)
        assert (reply.status, reply.headers["location"]) == (302, location)
        with outbound().client() as client:
            assert client.get(url).status_code == 302
        assert server.connections == 2

    def test_meet_the_same_guard_where_a_client_follows_them(self, serve, outbound, canary):
        server = serve(answering(redirect(f"http://127.0.0.2:{canary.port}/")))
        with outbound().client() as client, pytest.raises(OutboundError) as refused:
            client.get(f"http://{NAME}:{server.port}/", follow_redirects=True)
        assert (refused.value.kind, server.connections) == ("refused", 1)


class TestTls:
    def test_is_with_the_name_at_the_checked_address(self, serve, outbound, tls, trusting):
        server = serve(answering(ok()), tls=tls)
        reply = outbound(trusted=trusting).request("GET", f"https://{NAME}:{server.port}/")
        assert (reply.status, server.names) == (200, [NAME])
        assert f"Host: {NAME}:{server.port}" in headers_of(server)

    @pytest.mark.parametrize("host", ["other.example.com", "127.0.0.1"])
    def test_is_with_no_other_host(self, serve, outbound, tls, trusting, host):
        server = serve(answering(ok()), tls=tls)
        failed = failure(outbound(trusted=trusting), f"https://{host}:{server.port}/")
        assert (failed.kind, server.requests) == ("tls", [])
        assert "certificate" in failed.message

    def test_needs_a_certificate_that_this_machine_trusts(self, serve, outbound, tls, certificate, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # not asked for
        server = serve(answering(ok()), tls=tls)
        assert failure(outbound(), f"https://{NAME}:{server.port}/").kind == "tls"
        assert server.requests == []

    def test_is_not_given_up(self, serve, outbound, trusting):
        server = serve(lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n"))
        assert failure(outbound(trusted=trusting), f"https://{NAME}:{server.port}/").kind == "tls"


class TestTime:
    @pytest.mark.parametrize(
        "behave",
        [
            silent,
            dripping(OK + b"Content-Length: 99999\r\n\r\n"),
            dripping(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
            dripping(OK + b"X-Long: "),
            dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
            answering(OK + b"Content-Length: 5\r\n\r\nfine", then="hang"),
        ],
        ids=["silent", "body", "chunks", "header", "continue", "last byte"],
    )
    @pytest.mark.parametrize("by", ["request", "client"])
    def test_ends_whatever_the_host_does(self, serve, outbound, behave, by):
        server = serve(behave)
        url = f"http://{NAME}:{server.port}/"
        began = time.monotonic()
        with outbound().client(timeout=SOON) as client, pytest.raises(OutboundError) as failed:
            client.get(url, timeout=60) if by == "client" else outbound().request("GET", url, timeout=SOON)
        assert failed.value.kind == "timeout"
        assert SOON <= time.monotonic() - began < LATE

    def test_ends_within_tls_too(self, serve, outbound, tls, trusting):
        server = serve(dripping(OK + b"Content-Length: 99999\r\n\r\n"), tls=tls)
        began = time.monotonic()
        assert failure(outbound(trusted=trusting), f"https://{NAME}:{server.port}/", timeout=0.5).kind == "timeout"
        assert time.monotonic() - began < LATE

    def test_ends_while_the_host_reads_slowly(self, serve, outbound):
        server = serve(sipping)
        began = time.monotonic()
        content = b"x" * 30_000_000  # more than fits between the two
        assert failure(outbound(), f"http://{NAME}:{server.port}/", "POST", content=content, timeout=SOON).kind == (
            "timeout"
        )
        assert time.monotonic() - began < LATE

    def test_to_connect_holds_for_tls(self, serve, outbound, trusting):
        server = serve(silent)
        began = time.monotonic()
        failed = failure(outbound(trusted=trusting), f"https://{NAME}:{server.port}/", connect_timeout=SOON)
        assert (failed.kind, failed.message) == ("timeout", "The host took no connection within 0.15 seconds.")
        assert time.monotonic() - began < LATE


class TestAnswers:
    def test_that_are_too_long_are_cut_and_not_kept_in_memory(self, serve, outbound):
        sent = []

        def flood(connection, server):
            server.read(connection)
            connection.sendall(OK + b"Content-Length: 10000000000\r\n\r\n")
            block = b"x" * 65_536
            while not server.stopped.is_set():
                connection.sendall(block)
                sent.append(len(block))

        server = serve(flood)
        tracemalloc.start()
        reply = outbound().request("GET", f"http://{NAME}:{server.port}/")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (reply.body, reply.truncated) == (b"x" * KEPT_BYTES, True)
        assert peak < 2_000_000
        assert sum(sent) < 50_000_000

    @pytest.mark.parametrize(("size", "truncated"), [(KEPT_BYTES, False), (KEPT_BYTES + 1, True)])
    def test_are_cut_at_64_kilobytes(self, serve, outbound, size, truncated):
        server = serve(answering(ok(b"x" * size)))
        reply = outbound().request("GET", f"http://{NAME}:{server.port}/")
        assert (len(reply.body), reply.truncated) == (KEPT_BYTES, truncated)

    def test_that_would_grow_are_left_as_they_are(self, serve, outbound):
        bomb = gzip.compress(b"\0" * 10_000_000)
        server = serve(answering(ok(bomb, "Content-Encoding: gzip")))
        url = f"http://{NAME}:{server.port}/"
        assert outbound().request("GET", url).body == bomb
        with outbound().client() as client, pytest.raises(OutboundError) as refused:
            client.get(url)
        assert refused.value.kind == "protocol"

    def test_that_are_too_long_are_refused_by_clients(self, serve, outbound):
        server = serve(answering(ok(b"x" * 2_000_000)))
        with outbound().client() as client, pytest.raises(OutboundError) as refused:
            client.get(f"http://{NAME}:{server.port}/")
        assert refused.value.kind == "protocol"

    @pytest.mark.parametrize(
        ("behave", "kind"),
        [
            (answering(), "connect"),
            (answering(then="reset"), "connect"),
            (answering(OK, then="reset"), "connect"),
            (answering(OK + b"Content-Length: 9\r\n\r\nfine"), "protocol"),
            (answering(OK + b"Transfer-Encoding: chunked\r\n\r\nhunter2\r\n"), "protocol"),
            (answering(b"SSH-2.0-OpenSSH_9.6 hunter2\r\n\r\n"), "protocol"),
            (answering(b"HTTP/1.1 hunter2 OK\r\n\r\n"), "protocol"),
            (answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"), "protocol"),
            (answering(OK + b"X-Folded\r\n hunter2: 1\r\n\r\n"), "protocol"),
            (answering(OK + b"X-Long: " + b"x" * 40_000 + b"\r\n\r\n"), "protocol"),
            (answering(OK + b"X-Many: x\r\n" * 5_000 + b"\r\n"), "protocol"),
            (answering(OK + b"X-Endless: " + b"x" * 1_000_000), "protocol"),
        ],
        ids=[
            *("nothing", "reset", "reset in headers", "short", "short chunk", "not http", "no status"),
            *("upgrade", "folded", "long header", "many headers", "endless header"),
        ],
    )
    def test_that_are_none_are_told_in_our_own_words(self, serve, outbound, behave, kind):
        server = serve(behave)
        failed = failure(outbound(), f"http://{NAME}:{server.port}/?token=hunter2", timeout=5)
        assert failed.kind == kind
        assert "hunter2" not in f"{failed} {failed.message} {failed!r}"

    def test_come_from_somebody(self, outbound):
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            port = nobody.getsockname()[1]
        assert failure(outbound(), f"http://{NAME}:{port}/").kind == "connect"

    def test_that_come_before_the_end_of_the_request_are_read(self, serve, outbound):
        def early(connection, server):
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1_000_000):
                pass

        server = serve(early)
        reply = outbound().request("POST", f"http://{NAME}:{server.port}/", content=b"x" * 5_000_000)
        assert reply.status == 413

    def test_do_not_repeat_secrets(self, serve, outbound):
        body = b"you said hunter2, " + b"x" * (KEPT_BYTES - 21) + b"hunter2hunter2"
        server = serve(answering(ok(body, "X-Echo: Bearer hunter2")))
        reply = outbound().request(
            "GET", f"http://{NAME}:{server.port}/", headers={"Authorization": "hunter2"}, secrets=["", "hunter2"]
        )
        assert "Authorization: hunter2" in headers_of(server)
        assert reply.headers["x-echo"] == "Bearer ***"
        assert reply.body.startswith(b"you said ***, xxx")
        assert reply.body.endswith(b"xxx")
        assert reply.truncated


class TestClient:
    def test_keeps_no_cookies(self, serve, outbound):
        server = serve(answering(ok(b"", f"Set-Cookie: a=1; Domain={NAME}; Path=/")))
        with outbound().client() as client:
            for _ in range(2):
                client.get(f"http://{NAME}:{server.port}/")
        assert len(server.requests) == 2
        assert not [head for head, _ in server.requests if "cookie" in head.lower()]

    def test_sends_what_it_is_given_once(self, serve, outbound):
        server = serve(answering(ok()))
        with outbound().client() as client:
            url = f"http://{NAME}:{server.port}/"
            client.post(url, content=iter([b"a", b"b"]), headers={"Host": "internal.example.com", "X-A": "1"})
        ((head, body),) = server.requests
        names = [line.partition(":")[0].lower() for line in head.splitlines()[1:]]
        assert len(names) == len(set(names))
        assert {f"Host: {NAME}:{server.port}", "Content-Length: 2", "X-A: 1"} <= set(head.splitlines())
        assert body == b"ab"

    def test_asks_for_tokens_as_authlib_does(self, serve, outbound, tls, trusting):
        token = b'{"access_token": "abc", "token_type": "Bearer"}'
        server = serve(answering(ok(token, "Content-Type: application/json")), tls=tls)
        guarded = outbound(trusted=trusting).transport(timeout=5)
        with OAuth2Client("id", "a secret", transport=guarded, trust_env=False) as client:
            url = f"https://{NAME}:{server.port}/token"
            assert client.fetch_token(url, grant_type="client_credentials")["access_token"] == "abc"
        assert b"grant_type=client_credentials" in server.requests[0][1]
