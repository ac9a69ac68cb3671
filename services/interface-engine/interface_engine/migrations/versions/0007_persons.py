"""Which patients are the same person, and merges that can be undone."""

from alembic import op
from chassis.migrations import tenant_table

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _records()
    _pairs()
    _merges()
    _plan_identifying()


def _records() -> None:
    """What patients are compared by, and hashes of what they are found by: equality of bigint is leakproof."""
    tenant_table(
        "person_record",
        """
        patient text not null,
        home text not null,
        person text not null,
        traits text not null,
        primary key (tenant, patient)""",
    )
    op.execute("create index person_record_person on person_record (person, tenant)")
    tenant_table("person_key", "source text not null, patient text not null, kind text not null, key bigint not null")
    op.execute("create index person_key_value on person_key (key, tenant) include (patient)")
    op.execute("create index person_key_patient on person_key (patient, tenant)")
    op.execute("create index person_key_source on person_key (source, tenant)")


def _pairs() -> None:
    tenant_table(
        "person_pair",
        """
        low text not null,
        high text not null,
        state text not null check (state in ('', 'review', 'linked', 'same', 'different', 'apart')),
        score double precision not null default 0,
        fired text[] not null default '{}',
        reason text not null default '',
        merged boolean not null default false,
        work_id text not null default '',
        decided_by text not null default '',
        changed_at timestamptz not null,
        primary key (tenant, low, high),
        check (low < high)""",
    )
    op.execute("create index person_pair_high on person_pair (high, tenant)")
    op.execute("create index person_pair_open on person_pair (changed_at, tenant) where state = 'review'")


def _merges() -> None:
    tenant_table(
        "person_merge",
        """
        id text not null,
        prior text not null,
        survivor text not null,
        merged_by text not null,
        merged_at timestamptz not null,
        undone_at timestamptz,
        undone_by text not null default '',
        primary key (tenant, id)""",
    )
    op.execute("create unique index person_merge_prior on person_merge (prior, tenant) where undone_at is null")
    op.execute("create index person_merge_survivor on person_merge (survivor, tenant)")
    op.execute("create index person_merge_at on person_merge (tenant, merged_at, id)")
    tenant_table(
        "person_merge_change",
        """
        merge_id text not null,
        number integer not null,
        type text not null,
        resource_id text not null,
        path text not null,
        old text not null,
        new text not null,
        primary key (tenant, merge_id, number)""",
    )


def _plan_identifying() -> None:
    """A timer for each tenant that has patients already: they are found and compared as if they came now."""
    op.execute("alter table resource no force row level security")
    op.execute("alter table timer no force row level security")
    op.execute("""
        insert into timer (tenant, kind, key, due_at, payload)
        select distinct tenant, 'persons.identify', 'patient', now(), ''::bytea from resource where type = 'Patient'""")
    op.execute("alter table resource force row level security")
    op.execute("alter table timer force row level security")


def downgrade() -> None:
    for table in ("person_merge_change", "person_merge", "person_pair", "person_key", "person_record"):
        op.execute(f"drop table {table}")
    op.execute("alter table timer no force row level security")
    op.execute("delete from timer where kind = 'persons.identify'")
    op.execute("alter table timer force row level security")
