"""Versions of channel configurations (what was in force, since when, by whom), and what senders told last of what."""

from alembic import op
from chassis.migrations import tenant_table

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tenant_table(
        "channel_version",
        """
        name text not null,
        number integer not null,
        sha256 text not null,
        since timestamptz not null,
        recorded_by text not null,
        files text not null,
        primary key (tenant, name, number)""",
    )
    tenant_table(
        "channel_told",
        """
        key text not null,
        told_at timestamptz not null,
        primary key (tenant, key)""",
    )


def downgrade() -> None:
    for table in ("channel_told", "channel_version"):
        op.execute(f"drop table {table}")
