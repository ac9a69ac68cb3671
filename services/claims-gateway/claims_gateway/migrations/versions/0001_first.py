"""Claims, their history and lines, the files that went out and came in."""

from alembic import op
from chassis.migrations import bus_tables, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bus_tables()
    _claims()
    _history()
    _sent_files()
    _received_files()


def _claims() -> None:
    tenant_table(
        "claim",
        """
        claim_id text not null,
        encounter_key text not null,
        payer_id text not null,
        responsibility integer not null,
        control_number text not null,
        encounter text not null,
        journey_id text not null,
        state text not null,
        total_cents bigint not null,
        coverage text not null,
        waits_for text[] not null,
        waiting_codes text[] not null,
        orders text[] not null,
        interchange_id text,
        content bytea not null,
        created_at timestamptz not null,
        changed_at timestamptz not null,
        primary key (tenant, claim_id),
        unique (tenant, encounter_key, payer_id, responsibility),
        unique (tenant, control_number)""",
    )
    op.execute("create index claim_ready on claim (tenant, payer_id, changed_at) where state = 'ready'")
    op.execute("create index claim_held on claim (tenant, coverage) where state = 'held'")
    op.execute("create index claim_journey on claim (tenant, journey_id)")
    op.execute("create index claim_interchange on claim (tenant, interchange_id)")


def _history() -> None:
    tenant_table(
        "claim_event",
        """
        claim_id text not null,
        number integer not null,
        from_state text not null,
        to_state text not null,
        reason text not null,
        happened_at timestamptz not null,
        primary key (tenant, claim_id, number)""",
    )
    tenant_table(
        "billed_line",
        """
        claim_id text not null,
        number integer not null,
        patient text not null,
        payer_id text not null,
        code text not null,
        modifiers text[] not null,
        service_from date not null,
        units text not null,
        rendering_npi text not null,
        primary key (tenant, claim_id, number)""",
    )
    op.execute("create index billed_line_patient on billed_line (tenant, patient, service_from)")


def _sent_files() -> None:
    tenant_table("control_sequence", "name text not null, next bigint not null, primary key (tenant, name)")
    tenant_table(
        "interchange",
        """
        interchange_id text not null,
        control_number bigint not null,
        payer_id text not null,
        content text not null,
        claims integer not null,
        created_at timestamptz not null,
        leased_until timestamptz not null,
        sent_at timestamptz,
        file_id text not null default '',
        outcome text not null default '',
        primary key (tenant, interchange_id),
        unique (tenant, control_number)""",
    )
    op.execute("create index interchange_unsent on interchange (tenant, leased_until) where sent_at is null")


def _received_files() -> None:
    tenant_table("mailbox_cursor", "mailbox text not null, cursor bigint not null, primary key (tenant, mailbox)")
    tenant_table(
        "received_file",
        """
        file_id text not null,
        kind text not null,
        cursor bigint not null,
        content bytea not null,
        outcome text not null,
        received_at timestamptz not null,
        primary key (tenant, file_id)""",
    )
    tenant_table(
        "unmatched_file",
        """
        file_id text not null,
        reason text not null,
        received_at timestamptz not null,
        primary key (tenant, file_id)""",
    )


def downgrade() -> None:
    tables = "unmatched_file received_file mailbox_cursor interchange control_sequence billed_line claim_event claim"
    for table in tables.split():
        op.execute(f"drop table {table}")
