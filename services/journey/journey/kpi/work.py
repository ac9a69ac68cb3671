"""The work queue: what a person must decide, ordered by what deciding it next is worth.

priority = dollars × closeness × chance. Closeness: 100 when due or overdue, one less for each day left, 1 at the least
and where there is no deadline. Chance: how often work of this kind came to something here before, a half where nothing
is known: for denials by their category the share that was overturned, for all else the share that was resolved.
"""

from __future__ import annotations

from datetime import date

import asyncpg
from kernel.errors import Refused

from journey.kpi.model import Page, WorkCount, WorkFilter, WorkItem
from journey.kpi.paging import limit_of, read_token, token_of

_COLUMNS = """work_id, kind, reason, owner, dollars_cents, due_on, due_on - $1::date as days_left, encounter,
    journey_id, claim_id, payer_id, opened_at, closed_at, outcome, priority, closeness, chance"""
_STATES = {"open": "is_open", "closed": "not is_open", "all": "true"}
_LAST = 2**62
_RANK = """
with denials as (
    select category, ((count(*) filter (where overturned_cents > 0) + 1) * 100 / (count(*) + 2))::int as chance
    from denial where kind = 'denied' and resolved_at is not null group by category),
kinds as (
    select kind, ((count(*) filter (where outcome = 'resolved') + 1) * 100 / (count(*) + 2))::int as chance
    from work_item where not is_open group by kind),
about as (
    select distinct on (work_id) work_id, category, payer_id, claim_id from denial where work_id <> ''
    order by work_id, denial_id),
ranked as (
    select item.work_id, coalesce(about.payer_id, journey.payer_id, '') as payer_id,
        coalesce(about.claim_id, journey.claim_id, '') as claim_id,
        greatest(1, least(100, coalesce(100 - (item.due_on - $1::date), 1))) as closeness,
        greatest(1, least(100, case when item.kind = 'denial' then coalesce(denials.chance, 50)
            else coalesce(kinds.chance, 50) end)) as chance
    from work_item item left join about using (work_id) left join journey using (journey_id)
        left join denials using (category) left join kinds on kinds.kind = item.kind
    where item.is_open or item.payer_id = ''),
changed as (
    select ranked.*, dollars_cents * ranked.closeness * ranked.chance as priority
    from ranked join work_item item using (work_id)
    where (item.payer_id, item.claim_id, item.closeness, item.chance, item.priority) is distinct from (
        ranked.payer_id, ranked.claim_id, ranked.closeness, ranked.chance,
        dollars_cents * ranked.closeness * ranked.chance)),
free as (select work_id from work_item where work_id in (select work_id from changed) for update skip locked)
update work_item set payer_id = changed.payer_id, claim_id = changed.claim_id, closeness = changed.closeness,
    chance = changed.chance, priority = changed.priority
from changed join free using (work_id) where work_item.work_id = changed.work_id
"""


async def rank_work(conn: asyncpg.Connection, today: date) -> None:
    """Puts payer, claim and priority of open work in order again. Rows that stay the same are not written, and rows
    that are being recorded are left for the next time: nobody waits for this, and this waits for nobody."""
    await conn.execute(_RANK, today)


async def work_items(
    conn: asyncpg.Connection, wanted: WorkFilter, today: date, after: str = "", limit: int = 50
) -> Page[WorkItem]:
    """Work that matches, the most valuable first."""
    if wanted.state not in _STATES:
        raise Refused("work-state-unknown", f"a state is one of {', '.join(_STATES)}")
    priority, work_id = read_token(after, 2) if after else (str(_LAST), "")
    number = limit_of(limit)
    found = await conn.fetch(
        f"""select {_COLUMNS} from work_item
        where {_STATES[wanted.state]} and (priority < $2 or (priority = $2 and work_id > $3))
            and ($5 = '' or kind = $5) and ($6 = '' or owner = $6) and ($7 = '' or payer_id = $7)
            and (not $8 or due_on < $1) order by priority desc, work_id limit $4""",
        today,
        int(priority),
        work_id,
        number + 1,
        wanted.kind,
        wanted.owner,
        wanted.payer,
        wanted.overdue,
    )
    rows = tuple(WorkItem(**row) for row in found[:number])
    return Page(rows, token_of(rows[-1].priority, rows[-1].work_id) if len(found) > number else "")


async def work_item(conn: asyncpg.Connection, work_id: str, today: date) -> WorkItem:
    """One item. Refused(work-unknown, not_found) when there is none."""
    row = await conn.fetchrow(f"select {_COLUMNS} from work_item where work_id = $2", today, work_id)
    if row is None:
        raise Refused("work-unknown", "no work item has this id", kind="not_found")
    return WorkItem(**row)


async def work_counts(conn: asyncpg.Connection, today: date) -> tuple[WorkCount, ...]:
    """Open work by kind and owner, most dollars first."""
    rows = await conn.fetch(
        """select kind, owner, count(*) as count, sum(dollars_cents)::bigint as cents,
            count(*) filter (where due_on < $1) as overdue, min(opened_at) as oldest_at
        from work_item where is_open group by kind, owner order by cents desc, kind, owner""",
        today,
    )
    return tuple(WorkCount(**row) for row in rows)
