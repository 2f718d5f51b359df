"""A small library of two organisations: models, rows and sessions for tests of what reads and writes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.clock import SystemClock
from helpdesk_core.database import Database, Ranked, UtcDateTime, metadata
from helpdesk_core.events import Bus, attribute_session
from helpdesk_core.permissions import Actor, Permission
from helpdesk_core.queries import Viewer
from helpdesk_core.schemas import Dialect
from helpdesk_core.search import SearchIndex
from helpdesk_core.tenancy import TenantScoped, set_organization, set_unscoped
from tests.databases import NOW, empty_database, organization

SIZES = ("small", "medium", "large")

SEE_ALL = Permission("library:book:view_all", "See every book")
SEE_HIDDEN = Permission("library:review:view_hidden", "See hidden reviews")


class Base(DeclarativeBase):
    metadata = metadata


class Author(Base, TenantScoped):
    __tablename__ = "library_author"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))


class Book(Base, TenantScoped):
    __tablename__ = "library_book"
    __table_args__ = (
        Index("ix_library_book_newest", "organization_id", "added_at", "id"),
        Index("ix_library_book_size", "organization_id", "size", "added_at", "id"),
        Index("ix_library_book_owner", "organization_id", "owner_id", "added_at", "id"),
        Index("ix_library_book_reader", "organization_id", "reader_id", "added_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    size: Mapped[str] = mapped_column(Ranked(*SIZES), default="medium")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("library_author.id"))
    owner_id: Mapped[int] = mapped_column(default=1)
    reader_id: Mapped[int | None]
    is_lent: Mapped[bool] = mapped_column(default=False)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    review_count: Mapped[int] = mapped_column(default=0)
    shown_review_count: Mapped[int] = mapped_column(default=0)

    author: Mapped[Author | None] = relationship(lazy="raise")


class Review(Base, TenantScoped):
    __tablename__ = "library_review"

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("library_book.id"))
    words: Mapped[str] = mapped_column(Text)
    is_hidden: Mapped[bool] = mapped_column(default=False)


class Genre(Base, TenantScoped):
    __tablename__ = "library_genre"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)


class BookGenre(Base, TenantScoped):
    __tablename__ = "library_book_genre"
    __table_args__ = (Index("ix_library_book_genre", "organization_id", "genre_id", "added_at", "book_id"),)

    book_id: Mapped[int] = mapped_column(ForeignKey("library_book.id"), primary_key=True)
    genre_id: Mapped[int] = mapped_column(ForeignKey("library_genre.id"), primary_key=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)

    genre: Mapped[Genre] = relationship(lazy="raise")


class BookCount(Base, TenantScoped):
    __tablename__ = "library_count"

    organization_id: Mapped[int] = mapped_column(ForeignKey("core_organization.id"), primary_key=True)
    size: Mapped[str] = mapped_column(Ranked(*SIZES), primary_key=True)
    total: Mapped[int]


class ShelfMark(Base, TenantScoped):
    __tablename__ = "library_shelf_mark"

    organization_id: Mapped[int] = mapped_column(ForeignKey("core_organization.id"), primary_key=True)
    last: Mapped[int]


books_index = SearchIndex("library_search", "title", "note")
TABLES = [Organization.__table__, User.__table__, *(mapper.local_table for mapper in Base.registry.mappers)]


class Library:
    """An open library; `session` works for one of its two organisations."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.kind = database.kind

    @contextmanager
    def session(self, organization: int = 1, *, writes: bool = True) -> Iterator[Session]:
        with self.database.session(writes=writes) as session:
            attribute_session(session, Bus(SystemClock()), None)
            set_organization(session, organization)
            yield session

    def add(self, *rows: Any, organization: int = 1) -> None:
        """Store rows; a book is added a minute after the one before it."""
        with self.session(organization) as session:
            for place, row in enumerate(rows):
                if isinstance(row, Book) and row.added_at is None:
                    row.added_at = NOW + timedelta(minutes=row.id or place)
                session.add(row)
                session.flush()
            session.commit()


def viewer(
    *permissions: Permission,
    user: int = 1,
    organization: int = 1,
    dialect: Dialect = Dialect.COMPREHENSIVE,
    include: str = "",
) -> Viewer:
    """Whoever has these permissions."""
    codes = frozenset(permission.code for permission in permissions)
    actor = Actor(user, organization, "agent", permissions=codes)
    return Viewer(actor, dialect, NOW, frozenset(include.split()))


class _Operations:
    """As much of Alembic's operations as a search index needs."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def get_bind(self) -> Any:
        return self._connection

    def execute(self, statement: str) -> None:
        self._connection.execute(text(statement))


@contextmanager
def open_library(folder: Path, worker: str) -> Iterator[Library]:
    """Make a library of its own, on the database that the tests run on."""
    with empty_database(folder, worker, "library") as url:
        database = Database(url, threads=8, synchronous="NORMAL")
        writing = database.engine.execution_options(writes=True)
        with writing.begin() as connection:
            metadata.create_all(connection, TABLES)
            books_index.create(_Operations(connection))
        with database.session(writes=True) as session:
            set_unscoped(session)
            session.add_all([organization(1), organization(2)])
            session.commit()
        try:
            yield Library(database)
        finally:
            database.dispose()
