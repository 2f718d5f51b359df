"""Callers of the API."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from starlette.testclient import TestClient

from helpdesk_core.testing.doubles import TestClock

PASSWORD = "correct horse battery staple"  # noqa: S105 - of the cast, in databases that live for one test
API = "/api/v1"


class Response(Protocol):
    """What tests look at."""

    @property
    def status_code(self) -> int:
        """Return the status."""

    @property
    def headers(self) -> Any:
        """Return the headers, found without case."""

    @property
    def content(self) -> bytes:
        """Return the body."""

    @property
    def text(self) -> str:
        """Return the body as text."""

    def json(self) -> Any:
        """Return the body, parsed."""


@dataclass(frozen=True)
class Account:
    """The account of one of the cast.

    Attributes:
        id: key of the user.
        email: address.
        username: name to sign in with.
        organization_id: key of their organisation.
        role: their role.
        password: in the clear.
    """

    id: int
    email: str
    username: str
    organization_id: int
    role: str
    password: str = PASSWORD


class Client:
    """A caller of the API.

    Attributes:
        user: whose account is used; nothing for an anonymous caller.
    """

    def __init__(
        self,
        http: TestClient,
        clock: TestClock,
        user: Account | None,
        sign_in: str = "/users/login/",
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; a token is asked for at the first request, and again when it has run out.

        Args:
            http: talks to the application.
            clock: tells when a token has run out.
            user: whose account is used.
            sign_in: where to ask for a token.
            settle: called before the change feed is read.
        """
        self._http = http
        self._clock = clock
        self._sign_in = sign_in
        self._settle = settle
        self._token: tuple[str, datetime] | None = None
        self.user = user

    @property
    def organization_id(self) -> int:
        """Return the key of the caller's organisation."""
        if self.user is None:
            raise LookupError("an anonymous caller has no organisation")
        return self.user.organization_id

    @property
    def classic(self) -> "Client":
        """Return the same person speaking CLASSIC."""
        return Client(self._http, self._clock, self.user, "/auth/token/", self._settle)

    @property
    def token(self) -> str:
        """Return a valid access token."""
        if self.user is None:
            raise LookupError("an anonymous caller has no token")
        if self._token is None or self._clock.now() - self._token[1] > timedelta(minutes=10):
            credentials = {"username": self.user.username, "password": self.user.password}
            reply = self._http.post(f"{API}{self._sign_in}", json=credentials)
            if reply.status_code != 200:
                raise AssertionError(f"{self.user.username} cannot sign in: {reply.text}")
            self._token = (reply.json()["access"], self._clock.now())
        return self._token[0]

    def raw(self, method: str, path: str, **options: Any) -> Response:
        """Send a request to an absolute path."""
        headers = dict(options.pop("headers", None) or {})
        if self.user is not None and not any(name.lower() == "authorization" for name in headers):
            headers["Authorization"] = f"Bearer {self.token}"
        if path.startswith(f"{API}/changes/"):
            self._settle()
        return self._http.request(method, path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Response:
        """GET."""
        return self.raw("GET", API + path, **options)

    def post(self, path: str, **options: Any) -> Response:
        """POST."""
        return self.raw("POST", API + path, **options)

    def put(self, path: str, **options: Any) -> Response:
        """PUT."""
        return self.raw("PUT", API + path, **options)

    def patch(self, path: str, **options: Any) -> Response:
        """PATCH."""
        return self.raw("PATCH", API + path, **options)

    def delete(self, path: str, **options: Any) -> Response:
        """DELETE."""
        return self.raw("DELETE", API + path, **options)
