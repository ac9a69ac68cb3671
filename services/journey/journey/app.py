"""The wiring of the journey service."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from chassis import Parts, Runtime, Service
from rcm.journey.v1.journey_pb2_grpc import add_JourneyServiceServicer_to_server

from journey import kpi, store
from journey.console import console_app
from journey.entry_events import Ears
from journey.entry_grpc import JourneyServicer
from journey.handlers import Projection, export_quiet, fold_journeys
from journey.measures import Measures
from journey.settings import Settings
from journey.spans import readable

NAME = "journey"


@dataclass(frozen=True, slots=True)
class Adding:
    """The work behind the doors: adding up, exporting, counting what is unfinished. `known` are the tenants heard."""

    runtime: Runtime
    projection: Projection
    measures: Measures
    known: set[str]

    async def fold(self) -> None:
        """Adds up what was heard and exports what is quiet, for as long as the service runs."""
        settings: Settings = self.runtime.settings
        while True:
            self.known.update(await store.tenants_heard(self.runtime.database.relay))
            done = 0
            for tenant in sorted(self.known):
                done += await self._fold(tenant, settings) + await self._export(tenant, settings)
            if done < settings.fold_batch:
                await asyncio.sleep(settings.fold_every_ms / 1000)

    async def _fold(self, tenant: str, settings: Settings) -> int:
        now, transaction = self.runtime.clock.now(), self.runtime.database.transaction
        return await fold_journeys(transaction, tenant, settings.fold_batch, self.projection, now)

    async def _export(self, tenant: str, settings: Settings) -> int:
        quiet_since = self.runtime.clock.now() - timedelta(milliseconds=settings.settle_ms)
        exported = await export_quiet(self.runtime.database.transaction, tenant, quiet_since, settings.fold_batch)
        for one in exported:
            self.runtime.send_spans(readable(span) for span in one.spans)
        self.measures.ended(exported)
        return len(exported)

    async def count_unfinished(self) -> None:
        """Keeps what the gauges show."""
        settings: Settings = self.runtime.settings
        while True:
            await self._count()
            await asyncio.sleep(settings.gauges_every_s)

    async def _count(self) -> None:
        today = self.runtime.clock.now().date()
        found: list[store.Unfinished] = []
        at_risk: Counter[str] = Counter()
        unbegun = 0
        for tenant in sorted(self.known):
            async with self.runtime.database.transaction(tenant) as conn:
                found += await store.unfinished(conn)
                at_risk.update(await store.claims_at_risk(conn, today))
                unbegun += await store.unbegun_count(conn)
        self.measures.show(found, at_risk, unbegun)


async def build(runtime: Runtime) -> Parts:
    settings: Settings = runtime.settings
    projection, figures = kpi.projection(), kpi.parts(runtime)
    measures = Measures(runtime.meter, runtime.clock)
    adding = Adding(runtime, projection, measures, set())
    ears = Ears(adding.known, projection, measures.heard)
    servicer = JourneyServicer(runtime.database, projection, runtime.clock)
    return Parts(
        subscriptions=ears.subscriptions(),
        linger_s=settings.linger_ms / 1000,
        grpc=((add_JourneyServiceServicer_to_server, servicer), *figures.grpc),
        grpc_names=("rcm.journey.v1.JourneyService", *figures.grpc_names),
        http=console_app(runtime) if settings.console_login != "off" else None,
        background=(adding.fold, adding.count_unfinished, *figures.background),
        alone=figures.alone,
    )


SERVICE = Service(name=NAME, settings=Settings, build=build, migrations="journey.migrations")
