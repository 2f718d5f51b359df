"""The paths."""

from django.urls import path

from tests.benchmarks.drf.views import CommentView, TicketView, TicketViews

urlpatterns = [
    path("api/v1/tickets/", TicketViews.as_view()),
    path("api/v1/tickets/<uuid>/", TicketView.as_view()),
    path("api/v1/tickets/<uuid>/comments/", CommentView.as_view()),
]
