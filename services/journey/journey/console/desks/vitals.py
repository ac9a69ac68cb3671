"""How the services are: what each says of its health over gRPC, and what its metrics show to pile up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from journey.console.desks.clients import CHARGES, CLAIMS, CODING, ENGINE, REMITTANCE, Owners

METRICS_S = 1.5
_MOST_BYTES = 4_000_000
_HEADERS = {"Accept": "text/plain; version=0.0.4"}
# What is read of a page. The rest, mostly buckets, would take longer to parse than everything else takes together.
_READ = (
    *("rcm_bus_consumer_lag", "rcm_bus_redeliveries_total", "rcm_bus_dead_letters_total"),
    *("rcm_bus_outbox_pending", "rcm_bus_outbox_age_seconds", "rcm_timer_overdue"),
    *("rcm_db_pool_size", "rcm_db_pool_used", "process_memory_usage_bytes", "target_info"),
)

# Every service of the line, in the order in which data meets them, and what stands still while it is away.
SERVICES: Mapping[str, str] = {
    ENGINE: "takes in what the EHRs send, and holds the FHIR repository",
    "eligibility": "asks payers about coverage",
    "prior-auth": "asks payers for authorizations",
    CODING: "codes visits",
    CHARGES: "charges and prices visits",
    CLAIMS: "builds, scrubs and sends claims",
    REMITTANCE: "posts payments and keeps the books",
    "journey": "keeps the ledger of time, and serves this console",
}


@dataclass(frozen=True, slots=True)
class Flow:
    """What a service's bus says; None where its metrics are not known. `oldest_s` is the age of the oldest fact that
    waits to be published, `lag` the facts that wait to be heard, `dead_letters` those given up since it started."""

    lag: int | None = None
    redelivered: int | None = None
    dead_letters: int | None = None
    outbox: int | None = None
    oldest_s: float | None = None
    overdue_timers: int | None = None
    connections: int | None = None
    connections_used: int | None = None
    memory_bytes: int | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Vitals:
    """One service. `health` is serving, not-serving, away or not-configured; `metrics` is read, away or
    not-configured."""

    service: str
    does: str
    health: str
    metrics: str
    flow: Flow

    @property
    def well(self) -> bool:
        """It serves, and nothing was given up."""
        return self.health == "serving" and not self.flow.dead_letters


async def vitals_of(owners: Owners, http: httpx.AsyncClient, metrics_urls: Mapping[str, str]) -> list[Vitals]:
    """All services at once, each within its own short deadline: one that hangs holds up nothing but its own row."""
    return list(
        await asyncio.gather(
            *(_vitals(owners, http, name, does, metrics_urls.get(name, "")) for name, does in SERVICES.items())
        )
    )


async def _vitals(owners: Owners, http: httpx.AsyncClient, name: str, does: str, url: str) -> Vitals:
    health, (metrics, flow) = await asyncio.gather(_health(owners, name), _flow(http, url))
    return Vitals(name, does, health, metrics, flow)


async def _health(owners: Owners, name: str) -> str:
    """This page is the journey service's own answer."""
    return "serving" if name == "journey" else await owners.healthy(name)


async def _flow(http: httpx.AsyncClient, url: str) -> tuple[str, Flow]:
    if not url:
        return "not-configured", Flow()
    try:
        answer = await http.get(url, headers=_HEADERS, timeout=METRICS_S)
    except (httpx.HTTPError, httpx.InvalidURL):
        return "away", Flow()
    if answer.status_code != 200 or len(answer.content) > _MOST_BYTES:
        return "away", Flow()
    try:
        return "read", flow_of(answer.text)
    except ValueError:
        return "away", Flow()


def flow_of(text: str) -> Flow:
    """Read from a page in Prometheus' text format. ValueError when it is none. What is not on it stays unknown."""
    samples: dict[str, list[Sample]] = {}
    lines = "".join(line for line in text.splitlines(keepends=True) if line.startswith(_READ))
    if text and not text.startswith("# "):
        raise ValueError("no page of metrics")
    for family in text_string_to_metric_families(lines):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(sample)
    return Flow(
        lag=_sum(samples.get("rcm_bus_consumer_lag")),
        redelivered=_sum(samples.get("rcm_bus_redeliveries_total")),
        dead_letters=_sum(samples.get("rcm_bus_dead_letters_total")),
        outbox=_sum(samples.get("rcm_bus_outbox_pending")),
        oldest_s=max((one.value for one in samples.get("rcm_bus_outbox_age_seconds", ())), default=None),
        overdue_timers=_sum(samples.get("rcm_timer_overdue")),
        connections=_sum(samples.get("rcm_db_pool_size")),
        connections_used=_sum(samples.get("rcm_db_pool_used")),
        memory_bytes=_sum(samples.get("process_memory_usage_bytes")),
        version=next((one.labels.get("service_version", "") for one in samples.get("target_info", ())), ""),
    )


def _sum(samples: Iterable[Sample] | None) -> int | None:
    return None if samples is None else int(sum(sample.value for sample in samples))
