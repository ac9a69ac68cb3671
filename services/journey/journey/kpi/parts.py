"""What the service wires in: the projection that the ledger calls, and the doors and background work of the KPIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from chassis import Runtime
from chassis.service import AddToServer, Background
from rcm.journey.v1.kpi_pb2_grpc import add_KpiServiceServicer_to_server

from journey.kpi import store
from journey.kpi.costs import load_costs
from journey.kpi.entry_grpc import KpiServicer
from journey.kpi.jobs import Jobs
from journey.model import Fact, Journey

SERVICE = "journey"


@dataclass(frozen=True, slots=True)
class KpiProjection:
    """What the ledger calls: with each fact as it is recorded, with whole journeys as they are added up."""

    hears: frozenset[str] = store.HEARS

    async def record(self, conn: asyncpg.Connection, fact: Fact) -> None:
        """Idempotent, and the same for every order of facts."""
        await store.record(conn, fact)

    async def project(self, conn: asyncpg.Connection, journeys: Sequence[tuple[Journey, Sequence[Fact]]]) -> None:
        """Replaces the rows of these journeys."""
        await store.project(conn, journeys)

    async def clear(self, conn: asyncpg.Connection, limit: int) -> bool:
        """Removes up to so many rows of what facts fill, before a rebuild; False when nothing is left."""
        return await store.clear(conn, limit)


def projection() -> KpiProjection:
    """The one for the wiring."""
    return KpiProjection()


@dataclass(frozen=True, slots=True)
class KpiParts:
    """Doors and background work, for the service's own Parts."""

    grpc: tuple[tuple[AddToServer, Any], ...]
    grpc_names: tuple[str, ...]
    background: tuple[Background, ...]
    alone: Mapping[str, Background]


def parts(runtime: Runtime) -> KpiParts:
    """Jobs and servicer of this service. SettingsError when the site's costs cannot be read."""
    settings = runtime.settings
    jobs = Jobs(
        runtime.database,
        runtime.clock,
        load_costs(settings.site_folder(SERVICE)),
        settings.kpi_every_s,
        settings.kpi_check_every_s,
    )
    jobs.measure(runtime.meter)
    return KpiParts(
        grpc=((add_KpiServiceServicer_to_server, KpiServicer(jobs)),),
        grpc_names=("rcm.journey.v1.KpiService",),
        background=(jobs.keep_fresh,),
        alone={"checking": jobs.keep_checking},
    )
