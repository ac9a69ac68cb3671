"""Claims that were submitted as FHIR, each once under its key, with the answer that all senders get."""

from alembic import op
from chassis.migrations import once_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    once_table()
    op.execute("create index submission_about on submission (tenant, about) where about <> ''")
    op.execute("create index claim_encounter on claim (tenant, encounter) where encounter <> ''")


def downgrade() -> None:
    op.execute("drop index claim_encounter")
    op.execute("drop table submission")
