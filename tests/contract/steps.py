"""The small steps of the contract's tests: send, insist on the status, hand on what was answered.

A `client` is anyone of the cast: a person speaks COMPREHENSIVE, and `person.classic` is the same person
speaking CLASSIC.
"""

from typing import Any

UNKNOWN_KEY = 999_999_999
UNKNOWN_UUID = "00000000-0000-4000-8000-000000000000"
PASSWORD = "correct horse battery staple"


def served(reply: Any) -> Any:
    """The body of a 200."""
    assert reply.status_code == 200, f"{reply.status_code}: {reply.text}"
    return reply.json()


def created(reply: Any) -> Any:
    """The body of a 201."""
    assert reply.status_code == 201, f"{reply.status_code}: {reply.text}"
    return reply.json()


def refused(reply: Any, status: int) -> Any:
    """The body of a refusal with this status."""
    assert reply.status_code == status, f"{reply.status_code}, not {status}: {reply.text}"
    return reply.json()


def deleted(reply: Any) -> None:
    """Insist on a 204 without a body."""
    assert (reply.status_code, reply.content) == (204, b""), f"{reply.status_code}: {reply.text}"


def rows(client: Any, path: str, **parameters: Any) -> list[Any]:
    """The results of a list."""
    return served(client.get(path, params=parameters))["results"]


def column(client: Any, path: str, field: str, **parameters: Any) -> list[Any]:
    """One field of the results of a list, in their order."""
    return [row[field] for row in rows(client, path, **parameters)]


def subjects(client: Any, **parameters: Any) -> list[str]:
    """The subjects of the tickets that the client lists, in their order."""
    return [row.get("subject", row.get("title")) for row in rows(client, "/tickets/", **parameters)]


def open_ticket(client: Any, subject: str = "Printer on fire", **fields: Any) -> Any:
    return created(client.post("/tickets/", json={"subject": subject, **fields}))


def show_ticket(client: Any, ticket: Any, **parameters: Any) -> Any:
    return served(client.get(f"/tickets/{ticket['id']}/", params=parameters))


def change_ticket(client: Any, ticket: Any, **fields: Any) -> Any:
    return served(client.put(f"/tickets/{ticket['id']}/", json=fields))


def change_status(client: Any, ticket: Any, status: str, **fields: Any) -> Any:
    return served(client.post(f"/tickets/{ticket['id']}/change_status/", json={"status": status, **fields}))


def assign(client: Any, ticket: Any, person: Any) -> Any:
    return served(client.post(f"/tickets/{ticket['id']}/assign/", json={"user_id": person.user.id}))


def comment_on(client: Any, ticket: Any, content: str = "Have you tried water?", **fields: Any) -> Any:
    return created(client.post(f"/tickets/{ticket['id']}/comments/", json={"content": content, **fields}))


def key_of(client: Any, ticket: Any) -> int:
    """The integer that CLASSIC shows as the id of a ticket."""
    return show_ticket(client.classic, ticket)["id"]


def stored_as(status: str, customer: Any, agent: Any, **fields: Any) -> Any:
    """A ticket of the customer in one of the six stored states, named after it."""
    ticket = open_ticket(customer, status, **fields)
    if status != "new":
        change_status(agent, ticket, status)
    return ticket


def register(anonymous: Any, username: str = "newcomer", **fields: Any) -> Any:
    """Registers an account and answers with its user."""
    account = {"email": f"{username}@example.com", "username": username, "password": PASSWORD, **fields}
    return created(anonymous.post("/users/register/", json=account))["user"]


def log_in(anonymous: Any, username: str = "newcomer", password: str = PASSWORD) -> Any:
    """The tokens that COMPREHENSIVE's login answers with."""
    return served(anonymous.post("/users/login/", json={"username": username, "password": password}))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def speaks_classic(ticket: Any) -> bool:
    """Whether a ticket is written in CLASSIC: one of the two names is always there, never both."""
    assert ("title" in ticket) != ("subject" in ticket), f"neither dialect: {ticket}"
    return "title" in ticket
