"""The console: who is signed in, and who saw or did what."""

from alembic import op
from chassis.migrations import tenant_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The key is the digest of what the cookie holds: who reads this table cannot sign in with it.
    tenant_table(
        "console_session",
        """
        session_key text not null,
        subject text not null,
        name text not null,
        role text not null,
        started_at timestamptz not null,
        seen_at timestamptz not null,
        ended_at timestamptz,
        id_token text not null default '',
        primary key (tenant, session_key)""",
    )
    # Kept six years; the service adds rows and reads them, and can neither change nor remove one.
    tenant_table(
        "console_access",
        """
        access_id text not null,
        at timestamptz not null,
        subject text not null,
        name text not null,
        role text not null,
        session_key text not null,
        action text not null,
        kind text not null,
        item text not null,
        journey_id text not null,
        primary key (tenant, access_id)""",
    )
    op.execute("create index console_access_at on console_access (tenant, at)")
    op.execute("create index console_access_item on console_access (tenant, kind, item)")
    op.execute("revoke update, delete on console_access from journey_app")


def downgrade() -> None:
    raise RuntimeError("the record of accesses is not taken back")
