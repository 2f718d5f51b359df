"""What Django is told about the database of a URL."""

from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.floor.sqlite import PRAGMAS


def database_of(url: str) -> dict[str, Any]:
    """Return the settings; connections persist, and SQLite's are set up as the product's are."""
    if url.startswith("sqlite"):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite:///"),
            "CONN_MAX_AGE": None,
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": ";".join(PRAGMAS)},
        }
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "USER": parts.username or "",
        "PASSWORD": parts.password or "",
        "CONN_MAX_AGE": None,
        "OPTIONS": {"server_side_binding": True},
    }
