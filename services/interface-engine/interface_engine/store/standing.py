"""What works in the background for a tenant: who has some, and what runs meanwhile and has to be waited for."""

from __future__ import annotations

from collections.abc import Mapping

from bus import Database, Unit

NOTICES, EXPORTS = "notices", "exports"
_CHANGED = """
insert into standing (kind) values ($1) on conflict (tenant, kind) do update set revision = standing.revision + 1
"""
# Every open transaction of the server holds a lock on its own virtual id, from its beginning to its end.
_OPEN = """
select coalesce(array_agg(virtualxid), '{}') from pg_locks
where locktype = 'virtualxid' and mode = 'ExclusiveLock' and granted and pid <> pg_backend_pid()
"""


async def standing_changed(unit: Unit, kind: str) -> None:
    """This tenant has such work, and it is not what it was."""
    await unit.conn.execute(_CHANGED, kind)


async def standing_tenants(database: Database, kind: str) -> Mapping[str, int]:
    """Revisions by tenant, of all tenants that ever had such work."""
    rows = await database.relay.fetch("select tenant, revision from standing where kind = $1", kind)
    return {row["tenant"]: row["revision"] for row in rows}


async def open_transactions(unit: Unit) -> tuple[str, ...]:
    """All transactions that are open now, but this one. When none of them is left, what they wrote is there."""
    return tuple(await unit.conn.fetchval(_OPEN))
