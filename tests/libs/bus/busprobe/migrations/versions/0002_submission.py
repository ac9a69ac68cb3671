"""The table of commands that are carried out once."""

from chassis.migrations import tenant_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tenant_table(
        "submission",
        """
        key text not null,
        digest text not null,
        about text not null default '',
        answer bytea not null default '',
        status text not null default '',
        leased_until timestamptz not null,
        answered_at timestamptz,
        primary key (tenant, key)""",
    )


def downgrade() -> None:
    raise RuntimeError("the second version is not taken back")
