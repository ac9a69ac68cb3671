"""Who may come in, with which tokens, and who looked at what."""

from alembic import op
from chassis.migrations import tenant_table

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tenant_table(
        "client",
        """
        name text not null,
        source text not null,
        scopes text not null,
        jwks text not null default '',
        jwks_url text not null default '',
        rate integer not null default 0 check (rate >= 0),
        added_at timestamptz not null,
        revoked_at timestamptz,
        primary key (tenant, name)""",
    )
    tenant_table(
        "access_token",
        """
        sha256 bytea not null,
        client text not null,
        scopes text not null,
        expires_at timestamptz not null,
        primary key (tenant, sha256)""",
    )
    op.execute("create index access_token_client on access_token (client, tenant)")
    tenant_table(
        "assertion",
        """
        client text not null,
        jti_sha256 bytea not null,
        expires_at timestamptz not null,
        primary key (tenant, client, jti_sha256)""",
    )
    tenant_table(
        "access_event",
        """
        id uuid not null,
        at timestamptz not null,
        client text not null,
        action text not null,
        interaction text not null,
        type text not null,
        resource_id text not null,
        status integer not null,
        query text not null,
        trace text not null,
        primary key (tenant, id)""",
    )
    op.execute("create index access_event_at on access_event (at, tenant)")
    op.execute("create index access_event_resource on access_event (resource_id, type, tenant, at)")
    op.execute("create index access_event_client on access_event (client, tenant, at)")


def downgrade() -> None:
    for table in ("access_event", "assertion", "access_token", "client"):
        op.execute(f"drop table {table}")
