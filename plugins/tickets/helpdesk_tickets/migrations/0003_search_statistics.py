"""Have PostgreSQL learn which words of tickets are rare."""

from alembic import op

from helpdesk_core.api import SearchIndex

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SEARCH = SearchIndex("tickets_search", "text", "number", "comments", "internal")


def upgrade() -> None:
    """Apply."""
    SEARCH.learn_rare_words(op)


def downgrade() -> None:
    """Undo: nothing depends on it, and the table goes with the first revision."""
