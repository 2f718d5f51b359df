"""The full-text index over tickets."""

from helpdesk_core.api import SearchIndex

tickets_search = SearchIndex("tickets_search", "text", "number", "comments", "internal")
"""`text` is subject and description; `internal` holds the comments that only staff may find."""


def searched_text(subject: str, description: str) -> str:
    """Return what goes into the field `text`."""
    return f"{subject}\n{description}"
