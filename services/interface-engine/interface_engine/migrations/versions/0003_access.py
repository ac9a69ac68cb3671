"""Who may come in, with which tokens, and who looked at what."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled with its part."""


def downgrade() -> None:
    """Filled with its part."""
