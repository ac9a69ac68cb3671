"""The wiring of the eligibility service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bus import Unit
from bus.once import Once
from chassis import Parts, Runtime, Service
from kernel.identifiers import uuid7
from rcm.eligibility.v1.eligibility_pb2_grpc import add_EligibilityServiceServicer_to_server

from eligibility.clients import ClearinghousePayer
from eligibility.entry_events import EventEntry
from eligibility.entry_fhir import FhirEntry
from eligibility.entry_grpc import EligibilityServicer
from eligibility.handlers import CoverageDesk, Rulebook
from eligibility.rules import load_tables
from eligibility.settings import Settings
from eligibility.store import UnitOfWork
from eligibility.wire.facts import write_fact

NAME = "eligibility"
LEASE_MARGIN_S = 10.0


def open_work(unit: Unit) -> UnitOfWork:
    return UnitOfWork(unit, write_fact)


async def build(runtime: Runtime) -> Parts:
    settings: Settings = runtime.settings

    @asynccontextmanager
    async def work_for(tenant: str) -> AsyncIterator[UnitOfWork]:
        async with runtime.database.unit(tenant) as unit:
            yield open_work(unit)

    rulebook = Rulebook(load_tables(settings.site_folder(NAME)), settings.policy())
    payer = ClearinghousePayer(
        settings.open_clearinghouse(runtime.http), settings.trading(), runtime.clock, settings.ask_timeout_s
    )
    entry = EventEntry(payer, rulebook, open_work, uuid7)
    desk = CoverageDesk(payer, work_for, rulebook, uuid7)
    once = Once(runtime.database, settings.ask_timeout_s + LEASE_MARGIN_S)
    fhir = FhirEntry(runtime.database, once, payer, rulebook, open_work, uuid7, runtime.clock, settings.submit_repeat_s)
    return Parts(
        subscriptions=entry.subscriptions(),
        timers=entry.timers(),
        grpc=((add_EligibilityServiceServicer_to_server, EligibilityServicer(desk, fhir)),),
        grpc_names=("rcm.eligibility.v1.EligibilityService",),
    )


SERVICE = Service(name=NAME, settings=Settings, build=build, migrations="eligibility.migrations")
