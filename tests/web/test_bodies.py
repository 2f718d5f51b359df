"""How much of a body is read, whether or not it announced its length."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpdesk_core.plugins import PluginHost
from helpdesk_core.testing import Client, Installation, running
from helpdesk_core.web.dispatch import MULTIPART_MARGIN
from tests.contract.steps import served
from tests.pictures import picture

UPLOAD = "/api/v1/users/profile/avatar/"
FORM = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="me.png"\r\nContent-Type: image/png\r\n\r\n'
END = b"\r\n--edge--\r\n"
LIMIT = 4096


@pytest.fixture
def installation(helpdesk_host: PluginHost, helpdesk_databases: Any, tmp_path: Path) -> Iterator[Installation]:
    sizes = {"max_upload_bytes": LIMIT, "max_body_bytes": LIMIT}
    with running(helpdesk_databases, helpdesk_host, tmp_path, **sizes) as installation:
        yield installation


class Chunks:
    """A body that is sent in chunks, with no length; `left` of them were not asked for."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = list(chunks)

    @property
    def left(self) -> int:
        return len(self._chunks)

    async def receive(self) -> dict[str, Any]:
        chunk = self._chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(self._chunks)}


class Leaving(Chunks):
    """A body whose sender goes away in the middle."""

    async def receive(self) -> dict[str, Any]:
        if not self.left:
            return {"type": "http.disconnect"}
        return {**await super().receive(), "more_body": True}


def send(installation: Installation, method: str, path: str, media: str, chunks: Chunks, *, token: str = "") -> int:
    """Send a request in chunks; return the status, 0 if there is no answer."""
    headers = {"Host": "testserver", "Content-Type": media, "Transfer-Encoding": "chunked"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "client": ("192.0.2.1", 50_000),
        "server": ("testserver", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "state": {},
    }
    sent: list[Any] = []

    async def note(message: Any) -> None:
        sent.append(message)

    asyncio.run(installation.app(scope, chunks.receive, note))
    return int(sent[0]["status"]) if sent else 0


def form(*content: bytes) -> Chunks:
    return Chunks(FORM, *content, END)


def upload(installation: Installation, chunks: Chunks, token: str = "") -> int:
    return send(installation, "PUT", UPLOAD, "multipart/form-data; boundary=edge", chunks, token=token)


@pytest.mark.parametrize("known", [True, False], ids=["somebody", "anybody"])
def test_no_more_of_an_upload_is_read_than_a_file_may_have(
    installation: Installation, member: Client, *, known: bool
) -> None:
    chunks = form(*[b"\0" * MULTIPART_MARGIN] * 10)
    assert upload(installation, chunks, member.token if known else "") == 413
    assert chunks.left >= 8


def test_a_file_of_many_fields_is_bounded_as_well(installation: Installation, member: Client) -> None:
    field = b'--edge\r\nContent-Disposition: form-data; name="note"\r\n\r\n' + b"x" * MULTIPART_MARGIN + b"\r\n"
    chunks = Chunks(*[field] * 10, END)
    assert upload(installation, chunks, member.token) == 413
    assert chunks.left >= 8


def test_an_upload_in_chunks_is_as_good_as_any(installation: Installation, member: Client) -> None:
    content = picture()
    assert upload(installation, form(content[:50], content[50:]), member.token) == 200
    assert served(member.get("/users/profile/"))["avatar"]


def test_no_more_of_a_body_is_read_than_one_may_have(installation: Installation, member: Client) -> None:
    chunks = Chunks(*[b" " * LIMIT] * 10)
    path = "/api/v1/users/profile/"
    assert send(installation, "PATCH", path, "application/json", chunks, token=member.token) == 413
    assert chunks.left == 8


def test_whoever_leaves_in_the_middle_of_a_body_gets_no_answer_and_is_no_error(
    installation: Installation, member: Client, caplog: pytest.LogCaptureFixture
) -> None:
    path = "/api/v1/users/profile/"
    assert send(installation, "PATCH", path, "application/json", Leaving(b'{"first'), token=member.token) == 0
    assert upload(installation, Leaving(FORM), member.token) == 0
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
