"""Versions of channel configurations: what was in force, since when, by whom."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled with its part."""


def downgrade() -> None:
    """Filled with its part."""
