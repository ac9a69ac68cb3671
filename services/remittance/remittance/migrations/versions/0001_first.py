"""The books (append-only, zero-sum), claims on account, files as received, and what waits for its other half."""

from alembic import op
from chassis.migrations import bus_tables, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ACCOUNTS = "'receivable_payer','receivable_patient','cash','contractual','adjustment','revenue','unapplied','plb'"
_KINDS = "'billed','transfer','payment','reversal','write-off'"

# In the order of their references; each is dropped in the reverse of it.
_TABLES = {
    "claim_account": """
        claim_id text not null,
        control_number text not null,
        record bytea not null,
        primary key (tenant, claim_id),
        unique (tenant, control_number)""",
    "file": """
        file_id text not null,
        kind text not null,
        raw bytea not null,
        received_at timestamptz not null,
        primary key (tenant, file_id)""",
    "quarantine": """
        quarantine_id text not null,
        file_id text not null,
        rule text not null,
        segment text not null,
        quarantined_at timestamptz not null,
        primary key (tenant, quarantine_id),
        foreign key (tenant, file_id) references file (tenant, file_id)""",
    "remittance": """
        remittance_id text not null,
        payer_id text not null,
        trace_number text not null,
        deposit_id text not null default '',
        record bytea not null,
        file_id text not null,
        primary key (tenant, remittance_id),
        unique (tenant, payer_id, trace_number),
        foreign key (tenant, file_id) references file (tenant, file_id)""",
    "posting": f"""
        posting_id text not null,
        number bigint generated always as identity,
        kind text not null check (kind in ({_KINDS})),
        claim_id text not null,
        payer_id text not null,
        remittance_id text not null,
        reason text not null,
        concerns text not null,
        mark text not null,
        posted_at timestamptz not null,
        primary key (tenant, posting_id)""",
    "entry": f"""
        posting_id text not null,
        ordinal smallint not null,
        account text not null check (account in ({_ACCOUNTS})),
        debit_cents bigint not null check (debit_cents >= 0),
        credit_cents bigint not null check (credit_cents >= 0),
        claim_id text not null,
        payer_id text not null,
        check ((debit_cents = 0) <> (credit_cents = 0)),
        primary key (tenant, posting_id, ordinal),
        foreign key (tenant, posting_id) references posting (tenant, posting_id)""",
    "unmatched_payment": """
        payment_id text not null,
        number bigint generated always as identity,
        remittance_id text not null,
        ordinal integer not null,
        control_number text not null,
        reason text not null,
        paid_cents bigint not null,
        record bytea not null,
        settled_at timestamptz,
        primary key (tenant, payment_id),
        foreign key (tenant, remittance_id) references remittance (tenant, remittance_id)""",
    "denial": """
        work_id text not null,
        claim_id text not null,
        state text not null check (state in ('open', 'appealed', 'written_off', 'overturned')),
        record bytea not null,
        primary key (tenant, work_id),
        foreign key (tenant, claim_id) references claim_account (tenant, claim_id)""",
    "deposit": """
        deposit_id text not null,
        trace_number text not null,
        amount_cents bigint not null check (amount_cents >= 0),
        remittance_id text not null default '',
        record bytea not null,
        primary key (tenant, deposit_id)""",
    "work": """
        work_id text not null,
        open boolean not null,
        record bytea not null,
        primary key (tenant, work_id)""",
    "mailbox_cursor": """
        kind text not null,
        cursor bigint not null,
        primary key (tenant, kind)""",
}

_INDEXES = (
    "create index posting_claim on posting (tenant, claim_id) where claim_id <> ''",
    "create index posting_concerns on posting (tenant, concerns) where concerns <> ''",
    "create index entry_claim on entry (tenant, claim_id) where claim_id <> ''",
    "create index unmatched_control on unmatched_payment (tenant, control_number) where settled_at is null",
    "create index unmatched_remittance on unmatched_payment (tenant, remittance_id) where settled_at is null",
    "create index remittance_trace on remittance (tenant, trace_number)",
    "create index deposit_trace on deposit (tenant, trace_number)",
    "create index denial_claim on denial (tenant, claim_id)",
)

# The books can only grow, and no transaction that leaves a posting lopsided can commit, whatever program wrote it.
_GUARDS = (
    "revoke update, delete on posting, entry from remittance_app",
    """
    create function entry_sums_to_zero() returns trigger language plpgsql as $$
    begin
        if (select sum(debit_cents) <> sum(credit_cents) from entry
            where tenant = new.tenant and posting_id = new.posting_id) then
            raise exception 'a posting does not sum to zero' using errcode = 'check_violation';
        end if;
        return null;
    end $$
    """,
    """
    create constraint trigger zero_sum after insert on entry deferrable initially deferred
    for each row execute function entry_sums_to_zero()
    """,
)


def upgrade() -> None:
    bus_tables()
    for name, columns in _TABLES.items():
        tenant_table(name, columns)
    for statement in _INDEXES + _GUARDS:
        op.execute(statement)


def downgrade() -> None:
    for name in reversed(_TABLES):
        op.execute(f"drop table {name}")
    op.execute("drop function entry_sums_to_zero")
    for name in ("outbox", "inbox", "timer", "blocked", "dead_letter"):
        op.execute(f"drop table {name}")
