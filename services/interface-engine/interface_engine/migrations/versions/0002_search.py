"""What is searched: tokens, texts, days, numbers and addresses of resources, and deletions."""

from alembic import op
from chassis.migrations import tenant_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
SERVES_FROM = "0002"  # Code at 0001 reads and writes the table of identifiers, which goes.

# Collation C: compared byte by byte, as prefixes and ordered decimals need it, and leakproof below row security.
_OWNED = 'owner bigint not null, version bigint not null, name text collate "C" not null'
_TEXT = 'text collate "C" not null'
_TABLES = {
    "token": f"{_OWNED}, system {_TEXT}, code {_TEXT}",
    "string": f"{_OWNED}, folded {_TEXT}",
    "day": f"{_OWNED}, low timestamptz not null, high timestamptz not null",
    "number": f"{_OWNED}, value {_TEXT}, system {_TEXT}, code {_TEXT}",
    "uri": f"{_OWNED}, value {_TEXT}",
}
_INDEXES = {
    "token": "code, name, tenant",
    "string": "name, tenant, folded",
    "day": "name, tenant, high, low",
    "number": "name, tenant, value",
    "uri": "value, name, tenant",
}


def upgrade() -> None:
    _add_columns()
    for table, columns in _TABLES.items():
        tenant_table(table, columns)
    _copy_identifiers()
    for table, columns in _INDEXES.items():
        op.execute(f"create index {table}_value on {table} ({columns})")
        op.execute(f"create index {table}_owner on {table} (owner)")
    # A code says nothing about how common it is unless one knows of what it is the code.
    op.execute("create statistics token_codes (mcv, dependencies) on name, code from token")
    op.execute("create statistics reference_paths (mcv, dependencies) on from_type, path, to_type from reference")
    op.execute("drop table resource_identifier")
    _plan_indexing()


def _add_columns() -> None:
    """A short number for each resource, which its index rows carry, and a place in time for each version."""
    op.execute("alter table resource add number bigint generated always as identity")
    op.execute("alter table resource add deleted boolean not null default false")
    op.execute("alter table resource add indexed boolean not null default false")
    op.execute("create unique index resource_number on resource (number)")
    op.execute("create index resource_updated on resource (tenant, type, updated_at, id)")
    op.execute("create index resource_unindexed on resource (tenant, type) where not indexed")
    op.execute("alter table resource_version add position bigint generated always as identity")
    op.execute("alter table resource_version add deleted boolean not null default false")
    op.execute("create index resource_version_time on resource_version (tenant, type, received_at, position)")


def _copy_identifiers() -> None:
    """Identifiers are at once where conditions look for them; all else waits for its timer."""
    with _AllTenants("resource", "resource_identifier", "token"):
        op.execute("""
            insert into token (tenant, owner, version, name, system, code)
            select i.tenant, r.number, i.version, i.type || '.identifier', i.system, i.value
            from resource_identifier i join resource r on r.tenant = i.tenant and r.type = i.type and r.id = i.id""")


def _plan_indexing() -> None:
    """A timer for each tenant that has resources, which indexes all else of them behind the scenes."""
    with _AllTenants("resource", "timer"):
        op.execute("""
            insert into timer (tenant, kind, key, due_at, payload)
            select distinct tenant, 'search.index', 'resource', now(), ''::bytea from resource""")


class _AllTenants:
    """The owner obeys row security as everybody does; for this long it does not."""

    def __init__(self, *tables: str) -> None:
        self._tables = tables

    def __enter__(self) -> None:
        for table in self._tables:
            op.execute(f"alter table {table} no force row level security")

    def __exit__(self, *_: object) -> None:
        for table in self._tables:
            op.execute(f"alter table {table} force row level security")


def downgrade() -> None:
    tenant_table(
        "resource_identifier",
        "type text not null, id text not null, version bigint not null, system text not null, value text not null",
    )
    with _AllTenants("resource", "resource_version", "resource_identifier", "token", "timer"):
        op.execute("delete from timer where kind = 'search.index'")
        op.execute("""
            insert into resource_identifier (tenant, type, id, version, system, value)
            select t.tenant, r.type, r.id, t.version, t.system, t.code
            from token t join resource r on r.number = t.owner where t.name = r.type || '.identifier'""")
        # A deleted resource could only come back to life below: it goes, with its history.
        op.execute("""
            delete from resource_version v using resource r
            where r.deleted and v.tenant = r.tenant and v.type = r.type and v.id = r.id""")
        op.execute("delete from resource where deleted")
        op.execute("delete from resource_version where deleted")
    op.execute("create index resource_identifier_value on resource_identifier (value, type, tenant)")
    op.execute("create index resource_identifier_owner on resource_identifier (id, type, tenant)")
    op.execute("drop statistics reference_paths")
    for table in _TABLES:
        op.execute(f"drop table {table}")
    for index in ("resource_version_time", "resource_updated"):
        op.execute(f"drop index {index}")
    for column in ("number", "deleted", "indexed"):
        op.execute(f"alter table resource drop column {column}")
    for column in ("position", "deleted"):
        op.execute(f"alter table resource_version drop column {column}")
