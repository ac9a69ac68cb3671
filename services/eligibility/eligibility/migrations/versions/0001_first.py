"""Verifications with their raw X12, the visits that they were made for, and the gaps that people work on."""

from alembic import op
from chassis.migrations import bus_tables, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bus_tables()
    tenant_table(
        "verification",
        """
        verification_id text not null,
        subject_key text not null,
        service_date date not null,
        status text not null check (status in ('active', 'inactive', 'unknown', 'rejected')),
        checked_at timestamptz not null,
        idempotency_key text not null default '',
        record bytea not null,
        sent bytea not null,
        received bytea not null,
        primary key (tenant, verification_id)""",
    )
    tenant_table(
        "visit",
        "reference text not null, version bigint not null, key text not null, primary key (tenant, reference)",
    )
    tenant_table(
        "gap",
        """
        key text not null,
        round integer not null,
        work_id text not null,
        open boolean not null,
        primary key (tenant, key)""",
    )
    op.execute("create index verification_subject on verification (tenant, subject_key, service_date, checked_at)")
    op.execute(
        "create index verification_idempotency on verification (tenant, idempotency_key) where idempotency_key <> ''"
    )


def downgrade() -> None:
    for table in ("gap", "visit", "verification", "outbox", "inbox", "timer", "blocked", "dead_letter"):
        op.execute(f"drop table {table}")
