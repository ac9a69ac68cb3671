"""Codings of visits, and the work items that coders decide."""

from alembic import op
from chassis.migrations import bus_tables, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bus_tables()
    tenant_table(
        "coding",
        """
        encounter_key text not null,
        encounter text not null,
        patient text not null,
        service_date date,
        version bigint not null,
        state text not null check (state in ('review', 'coded', 'cancelled')),
        proposal bytea not null,
        facts bytea not null,
        journey_id text not null,
        trace text not null,
        updated_at timestamptz not null,
        primary key (tenant, encounter_key)""",
    )
    tenant_table(
        "work_item",
        """
        work_id text not null,
        kind text not null check (kind in ('coder-review', 'unmapped-code', 'late-charge')),
        reason text not null,
        encounter_key text not null,
        encounter text not null,
        patient text not null,
        state text not null check (state in ('open', 'resolved', 'cancelled')),
        due_on date not null,
        opened_at timestamptz not null,
        primary key (tenant, work_id)""",
    )
    op.execute("create index work_item_open on work_item (tenant, encounter_key) where state = 'open'")


def downgrade() -> None:
    for table in ("work_item", "coding", "outbox", "inbox", "timer", "blocked", "dead_letter"):
        op.execute(f"drop table {table}")
