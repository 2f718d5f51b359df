"""The list and the create, as a careful author writes them."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import status
from rest_framework.generics import ListCreateAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from tests.benchmarks.drf.models import Attachment, Comment, Ticket, TicketTag
from tests.benchmarks.drf.serializers import NewTicketSerializer, TicketSerializer
from tests.benchmarks.drf.services import create_ticket
from tests.benchmarks.wire import WANTED


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
        staff = user.role in {"agent", "admin"}
        tickets = Ticket.objects.filter(organization_id=user.organization_id, deleted_at__isnull=True)
        if not staff:
            tickets = tickets.filter(customer=user)
        wanted = self.request.query_params.get("status")
        if wanted:
            tickets = tickets.filter(status__in=WANTED.get(wanted, (wanted,)))
        return complete(tickets, user, internal=staff).order_by("-created_at", "-id")

    def create(self, request: Request, *_: Any, **__: Any) -> Response:
        """Open a ticket."""
        body = NewTicketSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user: Any = request.user
        created = create_ticket(user, body.validated_data)
        shown = complete(Ticket.objects.filter(id=created.id), user, internal=True).get()
        return Response(TicketSerializer(shown).data, status=status.HTTP_201_CREATED)


def complete(tickets: QuerySet[Ticket], user: Any, *, internal: bool) -> QuerySet[Ticket]:
    """Join the people, and fetch tags, comments and attachments of a whole page at once.

    The organisation is named although the tickets imply it: the indexes begin with it.
    """
    own = {"organization_id": user.organization_id}
    comments = Comment.objects.filter(**own).select_related("author").order_by("id")
    attachments = Attachment.objects.filter(**own).select_related("uploaded_by").order_by("id")
    return tickets.select_related("customer", "assigned_agent", "organization").prefetch_related(
        Prefetch("ticket_tags", TicketTag.objects.select_related("tag").order_by("position")),
        Prefetch("comments", comments if internal else comments.filter(is_internal=False)),
        Prefetch("attachments", attachments),
    )
