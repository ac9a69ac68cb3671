"""Messages of feeds as they came, how they were answered, and what became of them."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled with its part."""


def downgrade() -> None:
    """Filled with its part."""
