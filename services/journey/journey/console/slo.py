"""The service levels of the line as its own ledger shows them: each a row with its target and the SQL that counts.

What only clocks inside a service can tell (271 within 20 s, CRD within 5 s) is watched by the alert rules and named
here as such. Counts are of the last 30 days, read at most every half minute for a tenant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

WINDOW = timedelta(days=30)
KEPT_FOR = timedelta(seconds=30)
MET, MISSED, UNKNOWN, ELSEWHERE = "met", "missed", "no data", "alert rules"


@dataclass(frozen=True, slots=True)
class Objective:
    """A promise: `target` in per mille of what counts. `sql` yields good and all; $1 is now, $2 the window's begin."""

    name: str
    promise: str
    target: int
    sql: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """How a promise is kept."""

    objective: Objective
    good: int
    all: int

    @property
    def state(self) -> str:
        """met, missed, no data, or alert rules where the ledger cannot tell."""
        if not self.objective.sql:
            return ELSEWHERE
        if not self.all:
            return UNKNOWN
        return MET if 1000 * self.good >= self.objective.target * self.all else MISSED

    @property
    def budget_used(self) -> float | None:
        """The share of the failures that the target allows which has been used; over 1 when the promise is broken."""
        allowed = self.all * (1000 - self.objective.target) / 1000
        return (self.all - self.good) / allowed if self.all and allowed else None


# Saturdays and Sundays do not count: what begins on Friday has until Monday, and so on.
def _business(begin: str, days: int) -> str:
    weekday = f"extract(isodow from {begin} at time zone 'UTC')::int"
    over = f"(case when {weekday} + {days} > 5 then 2 else 0 end) + (case when {weekday} = 6 then -1 else 0 end)"
    return f"({begin} + make_interval(days => {days} + {over}))"


OBJECTIVES: tuple[Objective, ...] = (
    Objective(
        "claim-out",
        "Encounter closed to claim out: 99 % within 24 h",
        990,
        """select count(*) filter (where sent is not null and sent <= finished_at + interval '24 hours') as good,
            count(*) as every
        from (select v.finished_at, (select min(c.submitted_at) from claim c where c.journey_id = v.journey_id) as sent
            from visit v where v.finished_at >= $2 and not v.cancelled) as one
        where sent is not null or finished_at < $1::timestamptz - interval '24 hours'""",
        "/journeys?stage=hold",
    ),
    Objective(
        "machine-share",
        "The machine's own share of it: 99 % under 1 s",
        990,
        """select count(*) filter (where own < 1000000) as good, count(*) as every
        from (select sum(s.elapsed_us) as own from
            (select journey_id from journey where started_at >= $2 and claim_id <> ''
                order by started_at desc, journey_id desc limit 2000) as j
            join stage s using (journey_id)
            where s.ended_at is not null and s.loop = '' and s.name in ('coding', 'charge', 'submission')
            group by s.journey_id) as one
        where $1::timestamptz is not null""",
    ),
    Objective("eligibility-answer", "271 within 20 s: 90 % (CAQH CORE)", 900),
    Objective("prior-authorization", "PAS answered within 15 s: 99 %", 990),
    Objective(
        "accepted",
        "277CA accepted within 1 business day: 99 %",
        990,
        f"""select count(*) filter (where accepted_at <= {_business("submitted_at", 1)}) as good, count(*) as every
        from claim where submitted_at >= $2
            and (accepted_at is not null or $1 > {_business("submitted_at", 1)})""",
        "/journeys?stage=clearinghouse",
    ),
    Objective(
        "posted",
        "835 received to posted: 99 % within 60 s",
        990,
        """select count(*) filter (where at - received_at <= interval '60 seconds') as good, count(*) as every
        from money where kind = 'posting' and at >= $2 and received_at is not null and $1::timestamptz is not null""",
        "/kpis/posting-lag",
    ),
    Objective(
        "matched",
        "EFT and ERA matched within 3 business days: 95 %",
        950,
        f"""select count(*) filter (where ended_at <= {_business("started_at", 3)}) as good, count(*) as every
        from stage where name = 'settlement' and started_at >= $2
            and (ended_at is not null or $1 > {_business("started_at", 3)})""",
        "/journeys?stage=settlement",
    ),
    Objective(
        "denial-touched",
        "Denial first touched within 48 h: 95 %",
        950,
        """select count(*) filter (where least(appealed_at, resolved_at) <= denied_at + interval '48 hours') as good,
            count(*) as every
        from denial where kind = 'denied' and denied_at >= $2
            and (least(appealed_at, resolved_at) is not null or denied_at < $1::timestamptz - interval '48 hours')""",
        "/denials",
    ),
    Objective(
        "filing",
        "No claim unsent in the last tenth of its filing window",
        1000,
        """select count(*) filter (where ($1::timestamptz at time zone 'UTC')::date
                <= filing_due - (filing_due - service_on) / 10) as good, count(*) as every
        from journey where stage = any(array['submission', 'hold', 'rejection']) and filing_due is not null
            and service_on is not null and $2::timestamptz is not null""",
        "/journeys?stage=hold",
    ),
)


@dataclass
class Levels:
    """Counts, kept for half a minute by tenant: every reader of the overview sees the same ones."""

    _kept: dict[str, tuple[datetime, tuple[Level, ...]]] = field(default_factory=dict)

    async def of(self, conn: asyncpg.Connection, tenant: str, now: datetime) -> tuple[Level, ...]:
        """How each promise is kept, in the order of the table."""
        kept = self._kept.get(tenant)
        if kept is None or kept[0] + KEPT_FOR < now:
            kept = now, tuple([await _level(conn, one, now) for one in OBJECTIVES])
            self._kept[tenant] = kept
        return kept[1]


async def _level(conn: asyncpg.Connection, objective: Objective, now: datetime) -> Level:
    if not objective.sql:
        return Level(objective, 0, 0)
    row = await conn.fetchrow(objective.sql, now, now - WINDOW)
    return Level(objective, row["good"], row["every"]) if row else Level(objective, 0, 0)
