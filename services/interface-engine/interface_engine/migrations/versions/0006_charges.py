"""Charges that came in and what each of them became; files that were read."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled with its part."""


def downgrade() -> None:
    """Filled with its part."""
