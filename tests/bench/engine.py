"""The engine's doors: HL7 v2 over MLLP with durable acknowledgement, FHIR reads by id, transactions.

Everything is on this machine: all services, Postgres, NATS and this load generator. MLLP is measured twice: as fast
as so many senders go that each wait for their answer, and at an even rate. Reads carry a SMART token and are audited.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import hl7v2
import httpx
import psutil
from cli.access import TokenSource
from cli.client import Place
from cli.stack import Stack
from line import describe_machine

FEED = "bench"
TYPE = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one phase did: how many, in how many seconds, each how long."""

    name: str
    done: int
    seconds: float
    latencies: list[float]

    def __str__(self) -> str:
        ordered = sorted(self.latencies)
        p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 for share in (0.5, 0.99))
        return f"{self.name:<46} {self.done / self.seconds:8.0f}/s   p50 {p50:7.1f} ms   p99 {p99:7.1f} ms"


class Spent:
    """Processor time by kind of process while it is open: what a phase costs, and whom."""

    def __init__(self, stack: Stack) -> None:
        self._engine = psutil.Process(stack.processes["interface-engine"].pid)
        self._all = [psutil.Process(one.pid) for one in stack.processes.values()]
        self._before: dict[str, float] = {}

    def _now(self) -> dict[str, float]:
        found = {"engine": _seconds(self._engine), "load": _seconds(psutil.Process())}
        found["other services"] = sum(_seconds(one) for one in self._all) - found["engine"]
        for name in ("postgres", "nats-server"):
            found[name] = sum(_seconds(one) for one in psutil.process_iter(["name"]) if one.info["name"] == name)
        return found

    def begin(self) -> None:
        self._before = self._now()

    def per(self, done: int) -> str:
        """Milliseconds of each for one of so many."""
        spent = {name: value - self._before.get(name, 0.0) for name, value in self._now().items()}
        return ", ".join(f"{name} {value * 1000 / done:.2f}" for name, value in spent.items() if value / done > 1e-5)


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


async def closed_loop(name: str, parallel: int, seconds: float, work: Callable[[int], Awaitable[int]]) -> Measured:
    """`parallel` workers, each beginning anew when it is done; `work` gives how many things one call did."""
    latencies: list[float] = []
    done = 0
    end = time.monotonic() + seconds

    async def one(number: int) -> None:
        nonlocal done
        while time.monotonic() < end:
            begin = time.monotonic()
            more = await work(number)
            done += more
            latencies.append(time.monotonic() - begin)

    begin = time.monotonic()
    await asyncio.gather(*(one(number) for number in range(parallel)))
    return Measured(name, done, time.monotonic() - begin, latencies)


def message(number: int) -> bytes:
    """A visit's update for one of 2,000 patients, with the segments that such messages have."""
    mrn = f"B{number % 2000}"
    return (
        f"MSH|^~\\&|EHR|BENCH|RCM|HUB|20260320090000||ADT^A08|{uuid.uuid4().hex}|P|2.5.1\r"
        f"EVN|A08|20260320090000\r"
        f"PID|1||{mrn}^^^BENCH^MR||EXAMPLE^PAT{number % 2000}||19800102|F|||1 MAIN ST^^AUSTIN^TX\r"
        f"PV1|1|O|ROOM{'|' * 16}V{number % 2000}{'|' * 25}20260320083000\r"
        f"IN1|1|PLAN|SYNPA|SYNTHETIC PAYER A{'|' * 32}W{number % 2000}\rDG1|1||J06.9^^I10\r"
    ).encode()


