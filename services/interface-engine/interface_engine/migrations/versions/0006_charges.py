"""Charges that came in and what each of them became; files that were read."""

from alembic import op
from chassis.migrations import tenant_table

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table journey add column unmapped boolean not null default false")
    op.execute("create index journey_unmapped on journey (encounter_key, tenant) where unmapped")
    tenant_table(
        "charge_in",
        """
        message_id uuid not null,
        place text not null,
        position bigint not null,
        channel text not null,
        day date not null,
        line_key text not null,
        kind text not null check (kind in ('charge', 'credit')),
        cents bigint not null,
        quantity numeric not null,
        code text not null,
        service_day date,
        visit text not null,
        disposition text not null check (disposition in ('charge', 'hold', 'rejected', 'repeat', 'replaced')),
        reason text not null default '',
        primary key (tenant, message_id, place)""",
    )
    op.execute("create index charge_in_line on charge_in (line_key, channel, tenant)")
    op.execute("create index charge_in_day on charge_in (day, channel, tenant)")
    op.execute("create index charge_in_hold on charge_in (channel, position, tenant) where disposition = 'hold'")
    tenant_table(
        "file",
        """
        id uuid not null,
        channel text not null,
        sha256 bytea not null,
        name_sha256 bytea not null,
        size bigint not null,
        received_at timestamptz not null,
        day date not null,
        state text not null check (state in ('reading', 'read', 'refused')),
        rows integer not null default 0,
        rejected integer not null default 0,
        cents bigint not null default 0,
        rejected_cents bigint not null default 0,
        reason text not null default '',
        reject_file bytea,
        primary key (tenant, id)""",
    )
    op.execute("create index file_day on file (day, channel, tenant)")
    op.execute("create unique index file_text on file (sha256, channel, tenant)")


def downgrade() -> None:
    op.execute("drop table file")
    op.execute("drop table charge_in")
    op.execute("alter table journey drop column unmapped")
