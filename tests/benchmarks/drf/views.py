"""The list, the detail and what is written, as a careful author writes them."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import status
from rest_framework.generics import CreateAPIView, ListCreateAPIView, RetrieveAPIView, get_object_or_404
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from tests.benchmarks.drf.models import Attachment, Comment, Ticket, TicketTag
from tests.benchmarks.drf.serializers import (
    CommentSerializer,
    NewCommentSerializer,
    NewTicketSerializer,
    TicketSerializer,
)
from tests.benchmarks.drf.services import add_comment, create_ticket
from tests.benchmarks.wire import WANTED

STAFF = {"agent", "admin"}


class Pages(PageNumberPagination):
    """Pages as the document describes them."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100


class TicketViews(ListCreateAPIView[Ticket]):
    """`GET` and `POST` of tickets."""

    serializer_class = TicketSerializer
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Ticket]:
        """Return what the caller may see, with everything that is shown of it in a constant number of queries."""
        user: Any = self.request.user
        tickets = visible(user)
        wanted = self.request.query_params.get("status")
        if wanted:
            tickets = tickets.filter(status__in=WANTED.get(wanted, (wanted,)))
        return complete(tickets, user).order_by("-created_at", "-id")

    def create(self, request: Request, *_: Any, **__: Any) -> Response:
        """Open a ticket."""
        body = NewTicketSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user: Any = request.user
        created = create_ticket(user, body.validated_data)
        shown = complete(Ticket.objects.filter(id=created.id), user).get()
        return Response(TicketSerializer(shown).data, status=status.HTTP_201_CREATED)


class TicketView(RetrieveAPIView[Ticket]):
    """`GET` of one ticket."""

    serializer_class = TicketSerializer
    lookup_field = "uuid"

    def get_queryset(self) -> QuerySet[Ticket]:
        """Return what the caller may see."""
        user: Any = self.request.user
        return complete(visible(user), user)


class CommentView(CreateAPIView[Comment]):
    """`POST` of a comment."""

    def create(self, request: Request, *_: Any, **values: Any) -> Response:
        """Comment."""
        body = NewCommentSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user: Any = request.user
        ticket = get_object_or_404(visible(user), uuid=values["uuid"])
        comment = add_comment(user, ticket.id, body.validated_data)
        return Response(CommentSerializer(comment).data, status=status.HTTP_201_CREATED)


def visible(user: Any) -> QuerySet[Ticket]:
    """Return the tickets that `user` may see."""
    tickets = Ticket.objects.filter(organization_id=user.organization_id, deleted_at__isnull=True)
    return tickets if user.role in STAFF else tickets.filter(customer=user)


def complete(tickets: QuerySet[Ticket], user: Any) -> QuerySet[Ticket]:
    """Join the people, and fetch tags, comments and attachments of a whole page at once.

    The organisation is named although the tickets imply it: the indexes begin with it.
    """
    own = {"organization_id": user.organization_id}
    comments = Comment.objects.filter(**own).select_related("author").order_by("id")
    attachments = Attachment.objects.filter(**own).select_related("uploaded_by").order_by("id")
    return tickets.select_related("customer", "assigned_agent", "organization").prefetch_related(
        Prefetch("ticket_tags", TicketTag.objects.select_related("tag").order_by("position")),
        Prefetch("comments", comments if user.role in STAFF else comments.filter(is_internal=False)),
        Prefetch("attachments", attachments),
    )