class Sender:
    """One connection that waits for each answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._framer = hl7v2.Framer()

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def send(self, raw: bytes) -> None:
        self._writer.write(hl7v2.frame(raw))
        while True:
            found = self._framer.feed(await self._reader.read(65536))
            if found:
                assert b"MSA|AA|" in found[0].payload, found[0]  # type: ignore[union-attr]
                return


async def shown(spent: Spent, phase: Callable[[], Awaitable[Measured]]) -> None:
    """Runs a phase and prints what it measured and cost."""
    spent.begin()
    measured = await phase()
    print(measured, f"   ms of processor each: {spent.per(measured.done)}", flush=True)


async def mllp(spent: Spent, port: int, parallel: int, seconds: float, rate: float) -> None:
    senders = [Sender(port) for _ in range(parallel)]
    for sender in senders:
        await sender.open()
    number = iter(range(10**9))

    async def work(which: int) -> int:
        await senders[which].send(message(next(number)))
        return 1

    name = f"MLLP in, {parallel} senders, as fast as they go"
    await shown(spent, lambda: closed_loop(name, parallel, seconds, work))
    await shown(spent, lambda: at_rate(senders, number, rate, seconds))


async def at_rate(senders: list[Sender], number: Iterator[int], rate: float, seconds: float) -> Measured:
    """Each sender sends when its turn has come; late is late: the time counts from when it should have begun."""
    begin = time.monotonic()
    latencies: list[float] = []
    each = len(senders) / rate

    async def one(place: int) -> None:
        turn = begin + place / rate
        while turn < begin + seconds:
            await asyncio.sleep(max(0.0, turn - time.monotonic()))
            await senders[place].send(message(next(number)))
            latencies.append(time.monotonic() - turn)
            turn += each

    await asyncio.gather(*(one(place) for place in range(len(senders))))
    return Measured(f"MLLP in, {rate:g}/s", len(latencies), time.monotonic() - begin, latencies)


async def drained(owner_url: str) -> float:
    """Seconds until every message that was taken in has been worked on."""
    connection = await asyncpg.connect(owner_url)
    begin = time.monotonic()
    try:
        while True:
            left = await connection.fetchval("select count(*) from interface_engine.message where state = 'received'")
            if not left:
                return time.monotonic() - begin
            await asyncio.sleep(0.5)
    finally:
        await connection.close()


def patient(identity: str) -> dict[str, object]:
    return {
        "resourceType": "Patient", "id": identity, "active": True, "gender": "female", "birthDate": "1980-01-02",
        "identifier": [{"system": "https://bench.example/mrn", "value": identity}],
        "name": [{"family": "Example", "given": ["Pat"]}],
    }  # fmt: skip


def bundle(resources: int) -> bytes:
    """A transaction: patients, a visit each, and observations of it."""
    entries: list[dict[str, object]] = []
    while len(entries) < resources:
        who = uuid.uuid4().hex
        made = [patient(who)] + [
            {
                "resourceType": "Observation", "id": f"{who}-{number}", "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
                "subject": {"reference": f"Patient/{who}"}, "effectiveDateTime": "2026-03-20T09:00:00Z",
                "valueQuantity": {"value": 70 + number, "unit": "/min", "system": "http://unitsofmeasure.org",
                                  "code": "/min"},
            }
            for number in range(9)
        ]  # fmt: skip
        entries += [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}} for one in made
        ]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries[:resources]}).encode()


async def fhir(spent: Spent, place: Place, seconds: float, parallel: int) -> None:
    limits = httpx.Limits(max_connections=parallel + 2, max_keepalive_connections=parallel + 2)
    async with httpx.AsyncClient(timeout=60, limits=limits) as http:
        tokens = TokenSource(place.clients["default"], http)
        headers = {"Authorization": f"Bearer {await tokens.token()}", "Content-Type": TYPE}
        ids = [uuid.uuid4().hex for _ in range(200)]
        for one in ids:
            answer = await http.put(
                f"{place.fhir_url}/Patient/{one}", content=json.dumps(patient(one)), headers=headers
            )
            assert answer.status_code == 201, answer.text
    requests = [
        f"GET {httpx.URL(place.fhir_url).path}/Patient/{one} HTTP/1.1\r\nHost: bench\r\n"
        f"Authorization: {headers['Authorization']}\r\nAccept: {TYPE}\r\n\r\n".encode()
        for one in ids
    ]
    lines = [await plain_connection(place.fhir_url) for _ in range(parallel)]
    number = iter(range(10**9))

    async def read(which: int) -> int:
        await exchange(lines[which], requests[next(number) % len(requests)])
        return 1

    await shown(spent, lambda: closed_loop(f"FHIR read by id, {parallel} clients", parallel, seconds, read))
    ready = iter([bundle(50) for _ in range(int(seconds * 60))])

    async def write(which: int) -> int:
        body = next(ready)
        head = (
            f"POST {httpx.URL(place.fhir_url).path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {TYPE}\r\n"
            f"Authorization: {headers['Authorization']}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        await exchange(lines[which], head.encode() + body)
        return 50

    await shown(spent, lambda: closed_loop("FHIR transactions of 50, resources", 4, seconds, write))


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def plain_connection(url: str) -> Line:
    parts = httpx.URL(url)
    return await asyncio.open_connection(parts.host, parts.port)


async def exchange(line: Line, request: bytes) -> bytes:
    """One request over a connection that stays open: a load generator that costs little beside what it measures."""
    reader, writer = line
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n", 1)[0], head
    length = int(next(row for row in head.lower().split(b"\r\n") if row.startswith(b"content-length")).split(b":")[1])
    return await reader.readexactly(length)


async def bench(stack: Stack, port: int, options: argparse.Namespace) -> None:
    place, spent = Place.read(stack.folder / "stack.json"), Spent(stack)
    await asyncio.sleep(3)  # the feed's port opens when its file was read
    if "fhir" in options.only:
        await fhir(spent, place, options.seconds, options.clients)
    if "mllp" in options.only:
        await mllp(spent, port, options.senders, options.seconds, options.rate)
        print(f"worked on {await drained(stack.owner_url):.0f} s after the last was sent", flush=True)


def main() -> int:
    """Starts a stack of its own, measures, stops it."""
    parser = argparse.ArgumentParser(prog="make bench-engine", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each phase")
    parser.add_argument("--senders", type=int, default=16, help="MLLP connections")
    parser.add_argument("--rate", type=float, default=500.0, help="messages per second in the phase at an even rate")
    parser.add_argument("--clients", type=int, default=16, help="FHIR connections that read")
    parser.add_argument("--only", nargs="+", choices=["fhir", "mllp"], default=["fhir", "mllp"])
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="throughline-bench-"))
    folder.chmod(0o711)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    sources = folder / "site" / "interface-engine" / "sources"
    sources.mkdir(parents=True)
    (sources / f"{FEED}.yaml").write_text(
        f"name: {FEED}\nformat: hl7v2\ntransport: {{kind: mllp, host: 127.0.0.1, port: {port}}}\n"
    )
    print(describe_machine(), flush=True)
    try:
        with Stack(folder, site=folder / "site") as stack:
            asyncio.run(bench(stack, port, options))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
