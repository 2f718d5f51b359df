"""A browser as the tests of sessions need it: it keeps its cookie, and shows the value that goes with it."""

from http.cookies import SimpleCookie
from typing import Any

from starlette.testclient import TestClient

from helpdesk_core.testing import PASSWORD, Response


class Browser:
    """Keeps what a server sets; `forge` leaves out what only our own pages can send."""

    def __init__(self, http: TestClient, username: str = "", password: str = PASSWORD) -> None:
        self._http = http
        self.username = username
        self.password = password
        self.cookie: str | None = None
        self.csrf = ""
        self.user_agent = "Browser/1.0"

    def send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Response:
        """Send cookie and headers, and nothing else that was remembered."""
        given = {"User-Agent": self.user_agent, **(headers or {})}
        if self.cookie is not None:
            given.setdefault("Cookie", f"sessionid={self.cookie}")
        reply = self._http.request(method, f"/api/v1{path}", headers=given, **options)
        self._http.cookies.clear()
        for name, morsel in SimpleCookie(reply.headers.get("set-cookie", "")).items():
            if name == "sessionid":
                self.cookie = morsel.value or None
        return reply

    def sign_in(self, **headers: str) -> Response:
        reply = self.send(
            "POST", "/users/session/", json={"username": self.username, "password": self.password}, headers=headers
        )
        if reply.status_code == 200:
            self.csrf = reply.json()["csrf_token"]
        return reply

    def get(self, path: str, **options: Any) -> Response:
        return self.send("GET", path, **options)

    def write(self, method: str, path: str, **options: Any) -> Response:
        """Send what a page of ours sends."""
        headers = {"X-CSRFToken": self.csrf, "Origin": "http://testserver", **options.pop("headers", {})}
        return self.send(method, path, headers=headers, **options)

    def is_signed_in(self) -> bool:
        return self.get("/users/profile/").status_code == 200
