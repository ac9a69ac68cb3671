"""Which spans of the journeys' own traces have been sent: each once, when its stage is over and nothing moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from journey.model import Journey
from journey.store.journeys import load_journeys


@dataclass(frozen=True, slots=True)
class Due:
    """A journey that is quiet, with the marks of the spans that were sent: of its stages by position, of its roots."""

    journey: Journey
    stages_sent: Mapping[int, str]
    roots_sent: frozenset[str]


async def due_for_export(conn: asyncpg.Connection, heard_before: datetime, limit: int) -> list[Due]:
    """Journeys that changed and have been told nothing since an instant, taken off the list in this transaction."""
    picked = await conn.fetch(
        "select journey_id from journey where export_due and heard_at <= $1 order by heard_at limit $2",
        heard_before,
        limit,
    )
    if not picked:
        return []
    rows = await conn.fetch(
        """update journey set export_due = false where export_due and journey_id = any($1::text[])
        returning journey_id, roots_sent""",
        [row["journey_id"] for row in picked],
    )
    roots = {row["journey_id"]: frozenset(row["roots_sent"]) for row in rows}
    sent: dict[str, dict[int, str]] = defaultdict(dict)
    for row in await conn.fetch(
        "select journey_id, position, span_sent from stage where span_sent <> '' and journey_id = any($1::text[])",
        list(roots),
    ):
        sent[row["journey_id"]][row["position"]] = row["span_sent"]
    found = await load_journeys(conn, sorted(roots))
    return [Due(one, sent[one.journey_id], roots[one.journey_id]) for one in found]


async def mark_exported(
    conn: asyncpg.Connection, stages: Sequence[tuple[str, int, str]], roots: Mapping[str, Sequence[str]]
) -> None:
    """Remembers marks: of stages as (journey id, position, mark), of roots by journey."""
    await conn.executemany("update stage set span_sent = $3 where journey_id = $1 and position = $2", list(stages))
    rows = [(journey_id, list(marks)) for journey_id, marks in roots.items()]
    await conn.executemany("update journey set roots_sent = roots_sent || $2::text[] where journey_id = $1", rows)
