"""Have PostgreSQL learn which words of articles are rare."""

from alembic import op

from helpdesk_core.api import SearchIndex

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SEARCH = SearchIndex("kb_search", "title", "tags", "content")


def upgrade() -> None:
    """Apply."""
    SEARCH.learn_rare_words(op)


def downgrade() -> None:
    """Undo: nothing depends on it, and the table goes with the first revision."""
