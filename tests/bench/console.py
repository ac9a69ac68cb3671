"""How fast the console answers with a year of journeys in the database: every page, and the look-up of one journey.

A seeded loader writes the year's facts by COPY; the ledger's own rebuild adds them up, as it would after a disaster.
Then every page is asked over HTTP, one request after the other, with several filters, by a person who has signed in.
Marks: any page within 200 ms and a look-up by id within 50 ms, both at the 95th percentile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import asyncpg
import grpc
import httpx
from cli.stack import Stack
from console_facts import FACT_COLUMNS, FEEDS, PAYERS, FactRow, make_facts
from line import describe_machine
from rcm.journey.v1 import journey_pb2, journey_pb2_grpc

TENANT = "demo"
COPY_ROWS = 20_000
PAGE_MARK_MS, LOOKUP_MARK_MS = 200.0, 50.0
WARM_UP = 3
Ask = Callable[[str], Awaitable[int]]


@dataclass
class Timed:
    """What one page was asked and how long each answer took."""

    name: str
    mark_ms: float
    took_ms: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    slowest: str = ""

    def percentile(self, share: float) -> float:
        ordered = sorted(self.took_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")

    @property
    def passed(self) -> bool:
        return not self.failed and self.percentile(0.95) <= self.mark_ms


# Filling the ledger


async def load(owner_url: str, seed: int, journeys: int) -> int:
    """Writes the facts of a year that ends now; how many."""
    connection = await asyncpg.connect(owner_url)
    waiting: list[FactRow] = []
    total = 0
    try:
        await connection.execute("insert into journey.tenant_heard values ($1) on conflict do nothing", TENANT)
        for rows in make_facts(seed, journeys, datetime.now(UTC), TENANT):
            waiting += rows
            if len(waiting) >= COPY_ROWS:
                total += await _copy(connection, waiting)
                waiting.clear()
        total += await _copy(connection, waiting)
        await connection.execute("vacuum (analyze) journey.fact")
    finally:
        await connection.close()
    return total


async def _copy(connection: asyncpg.Connection, rows: Sequence[FactRow]) -> int:
    await connection.copy_records_to_table("fact", schema_name="journey", columns=FACT_COLUMNS, records=rows)
    return len(rows)


async def rebuild(address: str) -> journey_pb2.RebuildProgress:
    """Lets the ledger add everything up again by its own code, to its end."""
    progress = journey_pb2.RebuildProgress()
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = journey_pb2_grpc.JourneyServiceStub(channel)  # type: ignore[no-untyped-call]
        call = stub.RebuildLedger(journey_pb2.RebuildLedgerRequest(), metadata=(("rcm-tenant", TENANT),), timeout=7200)
        async for progress in call:
            print(f"  added up {progress.journeys}/{progress.journeys_expected}", end="\r", flush=True)
    print()
    return progress


# What is asked


@dataclass(frozen=True, slots=True)
class Known:
    """Things that are in the ledger, to be asked for."""

    journeys: list[str]
    encounters: list[str]
    claims: list[str]
    work: list[str]
    kpis: list[str]


async def look_around(owner_url: str, seed: int) -> Known:
    """Some of each kind, chosen by the seed."""
    connection = await asyncpg.connect(owner_url)
    try:
        rows = await connection.fetch(
            "select journey_id, encounter, claim_id from journey.journey where claim_id <> ''"
        )
        work = await connection.fetch("select work_id from journey.work_item where closed_at is null limit 5000")
        kpis = await connection.fetch("select distinct name from journey.kpi_value order by 1")
        await connection.execute("analyze")
    finally:
        await connection.close()
    some = Random(seed).sample(rows, min(200, len(rows)))
    journeys, encounters, claims = ([row[name] for row in some] for name in ("journey_id", "encounter", "claim_id"))
    works = Random(seed).sample([row["work_id"] for row in work], min(60, len(work)))
    return Known(journeys, encounters, claims, works, [row["name"] for row in kpis])


def _with(path: str, **given: str) -> str:
    return f"{path}?{urlencode(given)}"


def _lists(now: datetime) -> Iterable[str]:
    """The list of journeys under every filter, alone and together."""
    yield "/journeys"
    for name, values in (
        ("state", ("in-flight", "waiting", "ended")),
        ("outcome", ("paid", "denied", "rejected", "held", "review", "written-off")),
        ("stage", ("documentation", "payer", "hold", "denial", "settlement", "patient", "settled", "coder-review")),
        ("payer", tuple(row[0] for row in PAYERS)),
        ("payer_class", ("medicare", "commercial", "medicaid", "tricare", "other")),
        ("feed", FEEDS),
    ):
        yield from (_with("/journeys", **{name: value}) for value in values)
    day = (now - timedelta(days=200)).date()
    yield _with("/journeys", since=f"{day}", until=f"{day + timedelta(days=7)}")
    yield _with("/journeys", state="ended", outcome="denied", payer="PAYG", feed="lab-orders")
    yield _with("/journeys", state="waiting", payer_class="tricare", until=f"{day}")
    yield _with("/journeys", text="nothing-is-called-so")


def pages(known: Known, now: datetime) -> dict[str, list[str]]:
    """Every page of the console and the addresses under which it is asked."""
    kinds, owners = (
        ("coder-review", "missing-charge", "claim-hold", "rejection", "denial"),
        ("coder", "biller", "payment"),
    )
    by, parts = ("payer", "carc", "category", "feed", "provider"), ("all", "numerator", "denominator")
    works = [_with("/work", kind=kind) for kind in kinds] + [_with("/work", owner=owner) for owner in owners]
    return {
        "overview": ["/"],
        "journeys": list(_lists(now)),
        "journey": [f"/journeys/{one}" for one in known.journeys],
        "work": ["/work", *works, _with("/work", overdue="on"), _with("/work", state="all")],
        "work item": [f"/work/{one}" for one in known.work],
        "denials": ["/denials", *(_with("/denials", by=one) for one in by)],
        "payers": ["/payers"],
        "providers": ["/providers"],
        "kpi": [_with(f"/kpis/{name}", part=part) for name in known.kpis for part in parts],
        "claims": ["/claims", _with("/claims", state="submitted"), _with("/claims", payer_id="PAYA")],
        "remittances": ["/remittances", _with("/remittances", state="quarantined")],
        "channels": ["/channels"],
        "messages": ["/messages", _with("/messages", state="failed")],
        "health": ["/health"],
    }


def lookups(known: Known) -> dict[str, list[str]]:
    """One journey by everything that names it. A search that finds one leads to its page."""
    return {
        "journey by id": [f"/journeys/{one}" for one in known.journeys],
        "search by journey id": [_with("/journeys", text=one) for one in known.journeys],
        "search by encounter": [_with("/journeys", text=one) for one in known.encounters],
        "search by claim": [_with("/journeys", text=one) for one in known.claims],
    }


# Asking


async def measure(name: str, paths: Sequence[str], requests: int, mark_ms: float, ask: Ask) -> Timed:
    """Asks one after the other; the first few are not counted."""
    timed = Timed(name, mark_ms)
    for number, path in enumerate(islice(cycle(paths), requests + WARM_UP) if paths else ()):
        began = time.perf_counter()
        status = await ask(path)
        took = (time.perf_counter() - began) * 1000
        if status not in (200, 303):
            timed.failed.append(f"{status} {path}")
        elif number >= WARM_UP:
            timed.slowest = path if took >= max(timed.took_ms, default=0.0) else timed.slowest
            timed.took_ms.append(took)
    return timed


async def sign_in(client: httpx.AsyncClient) -> None:
    """As a person would with the local login: the form, its token, and back with a session."""
    form = await client.get("/login")
    token = form.text.partition('name="csrf"')[2].partition('value="')[2].partition('"')[0]
    sent = {"name": "bench", "role": "biller", "csrf": token}
    answer = await client.post("/login", data=sent)
    if answer.status_code != 303:
        raise SystemExit(f"signing in answers {answer.status_code}")


async def ask_all(stack: Stack, known: Known, requests: int) -> list[Timed]:
    """Every page over HTTP, then look-ups over HTTP and gRPC."""
    ready = json.loads((stack.run_dir / "journey.json").read_text())
    found = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ready['http']}", timeout=60) as client:
        await sign_in(client)

        async def get(path: str) -> int:
            return (await client.get(path)).status_code

        for name, paths in pages(known, datetime.now(UTC)).items():
            found.append(await measure(name, paths, max(requests, len(paths)), PAGE_MARK_MS, get))
            report(found[-1])
        for name, paths in lookups(known).items():
            found.append(await measure(name, paths, requests, LOOKUP_MARK_MS, get))
            report(found[-1])
    async with grpc.aio.insecure_channel(f"127.0.0.1:{ready['grpc']}") as channel:
        stub: Any = journey_pb2_grpc.JourneyServiceStub(channel)  # type: ignore[no-untyped-call]
        found.append(await measure("gRPC GetJourney", known.journeys, requests, LOOKUP_MARK_MS, _grpc_get(stub)))
        report(found[-1])
    return found


def _grpc_get(stub: Any) -> Ask:
    async def get(journey_id: str) -> int:
        request = journey_pb2.GetJourneyRequest(journey_id=journey_id)
        await stub.GetJourney(request, metadata=(("rcm-tenant", TENANT),), timeout=10)
        return 200

    return get


def report(timed: Timed) -> None:
    """One line per page."""
    verdict = "ok" if timed.passed else "SLOW" if not timed.failed else "FAILED"
    worst = "" if timed.passed else f"  {timed.failed[0] if timed.failed else timed.slowest}"
    print(
        f"{timed.name:<22} {len(timed.took_ms):>5} requests  p50 {timed.percentile(0.5):7.1f}  "
        f"p95 {timed.percentile(0.95):7.1f}  max {max(timed.took_ms, default=float('nan')):7.1f} ms  "
        f"(mark {timed.mark_ms:.0f})  {verdict}{worst}",
        flush=True,
    )


async def fill(stack: Stack, options: argparse.Namespace) -> None:
    """Loads and adds up; in a folder that is kept, what has been done before is not done again."""
    loaded, added = stack.folder / "loaded.json", stack.folder / "added.json"
    if not loaded.exists():
        began = time.monotonic()
        facts = await load(stack.owner_url, options.seed, options.journeys)
        print(f"{options.journeys} journeys, {facts} facts written in {time.monotonic() - began:.0f} s", flush=True)
        loaded.write_text(json.dumps({"facts": facts}))
    if not added.exists():
        began = time.monotonic()
        progress = await rebuild(stack.grpc_address("journey"))
        print(f"{progress.journeys} journeys added up in {time.monotonic() - began:.0f} s", flush=True)
        added.write_text(json.dumps({"journeys": progress.journeys}))


async def bench(stack: Stack, options: argparse.Namespace) -> int:
    """Fills, waits for the key figures, asks everything; how many marks were missed."""
    await fill(stack, options)
    known = await look_around(stack.owner_url, options.seed)
    while not known.kpis:
        await asyncio.sleep(5)  # the background task has not written the first snapshot yet
        known = await look_around(stack.owner_url, options.seed)
    return sum(not timed.passed for timed in await ask_all(stack, known, options.requests))


def main() -> int:
    """Starts a stack of its own (or the one whose data lies in --folder), measures, stops it."""
    parser = argparse.ArgumentParser(prog="make bench-console", description=__doc__)
    parser.add_argument("--journeys", type=int, default=100_000, help="how many; each has eleven facts or so")
    parser.add_argument("--requests", type=int, default=60, help="requests for each page")
    parser.add_argument("--seed", type=int, default=5, help="of the year that is told")
    parser.add_argument("--folder", type=Path, help="keep the data here and use it again")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="throughline-console-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)
    print(describe_machine(), flush=True)
    try:
        with Stack(folder, extra={"journey": {"RCM_CONSOLE_LOGIN": "local"}}, trace=False) as stack:
            return 1 if asyncio.run(bench(stack, options)) else 0
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
