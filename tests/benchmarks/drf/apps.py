"""The one application of the project."""

from django.apps import AppConfig


class Comparison(AppConfig):
    """Tables of the product, seen through Django."""

    name = "tests.benchmarks.drf"
    label = "comparison"
