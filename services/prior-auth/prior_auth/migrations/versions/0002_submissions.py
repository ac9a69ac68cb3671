"""Requests that were submitted, each once under its key, and by whom and what they can be inquired about."""

from alembic import op
from chassis.migrations import once_table, tenant_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    once_table()
    tenant_table(
        "submitted_request",
        """
        request_id text not null,
        client_id text not null,
        subject_key text not null,
        member_key text not null,
        identifiers text[] not null,
        codes text[] not null,
        resource bytea not null,
        context bytea not null,
        submitted_at timestamptz not null,
        primary key (tenant, request_id)""",
    )
    op.execute("create index submitted_request_subject on submitted_request (tenant, subject_key)")
    op.execute("create index submitted_request_member on submitted_request (tenant, member_key)")


def downgrade() -> None:
    for table in ("submitted_request", "submission"):
        op.execute(f"drop table {table}")
