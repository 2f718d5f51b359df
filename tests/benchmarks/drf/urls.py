"""One path."""

from django.urls import path

from tests.benchmarks.drf.views import TicketViews

urlpatterns = [path("api/v1/tickets/", TicketViews.as_view())]
