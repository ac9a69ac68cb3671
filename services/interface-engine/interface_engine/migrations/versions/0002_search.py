"""What is searched: tokens, texts, days, numbers and addresses of resources, and deletions."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled with its part."""


def downgrade() -> None:
    """Filled with its part."""
