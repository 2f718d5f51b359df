"""All of django-helpdesk's paths, its API among them."""

from django.urls import include, path

urlpatterns = [path("", include("helpdesk.urls"))]
