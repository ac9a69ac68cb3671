"""What lists of claims are filtered by and ordered in."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INDEXES = (
    "create index claim_created on claim (tenant, created_at, claim_id)",
    "create index claim_state on claim (tenant, state, created_at, claim_id)",
    "create index claim_payer on claim (tenant, payer_id, created_at, claim_id)",
    "create index claim_payer_number on claim (tenant, payer_claim_number) where payer_claim_number <> ''",
)
# The owner of the tables belongs to no tenant: for what stands there already it has to step past the policies.
_BACKFILL = (
    "alter table claim add column payer_claim_number text not null default ''",
    "alter table claim no force row level security",
    """update claim set payer_claim_number = convert_from(content, 'UTF8')::jsonb ->> 'payer_claim_number'
    where convert_from(content, 'UTF8')::jsonb ->> 'payer_claim_number' <> ''""",
    "alter table claim force row level security",
)


def upgrade() -> None:
    for statement in _BACKFILL + _INDEXES:
        op.execute(statement.replace("::", "\\:\\:"))


def downgrade() -> None:
    for name in ("claim_created", "claim_state", "claim_payer", "claim_payer_number"):
        op.execute(f"drop index {name}")
    op.execute("alter table claim drop column payer_claim_number")
