"""The full-text index over articles."""

from helpdesk_core.api import SearchIndex

FIELDS = ("title", "tags", "content")
WEIGHTS = {"title": 6.0, "tags": 4.0, "content": 1.0}
"""How much a word counts where it stands: what an article is about is in its title."""

kb_search = SearchIndex("kb_search", *FIELDS)
