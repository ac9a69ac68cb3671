"""Authorizations, every attempt at one with its raw X12, and the work items that people work on."""

from alembic import op
from chassis.migrations import bus_tables, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bus_tables()
    tenant_table(
        "authorization_standing",
        """
        authorization_id text not null,
        subject_key text not null,
        code text not null,
        decided_at timestamptz not null,
        record bytea not null,
        primary key (tenant, authorization_id)""",
    )
    tenant_table(
        "attempt",
        """
        attempt_id text not null,
        authorization_id text not null,
        asked_at timestamptz not null,
        failure text not null,
        sent bytea not null,
        received bytea not null,
        primary key (tenant, attempt_id)""",
    )
    tenant_table(
        "work_item",
        """
        authorization_id text not null,
        round integer not null,
        work_id text not null,
        open boolean not null,
        primary key (tenant, authorization_id)""",
    )
    op.execute("create index authorization_subject on authorization_standing (tenant, subject_key, code)")
    op.execute("create index attempt_authorization on attempt (tenant, authorization_id)")


def downgrade() -> None:
    tables = ("work_item", "attempt", "authorization_standing", "outbox", "inbox", "timer", "blocked", "dead_letter")
    for table in tables:
        op.execute(f"drop table {table}")
