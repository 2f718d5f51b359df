"""Do the servers give the same answers? Compared before anything is measured."""

from collections.abc import Sequence
from typing import Any

from tests.benchmarks.data import Login
from tests.benchmarks.servers import TICKETS, Server

LIST = f"{TICKETS}?status=open&page_size=20"
PAGES = (1, 2, 15)
OWN = {"id", "ticket_number", "created_at", "updated_at"}
"""What differs between two tickets with the same content."""


class Disagreement(Exception):
    """Two servers answered differently; figures of different work cannot be compared."""


def on_list(servers: Sequence[Server], logins: Sequence[Login]) -> int:
    """Compare whole pages of several callers; return how many were compared."""
    compared = 0
    for login in logins:
        for page in PAGES:
            first, *others = (_page(server, login, page) for server in servers)
            for other, server in zip(others, servers[1:], strict=True):
                _same(first, other, f"page {page} of user {login.user}, {server.kind.name}")
            compared += 1
    return compared


def on_create(servers: Sequence[Server], login: Login, body: dict[str, Any]) -> None:
    """Open one ticket at each and compare what comes back."""
    first, *others = (_opened(server, login, body) for server in servers)
    for other, server in zip(others, servers[1:], strict=True):
        _same(first, other, f"create, {server.kind.name}")


def on_detail(servers: Sequence[Server], calls: Sequence[tuple[Login, int, str]]) -> None:
    """Compare single tickets."""
    for login, _, uuid in calls:
        first, *others = (
            _without_addresses(server.ask(f"{TICKETS}{uuid}/", server.token(login))) for server in servers
        )
        for other, server in zip(others, servers[1:], strict=True):
            _same(first, other, f"ticket {uuid}, {server.kind.name}")


def on_comment(servers: Sequence[Server], call: tuple[Login, int, str], body: dict[str, Any]) -> None:
    """Comment at each and compare what comes back."""
    login, _, uuid = call
    path = f"{TICKETS}{uuid}/comments/"
    first, *others = (_anonymous(server.ask(path, server.token(login), body)) for server in servers)
    for other, server in zip(others, servers[1:], strict=True):
        _same(first, other, f"comment, {server.kind.name}")


def _page(server: Server, login: Login, page: int) -> dict[str, Any]:
    answer = server.ask(f"{LIST}&page={page}", server.token(login))
    return {
        "count": answer["count"],
        "next": bool(answer["next"]),
        "previous": bool(answer["previous"]) or page > 1,
        "results": [_without_addresses(ticket) for ticket in answer["results"]],
    }


def _without_addresses(ticket: dict[str, Any]) -> dict[str, Any]:
    attachments = [{**attachment, "url": ""} for attachment in ticket["attachments"]]
    return {**ticket, "attachments": attachments}


def _opened(server: Server, login: Login, body: dict[str, Any]) -> dict[str, Any]:
    ticket = server.ask(TICKETS, server.token(login), body)
    return _anonymous(ticket)


def _anonymous(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if name in OWN else value for name, value in answer.items()}


def _same(first: Any, other: Any, where: str) -> None:
    if first != other:
        raise Disagreement(f"{where}: {_difference(first, other)}")


def _difference(first: Any, other: Any, path: str = "answer") -> str:
    if isinstance(first, dict) and isinstance(other, dict) and first.keys() == other.keys():
        return next(_difference(first[k], other[k], f"{path}.{k}") for k in first if first[k] != other[k])
    if isinstance(first, list) and isinstance(other, list) and len(first) == len(other):
        return next(
            _difference(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(first, other, strict=True)) if a != b
        )
    return f"{path} is {str(first)[:200]} and {str(other)[:200]}"
