"""The bus tables and one table for effects."""

from chassis.migrations import bus_tables, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bus_tables()
    tenant_table("effect", "effect_id bigint generated always as identity, key text not null, number bigint not null")


def downgrade() -> None:
    raise RuntimeError("the first version is not taken back")
