"""What the KPIs are computed from, and their snapshot: rows of visits, claims, denials, money and work."""

from alembic import op
from chassis.migrations import tenant_table

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

VISIT = """
    journey_id text not null,
    feed text not null,
    provider text not null,
    service_on date,
    finished_at timestamptz,
    charged_at timestamptz,
    gross_cents bigint not null,
    cancelled boolean not null,
    billed boolean not null,
    missing_charge boolean not null,
    primary key (tenant, journey_id)"""
CLAIM = """
    claim_id text not null,
    journey_id text not null,
    payer_id text not null,
    payer_class text not null,
    provider text not null,
    feed text not null,
    is_primary boolean not null,
    service_on date,
    billed_cents bigint not null,
    built_at timestamptz,
    clean boolean not null,
    submitted_at timestamptz,
    accepted_at timestamptz,
    first_answer text not null,
    accepted integer not null,
    rejected integer not null,
    voided boolean not null,
    posted_at timestamptz,
    received_at timestamptz,
    resolved_first boolean not null,
    paid_cents bigint not null,
    adjusted_cents bigint not null,
    contractual_cents bigint not null,
    patient_cents bigint not null,
    open_cents bigint not null,
    patient_paid_cents bigint not null,
    receivable_cents bigint not null,
    denied_at timestamptz,
    denied_cents bigint not null,
    primary key (tenant, claim_id, journey_id)"""
DENIAL = """
    denial_id text not null,
    kind text not null,
    work_id text not null,
    journey_id text not null,
    claim_id text not null,
    payer_id text not null,
    payer_class text not null,
    provider text not null,
    feed text not null,
    category text not null,
    carc text not null,
    carcs text not null,
    rarcs text not null,
    codes text not null,
    cents bigint not null,
    initial boolean not null,
    denied_at timestamptz not null,
    due_on date,
    state text not null,
    appealed_at timestamptz,
    resolved_at timestamptz,
    overturned_cents bigint not null,
    primary key (tenant, denial_id)"""
MONEY = """
    event_id text not null,
    kind text not null,
    journey_id text not null,
    claim_id text not null,
    at timestamptz not null,
    is_primary boolean not null,
    by_payer boolean not null,
    received_at timestamptz,
    gross_cents bigint not null,
    late boolean not null,
    paid_cents bigint not null,
    contractual_cents bigint not null,
    point_of_service boolean not null,
    primary key (tenant, event_id)"""
WORK = """
    work_id text not null,
    kind text not null,
    reason text not null default '',
    owner text not null default '',
    dollars_cents bigint not null default 0,
    due_on date,
    encounter text not null default '',
    journey_id text not null default '',
    opened_at timestamptz,
    opened_by text not null default '',
    closed_at timestamptz,
    closed_by text not null default '',
    outcome text not null default '',
    is_open boolean not null generated always as (
        opened_at is not null and (closed_at is null or opened_at > closed_at
            or (opened_at = closed_at and opened_by > closed_by))) stored,
    payer_id text not null default '',
    claim_id text not null default '',
    closeness integer not null default 0,
    chance integer not null default 0,
    priority bigint not null default 0,
    primary key (tenant, work_id)"""
REMIT = """
    remittance_id text not null,
    received_at timestamptz not null,
    quarantined boolean not null,
    claims bigint not null,
    unmatched bigint not null,
    primary key (tenant, remittance_id)"""
PRIOR_AUTH = """
    auth_id text not null,
    payer_id text not null default '',
    journey_id text not null default '',
    asked_at timestamptz not null,
    required boolean not null default false,
    decided_at timestamptz,
    pended_at timestamptz,
    primary key (tenant, auth_id)"""
VALUE = """
    name text not null,
    version integer not null,
    state text not null,
    because text not null,
    numerator bigint not null,
    denominator bigint not null,
    p50 bigint,
    p90 bigint,
    as_of timestamptz not null,
    primary key (tenant, name)"""
BREAKDOWN = """
    kind text not null,
    position integer not null,
    row jsonb not null,
    primary key (tenant, kind, position)"""
CHECK = """
    name text not null,
    agreement text not null,
    as_of timestamptz not null,
    checked_at timestamptz not null,
    first_numerator bigint not null,
    first_denominator bigint not null,
    second_numerator bigint not null,
    second_denominator bigint not null,
    differing jsonb not null,
    primary key (tenant, name)"""
TABLES = {
    "visit": VISIT,
    "claim": CLAIM,
    "denial": DENIAL,
    "money": MONEY,
    "work_item": WORK,
    "remit": REMIT,
    "prior_auth": PRIOR_AUTH,
    "kpi_value": VALUE,
    "kpi_breakdown": BREAKDOWN,
    "kpi_check": CHECK,
    # Facts of claims that no journey holds: the refresher adds these claims up.
    "stray": "claim_id text not null, event_id text not null, pending boolean not null default true,"
    " primary key (tenant, claim_id, event_id)",
    # How fresh the snapshot is.
    "kpi_snapshot": "as_of timestamptz not null, took_ms bigint not null, primary key (tenant)",
}
INDEXES = (
    "claim_journey on claim (tenant, journey_id)",
    "claim_payer on claim (tenant, payer_id)",
    "claim_unsent on claim (tenant, claim_id, journey_id) where submitted_at is null",
    "denial_journey on denial (tenant, journey_id)",
    "denial_claim on denial (tenant, claim_id)",
    "denial_at on denial (tenant, kind, denied_at desc, denial_id desc)",
    "denial_work on denial (tenant, work_id)",
    "money_journey on money (tenant, journey_id)",
    "money_claim on money (tenant, claim_id)",
    "money_at on money (tenant, kind, at)",
    "work_item_queue on work_item (tenant, priority desc, work_id) where is_open",
    "work_item_closed on work_item (tenant, priority desc, work_id) where not is_open",
    "work_item_journey on work_item (tenant, journey_id)",
    "stray_pending on stray (tenant, claim_id) where pending",
)


def upgrade() -> None:
    for name, columns in TABLES.items():
        tenant_table(name, columns)
    for index in INDEXES:
        op.execute(f"create index {index}")


def downgrade() -> None:
    for name in reversed(TABLES):
        op.execute(f"drop table {name}")
