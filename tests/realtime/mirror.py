"""Writers that do everything that can be done to tickets, and clients that keep a copy by the change feed."""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from helpdesk_core.testing import Client

REFUSALS = {400, 403, 404, 409, 412, 422}
"""What a writer may be told because another one was faster."""


def position(item: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(map(int, item["id"].split("-")))


@dataclass
class Mirror:
    """A client's copy of tickets and comments."""

    client: Client
    dice: random.Random
    losses: float = 0.3
    cursor: str | None = None
    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    seen: list[tuple[Any, ...]] = field(default_factory=list)

    def step(self) -> bool:
        """Ask once, and lose the answer now and then; tell whether there is more to come."""
        size = self.dice.choice([1, 3, 10, 100])
        parameters = {"page_size": size, **({"cursor": self.cursor} if self.cursor else {})}
        reply = self.client.get("/changes/", params=parameters)
        assert reply.status_code == 200, reply.text
        if self.dice.random() < self.losses:
            return True
        page = reply.json()
        for item in page["results"]:
            self.apply(item)
        self.cursor = page["next_cursor"]
        return bool(page["has_more"])

    def apply(self, item: Mapping[str, Any]) -> None:
        place = position(item)
        assert not self.seen or place >= self.seen[-1][0], "out of order"
        self.seen.append((place, item["object"], item["key"]))
        data, key = item["data"], item["key"]
        if item["object"] == "ticket":
            self.apply_ticket(key, data)
        elif item["object"] == "comment" and data is None:
            self.comments.pop(key, None)
        elif item["object"] == "comment":
            self.comments[key] = (item["about"]["ticket"], data)

    def apply_ticket(self, key: int, data: dict[str, Any] | None) -> None:
        if data is not None:
            self.tickets[key] = data
            self.comments |= {comment["id"]: (key, comment) for comment in data["comments"]}
            return
        self.tickets.pop(key, None)
        self.comments = {each: kept for each, kept in self.comments.items() if kept[0] != key}

    def check(self) -> None:
        """Compare the copy with what the API shows."""
        assert len(set(self.seen)) == len(self.seen), "something came twice"
        shown = {row["id"]: row for row in self.list("/tickets/")}
        assert {data["id"] for data in self.tickets.values()} == set(shown)
        for key, data in self.tickets.items():
            assert data == self.client.get(f"/tickets/{data['id']}/").json()
            comments = {row["id"]: row for row in self.list(f"/tickets/{data['id']}/comments/")}
            assert {each: kept[1] for each, kept in self.comments.items() if kept[0] == key} == comments
        assert {kept[0] for kept in self.comments.values()} <= self.tickets.keys()

    def list(self, path: str) -> list[dict[str, Any]]:
        rows, page = [], 1
        while True:
            answer = self.client.get(path, params={"page_size": 100, "page": page}).json()
            rows += answer["results"]
            if answer["next"] is None:
                return rows
            page += 1


@dataclass
class Writer:
    """Does one thing after the other to tickets that all writers share."""

    client: Client
    people: Mapping[str, int]
    tickets: list[str]
    dice: random.Random

    def act(self) -> None:
        acts: list[Callable[[str], Any]] = [self.create, self.update, self.comment, self.delete, self.assign, self.give]
        acts += [self.comment, self.change_comment]
        act = self.dice.choice(acts) if self.tickets else self.create
        reply = act(self.dice.choice(self.tickets) if self.tickets else "")
        if reply is not None:
            assert reply.status_code < 300 or reply.status_code in REFUSALS, reply.text

    def create(self, _: str) -> Any:
        customer = self.people[self.dice.choice(["member", "second_member"])]
        body = {"subject": "Printer", "customer": customer, "tags": [self.dice.choice(["paper", "toner"])]}
        reply = self.client.post("/tickets/", json=body)
        if reply.status_code == 201:
            self.tickets.append(reply.json()["id"])
        return reply

    def update(self, ticket: str) -> Any:
        return self.client.patch(f"/tickets/{ticket}/", json={"subject": f"Number {self.dice.randrange(10**6)}"})

    def comment(self, ticket: str) -> Any:
        body = {"content": f"Comment {self.dice.randrange(10**6)}", "is_internal": self.dice.random() < 0.4}
        return self.client.post(f"/tickets/{ticket}/comments/", json=body)

    def change_comment(self, ticket: str) -> Any:
        rows = self.client.get(f"/tickets/{ticket}/comments/").json().get("results")
        if not rows:
            return None
        path = f"/tickets/{ticket}/comments/{self.dice.choice(rows)['id']}/"
        if self.dice.random() < 0.3:
            return self.client.delete(path)
        return self.client.patch(path, json={"content": "Edited", "is_internal": self.dice.random() < 0.5})

    def delete(self, ticket: str) -> Any:
        if self.dice.random() < 0.5:
            return self.client.delete(f"/tickets/{ticket}/")
        return self.client.post(f"/tickets/{ticket}/restore/")

    def assign(self, ticket: str) -> Any:
        chosen = self.dice.choice([*(self.people[name] for name in ("agent", "technician", "owner")), None])
        return self.client.patch(f"/tickets/{ticket}/", json={"assigned_agent": chosen})

    def give(self, ticket: str) -> Any:
        customer = self.people[self.dice.choice(["member", "second_member"])]
        return self.client.patch(f"/tickets/{ticket}/", json={"customer": customer})


@dataclass
class Threads:
    """Threads whose failures are those of the test."""

    failures: list[BaseException] = field(default_factory=list)

    def run(self, work: Callable[[], Any]) -> threading.Thread:
        def guarded() -> None:
            try:
                work()
            except BaseException as failure:  # noqa: BLE001 - shown by the test
                self.failures.append(failure)

        thread = threading.Thread(target=guarded)
        thread.start()
        return thread

    def join(self, threads: list[threading.Thread]) -> None:
        for thread in threads:
            thread.join()


def keep(mirror: Mirror, done: threading.Event) -> None:
    """Follow until writers are done, and then to the end."""
    while not done.is_set():
        mirror.step()
    while mirror.step():
        pass


def write_and_follow(clients: Mapping[str, Client], *, threads: int, acts: int, seed: int) -> list[Mirror]:
    """Let writers write and mirrors follow at the same time; return the mirrors once both have come to an end."""
    people = {name: client.user.id for name, client in clients.items() if client.user and client.token}
    tickets: list[str] = []
    mirrors = [Mirror(client, random.Random(f"{seed} {name}")) for name, client in clients.items()]
    writers = [
        Writer(clients[("owner", "agent")[number % 2]], people, tickets, random.Random(f"{seed} {number}"))
        for number in range(threads)
    ]
    running, done = Threads(), threading.Event()
    following = [running.run(partial(keep, mirror, done)) for mirror in mirrors]
    running.join([running.run(partial(write, writer, acts)) for writer in writers])
    done.set()
    running.join(following)
    if running.failures:
        raise running.failures[0]
    return mirrors


def write(writer: Writer, acts: int) -> None:
    """Do so many things."""
    for _ in range(acts):
        writer.act()
