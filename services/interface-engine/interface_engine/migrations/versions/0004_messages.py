"""Messages of feeds as they came, how they were answered, and what became of them."""

from alembic import op
from chassis.migrations import tenant_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tenant_table(
        "message",
        """
        id uuid not null,
        position bigint generated always as identity,
        channel text not null,
        received_at timestamptz not null,
        raw bytea not null,
        sha256 bytea not null,
        identity bytea not null,
        copy smallint not null,
        control_id text not null,
        kind text not null,
        mrn text not null,
        account text not null,
        visit text not null,
        subject text not null,
        ack bytea not null,
        state text not null check (state in ('received', 'kept', 'filtered', 'failed', 'quarantined', 'dismissed')),
        reason text not null default '',
        path text not null default '',
        attempts integer not null default 0,
        next_at timestamptz,
        leased_until timestamptz,
        finished_at timestamptz,
        work_id text not null default '',
        charges_in integer not null default 0,
        cents_in bigint not null default 0,
        day date not null,
        primary key (tenant, id)""",
    )
    # 0: the message; 1: another text under its number, kept once, in quarantine; 2: an old one whose number came again.
    op.execute("create unique index message_first on message (identity, channel, tenant) where copy = 0")
    op.execute("create unique index message_text on message (identity, sha256, channel, tenant) where copy = 1")
    op.execute(
        "create index message_open on message (position) include (subject, next_at, leased_until) "
        "where state = 'received'"
    )
    op.execute("create index message_waiting on message (subject, position) where state in ('received', 'failed')")
    op.execute("create index message_position on message (tenant, position)")
    for column in ("mrn", "account", "visit", "control_id"):
        op.execute(f"create index message_{column} on message ({column}, tenant, position) where {column} <> ''")
    op.execute("create index message_channel on message (channel, tenant, position)")
    op.execute(
        "create index message_state on message (state, tenant, position) where state in ('failed', 'quarantined')"
    )
    # What a message brought was counted when it came, by nobody who maps it.
    op.execute("create index message_day on message (day, channel, tenant) where charges_in > 0")
    op.execute("create index message_finished on message (finished_at, tenant)")
    tenant_table(
        "message_resource",
        """
        message_id uuid not null,
        type text not null,
        resource_id text not null,
        primary key (tenant, message_id, type, resource_id)""",
    )
    op.execute("create index message_resource_of on message_resource (resource_id, type, tenant)")


def downgrade() -> None:
    op.execute("drop table message_resource")
    op.execute("drop table message")
