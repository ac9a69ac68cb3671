"""The table of commands that are carried out once."""

from chassis.migrations import once_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    once_table()


def downgrade() -> None:
    raise RuntimeError("the second version is not taken back")
