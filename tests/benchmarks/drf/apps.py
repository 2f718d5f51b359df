"""The one application of the project."""

from pathlib import Path

from django.apps import AppConfig


class Comparison(AppConfig):
    """Tables of the product, seen through Django."""

    name = "tests.benchmarks.drf"
    label = "comparison"
    path = str(Path(__file__).parent)
