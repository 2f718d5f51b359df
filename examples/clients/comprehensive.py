"""A day at the helpdesk in the words of the COMPREHENSIVE document; it also survives lost answers and busy servers.

python comprehensive.py URL EMAIL PASSWORD
"""

import sys
import time
import uuid
from collections.abc import Iterator

import httpx2 as httpx

TRIES = 5


def main(url: str, email: str, password: str) -> None:
    """Report a problem, take it, change it without overwriting what others did, and follow what happens."""
    with httpx.Client(base_url=f"{url}/api/v1", timeout=10) as http:
        tokens = send(http, "POST", "/users/login/", email=email, password=password)
        http.headers["Authorization"] = f"Bearer {tokens['access']}"
        cursor = send(http, "GET", "/changes/?cursor=now")["next_cursor"]

        ticket = send(http, "POST", "/tickets/", subject="Printer on fire", priority="high", tags=["printer"])
        print(f"reported {ticket['ticket_number']}: {ticket['subject']}, {ticket['priority']}")
        me = send(http, "GET", "/users/profile/")
        send(http, "POST", f"/tickets/{ticket['id']}/assign/", user_id=me["id"])
        print("subject:", rename(http, ticket["id"], "Printer was on fire")["subject"])
        send(http, "POST", f"/tickets/{ticket['id']}/change_status/", status="resolved", resolution="Water helped.")
        print("followed:", [change["type"] for change in changes(http, cursor)])
        print("found:", [each["subject"] for each in every(http, "/tickets/?search=printer&status=resolved")])


def send(http: httpx.Client, method: str, path: str, *, match: str = "", **body: object) -> dict:
    """Send a request until it is answered. With a key of its own it happens once, however often it is sent."""
    headers = {"If-Match": match} if match else {}
    if method == "POST":
        headers["Idempotency-Key"] = uuid.uuid4().hex
    for _ in range(TRIES):
        try:
            answer = http.request(method, path, json=body or None, headers=headers)
        except httpx.TransportError:
            time.sleep(1)
            continue
        if answer.status_code not in {429, 503}:
            break
        time.sleep(float(answer.headers.get("Retry-After", 1)))
    if answer.is_error:
        error = answer.json()["error"]
        raise SystemExit(f"{method} {path}: {error['code']} {error['message']} ({error['request_id']})")
    return answer.json() | {"etag": answer.headers.get("ETag", "")}


def rename(http: httpx.Client, ticket: int, subject: str) -> dict:
    """Change a ticket as it was read; if somebody else was faster this is refused with 412."""
    read = send(http, "GET", f"/tickets/{ticket}/")
    return send(http, "PATCH", f"/tickets/{ticket}/", match=read["etag"], subject=subject)


def every(http: httpx.Client, path: str) -> Iterator[dict]:
    """Iterate over everything in a list, page by page."""
    while path:
        page = send(http, "GET", path)
        yield from page["results"]
        path = page["next"]


def changes(http: httpx.Client, cursor: str) -> Iterator[dict]:
    """Iterate over what has happened since; `next_cursor` is where to go on tomorrow."""
    more = True
    while more:
        page = send(http, "GET", f"/changes/?cursor={cursor}&types=ticket")
        yield from page["results"]
        cursor, more = page["next_cursor"], page["has_more"]


if __name__ == "__main__":
    main(*sys.argv[1:])
