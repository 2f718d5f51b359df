"""A month of a help desk to look around in: real questions of customers of a bank, and what became of them.

Everything goes through the same verbs as a request, each at its own moment, so that history, numbers, counters and
search are what they would be.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, Dialect, User, acting, organization_of
from helpdesk_tickets import permissions
from helpdesk_tickets.schemas.categories import CategoryCreate
from helpdesk_tickets.schemas.comments import CommentCreate
from helpdesk_tickets.schemas.filters import SavedFilterCreate
from helpdesk_tickets.schemas.sla import SlaPolicyCreate
from helpdesk_tickets.schemas.templates import TemplateCreate
from helpdesk_tickets.schemas.tickets import TicketCreate, TicketUpdate
from helpdesk_tickets.service.categories import create_category
from helpdesk_tickets.service.comments import add_comment
from helpdesk_tickets.service.filters import create_filter
from helpdesk_tickets.service.sla import create_policy
from helpdesk_tickets.service.templates import create_template
from helpdesk_tickets.service.tickets import assign_ticket, change_status, create_ticket, update_ticket

LENGTH = timedelta(days=30)
WORDS = Dialect.COMPREHENSIVE
CUSTOMERS = ("customer1", "customer2", "customer3")
WORKERS = ("agent1", "agent2", "agent1", "tech1", "agent2")


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a ticket.

    Attributes:
        status: the state that it is in now.
        due: days from its creation to its due date, if it has one.
        answered: whether an agent has written.
    """

    status: str
    due: int | None = None
    answered: bool = True


def load(session: Session, now: datetime) -> None:
    """Fill the demonstration organisation."""
    stage = _Stage(session, now)
    stage.prepare()
    for place, told in enumerate(stage.tickets):
        stage.play(place, told)


def fate_of(place: int, count: int) -> Fate:
    """Return what becomes of the ticket at a place among `count`: the older, the more is done; few are forgotten."""
    age = 1 - place / count
    if place % 13 == 12 and age > 0.2:
        return Fate("open", due=4)
    if age > 0.5:
        return Fate("closed" if place % 3 else "resolved")
    if age > 0.25:
        return Fate(("resolved", "pending", "resolved", "in_progress")[place % 4], due=14 if place % 5 == 0 else None)
    if age > 0.1:
        return Fate(("open", "in_progress", "pending")[place % 3], due=10 if place % 4 == 0 else None)
    return Fate("new", answered=False)


class _Stage:
    """The people and words of the demonstration."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self.tickets = _read("tickets.json")
        self.words = _read("catalogue.json")
        self.actors = {
            user.username: _actor_of(user, organization_of(session)) for user in session.scalars(select(User))
        }
        self.categories: dict[str, int] = {}

    def prepare(self) -> None:
        """Make the catalogue, on the first day."""
        admin, agent = self.actors["admin"], self.actors["agent1"]
        with acting(self.session, admin, self.now - LENGTH - timedelta(days=1)):
            for category in self.words["categories"]:
                made = create_category(self.session, CategoryCreate(**category))
                self.categories[made.name] = made.id
            for policy in self.words["sla_policies"]:
                create_policy(self.session, SlaPolicyCreate(**policy))
            for template in self.words["templates"]:
                create_template(self.session, agent, TemplateCreate(**template, is_public=True))
            for saved in self.words["filters"]:
                create_filter(self.session, agent, SavedFilterCreate(**saved, is_public=True), WORDS)

    def play(self, place: int, told: dict[str, Any]) -> None:
        """Let a ticket come in, and happen to it what happens."""
        fate = fate_of(place, len(self.tickets))
        # Half a day apart, and not all at the same minute; the last one is some hours old.
        opened = self.now - LENGTH + LENGTH * place / len(self.tickets) + timedelta(minutes=place * 7919 % 400)
        customer = self.actors[CUSTOMERS[place % len(CUSTOMERS)]]
        data = TicketCreate(
            subject=told["subject"], description=told["words"], priority=told["priority"], tags=told["tags"]
        )
        with acting(self.session, customer, opened):
            key = create_ticket(self.session, customer, data)
        triage: dict[str, Any] = {"category": self.categories[told["category"]]}
        if fate.due:
            triage["due_date"] = opened + timedelta(days=fate.due)
        agent = self.actors["agent1"]
        with acting(self.session, agent, opened + timedelta(minutes=5 + place % 20)):
            update_ticket(self.session, agent, key, TicketUpdate.model_validate(triage), WORDS)
        if fate.answered:
            self._work(place, key, told, fate, opened + timedelta(minutes=30 + place * 37 % 240))

    def _work(self, place: int, key: int, told: dict[str, Any], fate: Fate, answered: datetime) -> None:
        worker = self.actors[WORKERS[place % len(WORKERS)]]
        customer = self.actors[CUSTOMERS[place % len(CUSTOMERS)]]
        dispatcher = self.actors["agent1"]
        with acting(self.session, dispatcher, answered - timedelta(minutes=10)):
            assign_ticket(self.session, dispatcher, key, worker.user_id)
        if place % 5 == 1:
            self._say(key, worker, answered - timedelta(minutes=4), self._pick("notes", place), is_internal=True)
        self._say(key, worker, answered, told["reply"])
        later = answered + timedelta(minutes=20 + place * 53 % 300)
        if fate.status in {"resolved", "closed"} and place % 4:
            self._say(key, customer, later, self._pick("thanks", place))
        elif place % 3 == 0:
            self._say(key, customer, later, self._pick("questions", place))
        self._finish(key, worker, fate.status, later + timedelta(minutes=30))

    def _finish(self, key: int, worker: Actor, status: str, moment: datetime) -> None:
        if status == "open":
            return
        with acting(self.session, worker, moment):
            first = "resolved" if status == "closed" else status
            resolution = "Solved with the customer, see the comments." if first == "resolved" else None
            change_status(self.session, worker, key, first, resolution=resolution)
        if status == "closed":
            with acting(self.session, worker, moment + timedelta(hours=12)):
                change_status(self.session, worker, key, "closed")

    def _say(self, key: int, actor: Actor, moment: datetime, text: str, *, is_internal: bool = False) -> None:
        with acting(self.session, actor, moment):
            add_comment(self.session, actor, key, CommentCreate(content=text, is_internal=is_internal))

    def _pick(self, kind: str, place: int) -> str:
        texts: Sequence[str] = self.words[kind]
        return texts[place % len(texts)]


def _actor_of(user: User, organization_id: int) -> Actor:
    granted = frozenset(each.code for each in permissions.ALL if user.role in each.roles)
    return Actor(user.id, organization_id, user.role, permissions=granted)


def _read(name: str) -> Any:
    return json.loads(files("helpdesk_tickets").joinpath("demo_data", name).read_text(encoding="utf-8"))
