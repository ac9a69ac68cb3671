"""Captures, charges by line, performed orders, and what people decided about missing charges."""

from alembic import op
from chassis.migrations import bus_tables, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


TABLES = {
    "capture": """
        encounter_key text not null,
        encounter text not null,
        version bigint not null,
        state text not null check (state in ('waiting', 'captured')),
        coded bytea not null,
        journey_id text not null,
        trace text not null,
        updated_at timestamptz not null,
        primary key (tenant, encounter_key)""",
    "charge": """
        line_id text not null,
        encounter_key text not null,
        charge_item_id text not null,
        unit_cents bigint not null check (unit_cents >= 0),
        cents bigint not null check (cents >= 0),
        captured_at timestamptz not null,
        primary key (tenant, line_id)""",
    "performed_order": """
        reference text not null,
        encounter text not null,
        code text not null,
        service_date date,
        primary key (tenant, reference)""",
    "decision": """
        encounter_key text not null,
        subject text not null,
        line bytea,
        unit_cents bigint,
        primary key (tenant, encounter_key, subject)""",
    "work_item": """
        work_id text not null,
        kind text not null check (kind in ('missing-charge', 'late-charge')),
        reason text not null,
        encounter_key text not null,
        encounter text not null,
        patient text not null,
        subject text not null,
        order_ref text not null,
        code text not null,
        cents bigint not null,
        state text not null check (state in ('open', 'added', 'not-billable', 'resolved')),
        due_on date not null,
        opened_at timestamptz not null,
        primary key (tenant, work_id)""",
}


def upgrade() -> None:
    bus_tables()
    for name, columns in TABLES.items():
        tenant_table(name, columns)
    op.execute("create index charge_encounter on charge (tenant, encounter_key)")
    op.execute("create index performed_order_encounter on performed_order (tenant, encounter)")
    op.execute("create index work_item_open on work_item (tenant, encounter_key) where state = 'open'")


def downgrade() -> None:
    for table in (*reversed(TABLES), "outbox", "inbox", "timer", "blocked", "dead_letter"):
        op.execute(f"drop table {table}")
