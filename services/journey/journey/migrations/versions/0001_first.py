"""Facts as they were heard, and what they add up to: the journey and its stages."""

from alembic import op
from chassis.migrations import bus_tables, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bus_tables()
    tenant_table(
        "fact",
        """
        event_id text not null,
        journey_id text not null,
        type text not null,
        producer text not null,
        occurred_at timestamptz not null,
        qualifier text not null default '',
        reason text not null default '',
        detail jsonb not null,
        trace_id text not null default '',
        folded boolean not null default false,
        primary key (tenant, event_id)""",
    )
    op.execute("create index fact_journey on fact (tenant, journey_id, occurred_at)")
    op.execute("create index fact_unfolded on fact (tenant, journey_id) where not folded")
    tenant_table(
        "journey",
        """
        journey_id text not null,
        encounter text not null,
        source text not null,
        state text not null,
        outcome text not null,
        reason text not null,
        started_at timestamptz not null,
        ended_at timestamptz,
        elapsed_us bigint not null,
        claim_id text not null,
        payer_id text not null,
        billed_cents bigint not null,
        paid_cents bigint not null,
        adjusted_cents bigint not null,
        patient_cents bigint not null,
        open_cents bigint not null,
        exported_until timestamptz,
        primary key (tenant, journey_id)""",
    )
    op.execute("create index journey_encounter on journey (tenant, encounter)")
    op.execute("create index journey_state on journey (tenant, state, outcome)")
    tenant_table(
        "stage",
        """
        journey_id text not null,
        position integer not null,
        name text not null,
        round integer not null,
        started_at timestamptz not null,
        ended_at timestamptz,
        elapsed_us bigint not null,
        cause text not null,
        primary key (tenant, journey_id, position)""",
    )
    op.execute("create index stage_name on stage (tenant, name)")
    # The folding task looks for work over all tenants, so the relay's role may list them here, and nothing else.
    tenant_table("tenant_heard", "primary key (tenant)")
    op.execute("create policy relay on tenant_heard to journey_relay using (true)")
    op.execute("grant select on tenant_heard to journey_relay")


def downgrade() -> None:
    raise RuntimeError("the first version is not taken back: the facts in it are the ledger")
