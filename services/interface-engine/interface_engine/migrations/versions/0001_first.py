"""The FHIR repository with its indexes, what was received as it came, and the journeys of encounters."""

from alembic import op
from chassis.migrations import bus_tables, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bus_tables()
    _repository()
    _indexes()
    _arrivals()
    _visits()


def _repository() -> None:
    tenant_table(
        "resource",
        """
        type text not null,
        id text not null,
        version bigint not null,
        sha256 bytea not null,
        status text not null default '',
        told_at timestamptz,
        updated_at timestamptz not null,
        primary key (tenant, type, id)""",
    )
    tenant_table(
        "resource_version",
        """
        type text not null,
        id text not null,
        version bigint not null,
        bytes bytea not null,
        sha256 bytea not null,
        received_at timestamptz not null,
        client text not null,
        source text not null,
        primary key (tenant, type, id, version)""",
    )


def _indexes() -> None:
    """Indexes begin with what tells rows apart: while tables are small the planner takes any index that fits a little,
    and keeps that plan when they have grown."""
    tenant_table(
        "resource_identifier",
        "type text not null, id text not null, version bigint not null, system text not null, value text not null",
    )
    op.execute("create index resource_identifier_value on resource_identifier (value, type, tenant)")
    op.execute("create index resource_identifier_owner on resource_identifier (id, type, tenant)")
    tenant_table(
        "reference",
        """
        from_type text not null,
        from_id text not null,
        version bigint not null,
        path text not null,
        to_type text not null,
        to_id text not null""",
    )
    op.execute("create index reference_from on reference (from_id, from_type, tenant)")
    op.execute("create index reference_to on reference (to_id, to_type, from_type, tenant)")


def _arrivals() -> None:
    tenant_table(
        "received",
        """
        sha256 bytea not null,
        received_at timestamptz not null,
        client text not null,
        source text not null,
        method text not null,
        url text not null,
        body bytea not null""",
    )
    op.execute("create index received_sha256 on received (tenant, sha256)")
    tenant_table(
        "request_log",
        """
        key bytea not null,
        client text not null,
        received_at timestamptz not null,
        status integer,
        headers text not null default '{}',
        response bytea,
        primary key (tenant, key)""",
    )


def _visits() -> None:
    tenant_table(
        "journey",
        """
        encounter_key text not null,
        journey_id text not null,
        encounter text not null default '',
        state text not null default '' check (state in ('', 'started', 'finished', 'cancelled')),
        version bigint not null default 0,
        primary key (tenant, encounter_key)""",
    )
    tenant_table(
        "visit",
        """
        encounter text not null,
        encounter_key text not null,
        source text not null,
        primary key (tenant, encounter)""",
    )


def downgrade() -> None:
    for table in ("visit", "journey", "request_log", "received", "reference", "resource_identifier",
                  "resource_version", "resource", "outbox", "inbox", "timer", "blocked", "dead_letter"):  # fmt: skip
        op.execute(f"drop table {table}")
