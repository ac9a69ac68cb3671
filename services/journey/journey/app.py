"""The wiring of the journey service."""

from __future__ import annotations

import asyncio
from functools import partial

from chassis import Parts, Runtime, Service
from rcm.journey.v1.journey_pb2_grpc import add_JourneyServiceServicer_to_server

from journey import store
from journey.entry_events import Ears
from journey.entry_grpc import JourneyServicer
from journey.handlers import fold_journeys
from journey.settings import Settings
from journey.spans import export_journey

NAME = "journey"


async def build(runtime: Runtime) -> Parts:
    settings: Settings = runtime.settings
    database = runtime.database
    export = partial(export_journey, runtime.tracer)
    ears = Ears(set())

    async def fold() -> None:
        while True:
            folded = 0
            ears.known.update(await store.tenants_heard(database.relay))
            for tenant in sorted(ears.known):
                folded += await fold_journeys(database.transaction, tenant, settings.fold_batch, export)
            if folded < settings.fold_batch:
                await asyncio.sleep(settings.fold_every_ms / 1000)

    return Parts(
        subscriptions=ears.subscriptions(),
        linger_s=settings.linger_ms / 1000,
        grpc=((add_JourneyServiceServicer_to_server, JourneyServicer(database)),),
        grpc_names=("rcm.journey.v1.JourneyService",),
        background=(fold,),
    )


SERVICE = Service(name=NAME, settings=Settings, build=build, migrations="journey.migrations")
