"""Every stage with its loop, its dollars and its span; what a list of journeys is searched by; what was noticed."""

from alembic import op
from chassis.migrations import tenant_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
SERVES_FROM = "0002"  # Every fact is added up again, which code at 0001 would do in its own way.

# Row-level security lets an index be used with leakproof operators only: = < > on plain columns, and neither ->> on
# jsonb nor @> on arrays. What is searched by is therefore a column or a row of its own.
_FACT = """
alter table fact
    add column causation_id text not null default '',
    add column heard_at timestamptz not null default now(),
    add column copies integer not null default 1,
    add column remittance_id text not null default ''
"""
_JOURNEY = """
alter table journey
    add column stage text not null default '',
    add column stage_since timestamptz,
    add column stage_cents bigint not null default 0,
    add column payer_class text not null default '',
    add column provider text not null default '',
    add column service_on date,
    add column filing_due date,
    add column finished_at timestamptz,
    add column gross_cents bigint not null default 0,
    add column patient_open_cents bigint not null default 0,
    add column first_end_at timestamptz,
    add column etp_us bigint,
    add column loops integer not null default 0,
    add column claim_ids text[] not null default '{}',
    add column ends jsonb not null default '[]',
    add column notices jsonb not null default '[]',
    add column heard_at timestamptz not null default now(),
    add column export_due boolean not null default false,
    add column roots_sent text[] not null default '{}'
"""
_STAGE = """
alter table stage
    add column loop text not null default '',
    add column because text not null default '',
    add column cents_open bigint not null default 0,
    add column episode integer not null default 0,
    add column span_sent text not null default ''
"""
_INDEXES = (
    "create index fact_remittance on fact (tenant, remittance_id) where remittance_id <> ''",
    "drop index journey_state",
    "create index journey_started on journey (tenant, started_at desc, journey_id desc)",
    "create index journey_state on journey (tenant, state, outcome, started_at desc, journey_id desc)",
    "create index journey_stage on journey (tenant, stage, stage_since)",
    "create index journey_payer on journey (tenant, payer_id, started_at desc, journey_id desc)",
    "create index journey_feed on journey (tenant, source, started_at desc, journey_id desc)",
    "create index journey_export on journey (tenant, heard_at) where export_due",
)


def upgrade() -> None:
    for statement in (_FACT, _JOURNEY, _STAGE, *_INDEXES):
        op.execute(statement)
    tenant_table("journey_claim", "claim_id text not null, journey_id text not null, primary key (tenant, claim_id)")
    # Facts of journeys that nothing has begun yet: kept, counted, and added up as soon as something does.
    tenant_table(
        "unbegun",
        """
        journey_id text not null,
        facts integer not null,
        heard_at timestamptz not null,
        primary key (tenant, journey_id)""",
    )
    # Journeys that a fact of the whole line concerns, such as the deposit behind a remittance.
    tenant_table("stale", "journey_id text not null, primary key (tenant, journey_id)")
    # What was heard before is added up again into the new columns. The owner is held to the tenants' policy like
    # everybody, and has no tenant: it steps aside for this one statement.
    op.execute("alter table fact no force row level security")
    op.execute("update fact set folded = false, remittance_id = coalesce(detail ->> 'remittance_id', '')")
    op.execute("alter table fact force row level security")


def downgrade() -> None:
    raise RuntimeError("the ledger's stages are not taken back: roll forward, and rebuild from the facts")
