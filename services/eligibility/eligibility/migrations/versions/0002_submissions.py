"""Requests that were submitted, under the key that makes each of them one, with the answer that all senders get."""

from alembic import op
from chassis.migrations import tenant_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tenant_table(
        "submission",
        """
        key text not null,
        digest text not null,
        about text not null default '',
        answer bytea not null default '',
        status text not null default '',
        leased_until timestamptz not null,
        answered_at timestamptz,
        primary key (tenant, key)""",
    )
    op.execute("create index submission_about on submission (tenant, about) where about <> ''")


def downgrade() -> None:
    op.execute("drop table submission")
