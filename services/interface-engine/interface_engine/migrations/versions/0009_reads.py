"""A read by id in one round trip: the tenant is set and the resource found in one statement."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The setting ends with the statement's own transaction, and the policies see it: the query inside begins after it.
    op.execute("""
        create function read_newest(of_tenant text, of_type text, of_id text)
        returns table (type text, id text, bytes bytea, version bigint, received_at timestamptz, deleted boolean)
        language plpgsql as $$
        #variable_conflict use_column
        begin
            perform set_config('app.tenant', of_tenant, true);
            return query
                select v.type, v.id, v.bytes, v.version, v.received_at, v.deleted
                from resource r join resource_version v using (tenant, type, id, version)
                where r.type = of_type and r.id = of_id;
        end $$
    """)


def downgrade() -> None:
    op.execute("drop function read_newest(text, text, text)")
