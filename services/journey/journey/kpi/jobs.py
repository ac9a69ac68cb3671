"""The work behind the KPIs: the snapshot kept fresh, the second computation compared, and what the gauges show."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bus import Database
from kernel.clock import Clock
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from journey.kpi.apart import Question, check_apart
from journey.kpi.check import last_checked, save_check
from journey.kpi.costs import cost_at
from journey.kpi.model import DIFFERS, MOVING, OK, TIME, Basis, CheckResult, Cost, KpiValue, WorkCount
from journey.kpi.read import overview, work_counts
from journey.kpi.refresh import refresh
from journey.store import tenants_heard

# The snapshot never takes more than a tenth of the time, whatever its interval is set to.
REST = 10
LOOK_AROUND_S = 20.0
CHECK_TRIES, CHECK_PAUSE_S = 5, 2.0


@dataclass(slots=True)
class Jobs:
    """`costs`: what the site has told of its cost, by month. `work`, `values` and `differing` feed the gauges."""

    database: Database
    clock: Clock
    costs: Sequence[Cost] = ()
    every_s: float = 30.0
    check_every_s: float = 900.0
    work: dict[str, tuple[WorkCount, ...]] = field(default_factory=dict)
    values: dict[str, tuple[KpiValue, ...]] = field(default_factory=dict)
    differing: dict[str, dict[str, int]] = field(default_factory=dict)

    def basis(self) -> Basis:
        """As of now."""
        now = self.clock.now()
        return Basis(now, cost_at(self.costs, now))

    async def keep_fresh(self) -> None:
        """Refreshes the snapshots of all tenants for as long as the service runs."""
        while True:
            took_ms = 0
            for tenant in await tenants_heard(self.database.relay):
                took_ms += await self.refresh(tenant)
            await asyncio.sleep(max(self.every_s, REST * took_ms / 1000))

    async def refresh(self, tenant: str) -> int:
        """One tenant's snapshot; how many milliseconds it took."""
        basis = self.basis()
        took_ms = await refresh(self.database.transaction, tenant, basis)
        async with self.database.transaction(tenant) as conn:
            self.work[tenant] = await work_counts(conn, basis.as_of.date())
            self.values[tenant] = await overview(conn)
        return took_ms

    async def keep_checking(self) -> None:
        """Compares both computations for all tenants, at a slow interval that outlives a restart."""
        try:
            while True:
                await asyncio.sleep(min(LOOK_AROUND_S, self.check_every_s))
                for tenant in await tenants_heard(self.database.relay):
                    if await self.is_due(tenant):
                        await self.check(tenant)
        finally:
            self.differing.clear()  # another replica compares from now on: what we found is no longer news

    async def is_due(self, tenant: str) -> bool:
        """Whether the last comparison, by whichever replica, is an interval ago."""
        async with self.database.transaction(tenant) as conn:
            last = await last_checked(conn)
        return last is None or self.clock.now() - last >= timedelta(seconds=self.check_every_s)

    async def check(self, tenant: str) -> CheckResult:
        """Compares once, and again after a pause when facts were under way; the last result is kept for the pages."""
        for _ in range(CHECK_TRIES):
            result = await check_apart(Question(self.database.url, tenant, self.basis()))
            if result.state != MOVING:
                break
            await asyncio.sleep(CHECK_PAUSE_S)
        async with self.database.transaction(tenant) as conn:
            await save_check(conn, result, self.clock.now())
        self.differing[tenant] = {one.name: len(one.rows) for one in result.compared if one.agreement == DIFFERS}
        return result

    def measure(self, meter: Meter) -> None:
        """Registers the gauges; they show what was last computed."""
        meter.create_observable_gauge("rcm.work.open", [self._open])
        meter.create_observable_gauge("rcm.work.cents", [self._cents])
        meter.create_observable_gauge("rcm.work.oldest_age", [self._oldest], "s")
        meter.create_observable_gauge("rcm.kpi.value", [self._values])
        meter.create_observable_gauge("rcm.kpi.disagreements", [self._disagreements])

    def _queues(self) -> dict[tuple[str, str], list[WorkCount]]:
        queues: dict[tuple[str, str], list[WorkCount]] = {}
        for count in (count for counts in self.work.values() for count in counts):
            queues.setdefault((count.kind, count.owner), []).append(count)
        return queues

    def _open(self, _: CallbackOptions) -> Iterable[Observation]:
        return [_work(queue, sum(one.count for one in counts)) for queue, counts in self._queues().items()]

    def _cents(self, _: CallbackOptions) -> Iterable[Observation]:
        return [_work(queue, sum(one.cents for one in counts)) for queue, counts in self._queues().items()]

    def _oldest(self, _: CallbackOptions) -> Iterable[Observation]:
        now = self.clock.now()
        for queue, counts in self._queues().items():
            opened = min((one.oldest_at for one in counts if one.oldest_at), default=now)
            yield _work(queue, max(0.0, (now - opened).total_seconds()))

    def _values(self, _: CallbackOptions) -> Iterable[Observation]:
        """Shares as they are, days, and the mean of times in seconds; of one tenant only, as shares do not add up."""
        values = next(iter(self.values.values()), ()) if len(self.values) == 1 else ()
        for value in values:
            if value.state == OK and value.denominator:
                scale = 1_000_000 if value.unit == TIME else 1
                yield Observation(value.numerator / value.denominator / scale, {"rcm.kpi": value.name})

    def _disagreements(self, _: CallbackOptions) -> Iterable[Observation]:
        names = {name for found in self.differing.values() for name in found}
        total = sum(sum(found.values()) for found in self.differing.values())
        yield Observation(total, {"rcm.kpi": "all"})
        for name in sorted(names):
            yield Observation(sum(found.get(name, 0) for found in self.differing.values()), {"rcm.kpi": name})


def _work(queue: tuple[str, str], value: float) -> Observation:
    return Observation(value, {"rcm.work.kind": queue[0], "rcm.work.owner": queue[1]})
