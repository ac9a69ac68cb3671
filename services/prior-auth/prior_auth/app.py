"""The wiring of the prior-auth service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bus import Unit
from bus.once import Once
from chassis import Parts, Runtime, Service
from rcm.priorauth.v1.priorauth_pb2_grpc import add_PriorAuthServiceServicer_to_server

from prior_auth.clients import ClearinghousePayer
from prior_auth.entry_events import EventEntry
from prior_auth.entry_fhir import FhirEntry
from prior_auth.entry_grpc import PriorAuthServicer
from prior_auth.rules import load_requirements
from prior_auth.settings import Settings
from prior_auth.store import UnitOfWork
from prior_auth.wire.facts import write_fact

NAME = "prior-auth"
LEASE_MARGIN_S = 10.0


def open_work(unit: Unit) -> UnitOfWork:
    return UnitOfWork(unit, write_fact)


async def build(runtime: Runtime) -> Parts:
    settings: Settings = runtime.settings

    @asynccontextmanager
    async def work_for(tenant: str) -> AsyncIterator[UnitOfWork]:
        async with runtime.database.unit(tenant) as unit:
            yield open_work(unit)

    requirements = load_requirements(settings.site_folder(NAME))
    payer = ClearinghousePayer(
        settings.open_clearinghouse(runtime.http), settings.trading(), runtime.clock, settings.ask_timeout_s
    )
    fhir = FhirEntry(
        runtime.database,
        Once(runtime.database, settings.submit_wait_s + LEASE_MARGIN_S),
        replace(payer, timeout_s=min(settings.ask_timeout_s, settings.submit_wait_s)),
        requirements,
        settings.policy(),
        settings.window_days,
        settings.submit_repeat_s,
        open_work,
    )

    def open_answering(unit: Unit) -> UnitOfWork:
        return UnitOfWork(unit, write_fact, fhir.answer_for)

    entry = EventEntry(payer, requirements, settings.policy(), settings.window_days, open_answering, work_for)
    servicer = PriorAuthServicer(requirements, work_for, fhir)
    return Parts(
        subscriptions=entry.subscriptions(),
        timers=entry.timers(),
        grpc=((add_PriorAuthServiceServicer_to_server, servicer),),
        grpc_names=("rcm.priorauth.v1.PriorAuthService",),
    )


SERVICE = Service(name=NAME, settings=Settings, build=build, migrations="prior_auth.migrations")
