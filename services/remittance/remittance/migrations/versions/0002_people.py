"""What patients pay, and what people look for: remittances and denials by their columns, not by their records."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
SERVES_FROM = "0002"  # Code at 0001 gives no dates to the rows that it writes, and every row has to have one.

_KINDS = "'billed','transfer','payment','reversal','write-off'"
_STATES = "'open', 'appealed', 'written_off', 'overturned'"
_COLUMNS = (
    """alter table remittance add column received_at timestamptz,
    add column awaits_deposit boolean not null default false""",
    """alter table quarantine add column payer_id text not null default '',
    add column paid_cents bigint not null default 0, add column claims integer not null default 0,
    add column zero_paid integer not null default 0,
    add column received_at timestamptz""",
    """alter table denial add column payer_id text not null default '', add column category text not null default '',
    add column due_on date, add column opened_at timestamptz, add column changed_at timestamptz""",
)
_ADDED = {
    "remittance": "received_at awaits_deposit",
    "quarantine": "payer_id paid_cents claims zero_paid received_at",
    "denial": "payer_id category due_on opened_at changed_at",
}
# The owner of the tables belongs to no tenant: for what stands there already it has to step past the policies.
_FILL = {
    "remittance": """
        update remittance set received_at = (told ->> 'received_at')::timestamptz,
            awaits_deposit = told ->> 'method' = 'ACH' and (told ->> 'paid_cents')::bigint > 0
        from (select tenant, remittance_id, convert_from(record, 'UTF8')::jsonb as told from remittance) known
        where known.tenant = remittance.tenant and known.remittance_id = remittance.remittance_id""",
    "quarantine": "update quarantine set received_at = quarantined_at",
    "denial": """
        update denial set category = told ->> 'category', due_on = (told ->> 'due_on')::date,
            payer_id = posting.payer_id, opened_at = posting.posted_at, changed_at = posting.posted_at
        from (select tenant, work_id, convert_from(record, 'UTF8')::jsonb as told from denial) known
        join posting on posting.tenant = known.tenant and posting.posting_id = told ->> 'posting_id'
        where known.tenant = denial.tenant and known.work_id = denial.work_id""",
}
_READ_ALONG = ("posting",)
_FIRM = (
    "alter table remittance alter column received_at set not null",
    "alter table quarantine alter column received_at set not null",
    """alter table denial alter column due_on set not null, alter column opened_at set not null,
    alter column changed_at set not null""",
)
_INDEXES = {
    "remittance_received": "remittance (tenant, received_at, remittance_id)",
    "remittance_payer": "remittance (tenant, payer_id, received_at, remittance_id)",
    "remittance_file": "remittance (tenant, file_id)",
    "quarantine_received": "quarantine (tenant, received_at, quarantine_id)",
    "denial_due": "denial (tenant, due_on, work_id)",
    "denial_state": "denial (tenant, state, due_on, work_id)",
    "posting_remittance": "posting (tenant, remittance_id) where remittance_id <> ''",
}


def upgrade() -> None:
    for statement in _COLUMNS:
        op.execute(statement)
    for table in (*_FILL, *_READ_ALONG):
        op.execute(f"alter table {table} no force row level security")
    for statement in _FILL.values():
        op.execute(statement.replace("::", "\\:\\:"))
    for table in (*_FILL, *_READ_ALONG):
        op.execute(f"alter table {table} force row level security")
    for statement in _FIRM:
        op.execute(statement)
    _check("posting", "kind", f"{_KINDS}, 'patient-payment'")
    _check("denial", "state", f"{_STATES}, 'upheld'")
    for name, columns in _INDEXES.items():
        op.execute(f"create index {name} on {columns}")


def _check(table: str, column: str, allowed: str) -> None:
    name = f"{table}_{column}_check"
    op.execute(f"alter table {table} drop constraint {name}")
    op.execute(f"alter table {table} add constraint {name} check ({column} in ({allowed}))")


def downgrade() -> None:
    for name in _INDEXES:
        op.execute(f"drop index {name}")
    _check("posting", "kind", _KINDS)
    _check("denial", "state", _STATES)
    for table, columns in _ADDED.items():
        op.execute(f"alter table {table} " + ", ".join(f"drop column {name}" for name in columns.split()))
