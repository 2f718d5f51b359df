"""The answers and bodies, declared the usual way."""

from typing import Any

from rest_framework import serializers

from tests.benchmarks.drf.models import Attachment, Comment, Organization, Ticket, User
from tests.benchmarks.wire import EMBEDDED_COMMENTS, PRIORITIES, SHOWN


class PersonSerializer(serializers.ModelSerializer[User]):
    """A user in other objects."""

    class Meta:
        model = User
        fields = ("id", "email", "full_name")


class OrganizationSerializer(serializers.ModelSerializer[Organization]):
    """An organisation in other objects."""

    class Meta:
        model = Organization
        fields = ("id", "name")


class CommentSerializer(serializers.ModelSerializer[Comment]):
    """A comment."""

    author = PersonSerializer()

    class Meta:
        model = Comment
        fields = ("id", "content", "author", "is_internal", "created_at")


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    """An uploaded file."""

    url = serializers.SerializerMethodField()
    uploaded_by = PersonSerializer()

    class Meta:
        model = Attachment
        fields = ("id", "filename", "content_type", "size", "url", "uploaded_by", "created_at")

    def get_url(self, attachment: Attachment) -> str:
        """Return where the content is."""
        return f"/api/v1/attachments/{attachment.id}/"


class TicketSerializer(serializers.ModelSerializer[Ticket]):
    """A ticket as lists and details show it."""

    id = serializers.CharField(source="uuid")
    ticket_number = serializers.CharField(source="number")
    status = serializers.SerializerMethodField()
    priority = serializers.CharField()
    customer = PersonSerializer()
    assigned_agent = PersonSerializer()
    organization = OrganizationSerializer()
    tags = serializers.SerializerMethodField()
    attachments = AttachmentSerializer(many=True)
    comments = serializers.SerializerMethodField()

    class Meta:
        model = Ticket
        fields = (
            "id",
            "ticket_number",
            "subject",
            "description",
            "status",
            "priority",
            "customer",
            "assigned_agent",
            "organization",
            "tags",
            "attachments",
            "comments",
            "created_at",
            "updated_at",
        )

    def get_status(self, ticket: Ticket) -> str:
        """Return the word of the document."""
        return SHOWN[ticket.status]

    def get_tags(self, ticket: Ticket) -> list[str]:
        """Return the names, in their order."""
        return [link.tag.name for link in ticket.ticket_tags.all()]

    def get_comments(self, ticket: Ticket) -> Any:
        """Return the newest comments, oldest first."""
        comments = list(ticket.comments.all())[-EMBEDDED_COMMENTS:]
        return CommentSerializer(comments, many=True, context=self.context).data


class NewTicketSerializer(serializers.Serializer[Ticket]):
    """The body of a create."""

    subject = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=100_000, allow_blank=True, default="")
    priority = serializers.ChoiceField(PRIORITIES, default="medium")
    tags = serializers.ListField(child=serializers.CharField(max_length=50), max_length=20, default=list)
    attachments = serializers.ListField(child=serializers.IntegerField(), default=list)


class NewCommentSerializer(serializers.Serializer[Comment]):
    """The body of a comment."""

    content = serializers.CharField(max_length=100_000)
    is_internal = serializers.BooleanField(default=False)
