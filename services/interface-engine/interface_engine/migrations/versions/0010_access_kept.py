"""The record of accesses can be added to, and by the service neither changed nor thinned (45 CFR 164.312(b))."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
SERVES_FROM = "0009"  # code has never changed or deleted an access


def upgrade() -> None:
    op.execute("revoke update, delete on access_event from interface_engine_app")


def downgrade() -> None:
    op.execute("grant update, delete on access_event to interface_engine_app")
