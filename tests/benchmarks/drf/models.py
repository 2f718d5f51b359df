"""The product's tables as Django models: only the columns that the two answers need."""

# ruff: noqa: DJ008 - nothing prints these objects

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, models

from tests.benchmarks.wire import PRIORITIES, STATUSES


class InstantField(models.DateTimeField):
    """An instant; SQLite keeps the text that the API shows."""

    def from_db_value(self, value: datetime | str | None, *_: Any) -> datetime | None:
        """Parse what SQLite keeps."""
        return datetime.fromisoformat(value) if isinstance(value, str) else value

    def get_db_prep_value(self, value: datetime | None, *_: Any, **__: Any) -> Any:
        """Format for SQLite."""
        on_sqlite = value is not None and connection.vendor == "sqlite"
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value is not None and on_sqlite else value

    def get_internal_type(self) -> str:
        """Keep Django from converting on SQLite."""
        return "CharField" if connection.vendor == "sqlite" else "DateTimeField"


class RankField(models.SmallIntegerField):
    """A word of a vocabulary, kept as its rank."""

    def __init__(self, words: tuple[str, ...], **options: Any) -> None:
        """Take the vocabulary."""
        self.words = words
        super().__init__(**options)

    def deconstruct(self) -> Any:
        """Name the vocabulary as well."""
        name, path, arguments, options = super().deconstruct()
        return name, path, [self.words, *arguments], options

    def from_db_value(self, value: int | None, *_: Any) -> str | None:
        """Return the word."""
        return None if value is None else self.words[value]

    def get_prep_value(self, value: str | None) -> int | None:
        """Return the rank."""
        return None if value is None else self.words.index(value)


class Organization(models.Model):
    """Table core_organization."""

    name = models.CharField(max_length=255)

    class Meta:
        managed = False
        db_table = "core_organization"


class User(AbstractBaseUser):
    """Table core_user."""

    organization = models.ForeignKey(Organization, models.DO_NOTHING)
    username = models.CharField(max_length=150, unique=True)
    email = models.CharField(max_length=254)
    full_name = models.CharField(max_length=301)
    role = models.CharField(max_length=20)
    is_active = models.BooleanField()
    password = models.CharField(max_length=255, db_column="password_hash")
    last_login = None

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        managed = False
        db_table = "core_user"


class Tag(models.Model):
    """Table tickets_tag."""

    organization = models.ForeignKey(Organization, models.DO_NOTHING)
    name = models.CharField(max_length=50)
    name_key = models.CharField(max_length=50)
    usage_count = models.IntegerField()

    class Meta:
        managed = False
        db_table = "tickets_tag"


class Ticket(models.Model):
    """Table tickets_ticket."""

    uuid = models.CharField(max_length=36)
    organization = models.ForeignKey(Organization, models.DO_NOTHING)
    sequence = models.IntegerField()
    number = models.CharField(max_length=20)
    subject = models.CharField(max_length=255)
    description = models.TextField()
    status = RankField(STATUSES)
    priority = RankField(PRIORITIES)
    customer = models.ForeignKey(User, models.DO_NOTHING, related_name="+")
    created_by = models.ForeignKey(User, models.DO_NOTHING, related_name="+")
    assigned_agent = models.ForeignKey(User, models.DO_NOTHING, related_name="+", null=True)
    comment_count = models.IntegerField(default=0)
    public_comment_count = models.IntegerField(default=0)
    reopen_count = models.IntegerField(default=0)
    first_response_at = InstantField(null=True)
    created_at = InstantField()
    updated_at = InstantField()
    deleted_at = InstantField(null=True)

    class Meta:
        managed = False
        db_table = "tickets_ticket"


class TicketTag(models.Model):
    """Table tickets_ticket_tag."""

    pk = models.CompositePrimaryKey("ticket_id", "tag_id")
    organization = models.ForeignKey(Organization, models.DO_NOTHING)
    ticket = models.ForeignKey(Ticket, models.DO_NOTHING, related_name="ticket_tags")
    tag = models.ForeignKey(Tag, models.DO_NOTHING, related_name="+")
    position = models.IntegerField()
    ticket_created_at = InstantField()

    class Meta:
        managed = False
        db_table = "tickets_ticket_tag"


class Comment(models.Model):
    """Table tickets_comment."""

    organization = models.ForeignKey(Organization, models.DO_NOTHING)
    ticket = models.ForeignKey(Ticket, models.DO_NOTHING, related_name="comments")
    author = models.ForeignKey(User, models.DO_NOTHING, related_name="+")
    content = models.TextField()
    is_internal = models.BooleanField()
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        managed = False
        db_table = "tickets_comment"


class Attachment(models.Model):
    """Table tickets_attachment."""

    organization = models.ForeignKey(Organization, models.DO_NOTHING)
    ticket = models.ForeignKey(Ticket, models.DO_NOTHING, related_name="attachments", null=True)
    uploaded_by = models.ForeignKey(User, models.DO_NOTHING, related_name="+")
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    created_at = InstantField()

    class Meta:
        managed = False
        db_table = "tickets_attachment"


class TicketNumber(models.Model):
    """Table tickets_number."""

    organization = models.OneToOneField(Organization, models.DO_NOTHING, primary_key=True)
    last = models.IntegerField()

    class Meta:
        managed = False
        db_table = "tickets_number"


class TicketChange(models.Model):
    """Table tickets_change."""

    organization = models.ForeignKey(Organization, models.DO_NOTHING)
    ticket = models.ForeignKey(Ticket, models.DO_NOTHING, related_name="+")
    actor = models.ForeignKey(User, models.DO_NOTHING, related_name="+")
    field = models.CharField(max_length=50)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    created_at = InstantField()

    class Meta:
        managed = False
        db_table = "tickets_change"


class OutboxEvent(models.Model):
    """Table core_event."""

    organization = models.ForeignKey(Organization, models.DO_NOTHING)
    type = models.CharField(max_length=100)
    version = models.IntegerField(default=1)
    payload = models.TextField()
    actor = models.ForeignKey(User, models.DO_NOTHING, related_name="+")
    created_at = InstantField()
    subject = models.CharField(max_length=80)
    aggregate = models.CharField(max_length=80)
    concerns = models.TextField(default="")
    depth = models.IntegerField(default=0)

    class Meta:
        managed = False
        db_table = "core_event"
