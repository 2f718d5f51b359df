"""A day at the helpdesk in the words of the CLASSIC document.

python classic.py URL USERNAME PASSWORD
"""

import sys

import httpx2 as httpx


def main(url: str, username: str, password: str) -> None:
    """Report a problem, comment on it, close it, and list what is open."""
    with httpx.Client(base_url=f"{url}/api/v1", timeout=10) as http:
        answer = http.post("/auth/token/", json={"username": username, "password": password})
        http.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access']}"

        ticket = send(http, "POST", "/tickets/", title="Printer on fire", description="Since noon.", priority="high")
        print(f"reported ticket {ticket['id']}: {ticket['title']}, {ticket['priority']}")
        send(http, "POST", f"/tickets/{ticket['id']}/comments/", content="Have you tried water?")
        send(http, "POST", f"/tickets/{ticket['id']}/change_status/", status="resolved")
        print("comments:", [each["content"] for each in every(http, f"/tickets/{ticket['id']}/comments/")])
        print("status:", send(http, "GET", f"/tickets/{ticket['id']}/")["status"])
        print("open tickets:", sum(1 for _ in every(http, "/tickets/?status=open")))


def send(http: httpx.Client, method: str, path: str, **body: object) -> dict:
    """Send a request and return the answer; errors say which field is wrong."""
    answer = http.request(method, path, json=body or None)
    if answer.is_error:
        raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.json()


def every(http: httpx.Client, path: str) -> object:
    """Iterate over everything in a list, page by page."""
    while path:
        page = send(http, "GET", path)
        if isinstance(page, list):
            yield from page
            return
        yield from page["results"]
        path = page["next"]


if __name__ == "__main__":
    main(*sys.argv[1:])
