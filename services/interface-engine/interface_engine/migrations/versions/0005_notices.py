"""Subscriptions, what there is to tell their endpoints, and bulk exports."""

from alembic import op
from chassis.migrations import tenant_table

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _standing()
    _subscriptions()
    _notices()
    _exports()


def _standing() -> None:
    """Which tenants have something that works in the background: all that the relay's role, which sees every tenant's
    rows, learns of it. The revision rises with each change, so that unchanged tenants are not asked again."""
    tenant_table("standing", "kind text not null, revision bigint not null default 1, primary key (tenant, kind)")
    relay = f"{op.get_context().version_table_schema}_relay"
    op.execute(f"create policy relay on standing to {relay} using (true)")
    op.execute(f"grant select on standing to {relay}")


def _subscriptions() -> None:
    tenant_table(
        "subscription",
        """
        id text not null,
        client text not null,
        state text not null check (state in ('requested', 'opening', 'active', 'error', 'off')),
        recording boolean not null default false,
        text bytea not null,
        heartbeat_s integer not null default 0,
        ends_at timestamptz,
        reason text not null default '',
        fence text[],
        settled_at timestamptz,
        numbered bigint not null default 0,
        sent bigint not null default 0,
        failures integer not null default 0,
        failing_since timestamptz,
        next_at timestamptz,
        last_sent_at timestamptz,
        lease text not null default '',
        leased_until timestamptz,
        primary key (tenant, id)""",
    )


def _notices() -> None:
    """An event has no number in the transaction of its change, so that changes do not wait for each other."""
    tenant_table(
        "notice",
        """
        subscription text not null,
        position bigint generated always as identity,
        number bigint,
        at timestamptz not null,
        type text not null,
        resource_id text not null,
        version bigint not null,
        interaction text not null,
        primary key (tenant, subscription, position)""",
    )
    op.execute("create index notice_waiting on notice (subscription, tenant, position) where number is null")
    op.execute("create unique index notice_number on notice (subscription, tenant, number) where number is not null")
    op.execute("create index notice_at on notice (at, tenant)")


def _exports() -> None:
    tenant_table(
        "export",
        """
        id text not null,
        client text not null,
        state text not null check (state in ('waiting', 'running', 'done', 'failed')),
        request text not null,
        types text[] not null,
        patients boolean not null,
        group_id text not null default '',
        since timestamptz,
        at timestamptz not null,
        settled_at timestamptz not null,
        fence text[],
        place integer not null default 0,
        after text not null default '',
        resources bigint not null default 0,
        attempts integer not null default 0,
        next_at timestamptz,
        finished_at timestamptz,
        expires_at timestamptz,
        lease text not null default '',
        leased_until timestamptz,
        primary key (tenant, id)""",
    )
    tenant_table(
        "export_file",
        """
        export text not null,
        number integer not null,
        type text not null,
        resources integer not null,
        packed bytea not null,
        primary key (tenant, export, number)""",
    )
    # It is packed already.
    op.execute("alter table export_file alter column packed set storage external")


def downgrade() -> None:
    for table in ("export_file", "export", "notice", "subscription", "standing"):
        op.execute(f"drop table {table}")
