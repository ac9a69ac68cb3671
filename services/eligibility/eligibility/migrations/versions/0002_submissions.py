"""Requests that were submitted, under the key that makes each of them one, with the answer that all senders get."""

from alembic import op
from chassis.migrations import once_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    once_table()
    op.execute("create index submission_about on submission (tenant, about) where about <> ''")


def downgrade() -> None:
    op.execute("drop table submission")
