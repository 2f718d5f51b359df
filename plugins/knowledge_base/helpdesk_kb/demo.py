"""A dozen articles of a bank's help desk, read and voted on for two months, and one of them in German.

Everything goes through the same verbs as a request, each at its own moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from helpdesk_core.api import Actor, User, acting, organization_of
from helpdesk_kb import permissions
from helpdesk_kb.demo_links import search_and_open, work_with_tickets
from helpdesk_kb.models import Article
from helpdesk_kb.schemas.articles import ArticleCreate, ArticleUpdate, Vote
from helpdesk_kb.schemas.categories import CategoryCreate
from helpdesk_kb.schemas.translations import TranslationCreate
from helpdesk_kb.service.articles import create_article, update_article
from helpdesk_kb.service.categories import create_category
from helpdesk_kb.service.publication import change_state
from helpdesk_kb.service.translations import create_translation
from helpdesk_kb.service.votes import vote

AUTHORS = ("agent1", "agent2")
VOTERS = ("customer1", "customer2", "customer3")
DESCRIPTIONS = {
    "Cards": "Getting a card, using it, and what to do when it is gone.",
    "Cards > Getting started": "Your first days with a new card.",
    "Payments": "Sending money, getting it back, paying abroad.",
    "Payments > Transfers": "Money that comes in and goes out.",
    "Account and security": "Signing in, proving who you are, keeping others out.",
    "For colleagues": "How we work.",
}


@dataclass(frozen=True, slots=True)
class Told:
    """An article of the demonstration, as its file says.

    Attributes:
        title: of the article.
        category: where it is, with what that is in before it.
        tags: its tags.
        audience: whom it is for.
        status: the state that it is in now.
        days: how long ago it was written.
        content: in Markdown.
    """

    title: str
    category: str
    tags: list[str]
    audience: str
    status: str
    days: int
    content: str


def load(session: Session, now: datetime) -> None:
    """Fill the demonstration organisation."""
    people = {user.username: _actor_of(user, organization_of(session)) for user in session.scalars(select(User))}
    stage = _Stage(session, now, people)
    stage.play(articles_of_demonstration())
    stage.translate(translations_of_demonstration())
    search_and_open(session, now)
    work_with_tickets(session, stage.people[AUTHORS[0]], now)


def articles_of_demonstration() -> list[Told]:
    """Return the articles, by the names of their files."""
    folder = files("helpdesk_kb").joinpath("demo_data")
    return [_read(file.read_text(encoding="utf-8")) for file in sorted(folder.iterdir(), key=lambda each: each.name)]


def translations_of_demonstration() -> list[dict[str, str]]:
    """Return the translations, each with `of` (the title of the article), `language`, `title` and `content`."""
    folder = files("helpdesk_kb").joinpath("demo_translations")
    read = [file.read_text(encoding="utf-8") for file in sorted(folder.iterdir(), key=lambda each: each.name)]
    return [{**_said(text), "content": text.partition("\n\n")[2]} for text in read]


def _said(text: str) -> dict[str, str]:
    """Return what the lines at the top of a file say."""
    head, _, _ = text.partition("\n\n")
    return {name: value.strip() for name, _, value in (line.partition(":") for line in head.splitlines())}


def _read(text: str) -> Told:
    said, content = _said(text), text.partition("\n\n")[2]
    return Told(
        title=said["title"],
        category=said["category"],
        tags=[tag.strip() for tag in said["tags"].split(",")],
        audience=said["audience"],
        status=said["status"],
        days=int(said["days"]),
        content=content,
    )


class _Stage:
    """The people of the demonstration, and the categories that they have made."""

    def __init__(self, session: Session, now: datetime, people: Mapping[str, Actor]) -> None:
        self.session = session
        self.now = now
        self.people = people
        self.categories: dict[str, int] = {}

    def play(self, told: Sequence[Told]) -> None:
        """Let articles be written, the oldest first."""
        ordered = sorted(told, key=lambda each: -each.days)
        with acting(self.session, self.people["admin"], self.now - timedelta(days=ordered[0].days + 1)):
            self._make_categories()
        for place, each in enumerate(ordered):
            self._write(each, place)

    def translate(self, told: Sequence[Mapping[str, str]]) -> None:
        """Let articles be translated, a month after they were there."""
        for each in told:
            key = self.session.scalars(select(Article.id).where(Article.title == each["of"])).one()
            body = {name: each[name] for name in ("language", "title", "content")}
            data = TranslationCreate.model_validate({**body, "status": "published"})
            with acting(self.session, self.people[AUTHORS[0]], self.now - timedelta(days=20)):
                create_translation(self.session, self.people[AUTHORS[0]], key, data)

    def _make_categories(self) -> None:
        for path, description in DESCRIPTIONS.items():
            above, _, name = path.rpartition(" > ")
            data = CategoryCreate(name=name, description=description, parent_category=self.categories.get(above))
            self.categories[path] = create_category(self.session, data)

    def _write(self, told: Told, place: int) -> None:
        written = self.now - timedelta(days=told.days, hours=place * 5 % 9)
        author = self.people[AUTHORS[place % len(AUTHORS)]]
        data = {"title": told.title, "content": told.content, "tags": told.tags, "audience": told.audience}
        body = ArticleCreate.model_validate({**data, "category": self.categories[told.category]})
        with acting(self.session, author, written):
            key = create_article(self.session, author, body)
        if told.status == "draft":
            return
        self._move(key, self.people["admin"], "published", written + timedelta(hours=3))
        if told.status == "archived":
            self._move(key, author, "archived", self.now - timedelta(days=60))
            return
        if place % 3 == 0:
            revised = ArticleUpdate.model_validate({"content": f"{told.content}\n", "note": "Read through again"})
            with acting(self.session, author, written + timedelta(days=told.days // 2)):
                update_article(self.session, author, key, revised)
        if told.audience != "internal":
            self._react(key, place)

    def _move(self, key: int, actor: Actor, status: str, moment: datetime) -> None:
        with acting(self.session, actor, moment):
            change_state(self.session, actor, key, status)

    def _react(self, key: int, place: int) -> None:
        """Let customers read an article and say what they think of it."""
        for number, name in enumerate(VOTERS):
            if (place + number) % 4 == 3:
                continue
            helpful = (place * 7 + number) % 5 != 0
            said = Vote(helpful=helpful, reason="" if helpful else "It did not say how long it takes.")
            with acting(self.session, self.people[name], self.now - timedelta(days=number + 1)):
                vote(self.session, self.people[name], key, said)
        self.session.execute(update(Article).where(Article.id == key).values(views=20 + place * 37 % 180))


def _actor_of(user: User, organization_id: int) -> Actor:
    granted = frozenset(each.code for each in permissions.ALL if user.role in each.roles)
    return Actor(user.id, organization_id, user.role, permissions=granted)
