"""An engine that serves subscriptions, and an endpoint on this machine that they notify, answering as a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import structlog
from bus import Database
from chassis import Runtime
from engine_records import encounter
from engine_world import NOW, SITE, TokenGate, World
from interface_engine.entry_http import FhirDoor, Route, build_app
from interface_engine.entry_http.subscriptions import subscription_routes
from interface_engine.entry_notices import HookBook, NoticeWorker, hook_client
from interface_engine.handlers.announcing import Channel
from interface_engine.handlers.delivering import Rules
from interface_engine.rules import load_sources
from interface_engine.settings import Settings
from kernel.clock import FixedClock
from opentelemetry import trace

GUIDE = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
TOPICS = "https://throughline.example/fhir/SubscriptionTopic"
SETTLE = timedelta(seconds=5)
SECRET = "Bearer secret-of-the-subscriber"


class Logged:
    """A log that remembers everything that was said to it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def _say(self, event: str, **more: Any) -> None:
        self.lines.append(f"{event} {more}")

    debug = info = warning = error = _say


@dataclass
class Endpoint:
    """A small HTTP server. `answer` gives the status for a Bundle; None closes the connection without a word."""

    answer: Callable[[dict[str, Any]], int | None] = lambda bundle: 200
    bundles: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    delay_s: float = 0.0
    body: bytes = b""
    port: int = 0
    told: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                bundle = json.loads(await reader.readexactly(int(headers["content-length"])))
                await asyncio.sleep(self.delay_s)
                self.bundles.append(bundle)
                self.headers.append(headers)
                if said(bundle, "type") == "event-notification":
                    self.told.set()
                status = self.answer(bundle)
                if status is None:
                    break
                head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(self.body)}\r\nlocation: {self.url}\r\n\r\n"
                writer.write(head.encode() + self.body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    # What was received

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.bundles if said(one, "type") == kind]

    def numbers(self) -> list[int]:
        """Numbers of events in the order in which they came."""
        return [number for bundle in self.of("event-notification") for number in numbers_of(bundle)]


def status_rows(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = bundle["entry"][0]["resource"]["parameter"]
    return rows


def said(bundle: dict[str, Any], name: str) -> str:
    """The value of a row of the notification's status; "" when it is not there."""
    found = [row for row in status_rows(bundle) if row["name"] == name]
    return next((str(value) for row in found for key, value in row.items() if key.startswith("value")), "")


def events_of(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [row["part"] for row in status_rows(bundle) if row["name"] == "notification-event"]
    return [{part["name"]: next(v for k, v in part.items() if k != "name") for part in row} for row in rows]


def numbers_of(bundle: dict[str, Any]) -> list[int]:
    return [int(one["event-number"]) for one in events_of(bundle)]


@asynccontextmanager
async def endpoint(**more: Any) -> AsyncIterator[Endpoint]:
    opened = Endpoint(**more)
    server = await asyncio.start_server(opened.serve, "127.0.0.1", 0, limit=2**20)
    opened.port = server.sockets[0].getsockname()[1]
    try:
        yield opened
    finally:
        server.close()


@dataclass
class House(World):
    """An engine with its book and a worker; `second` makes another replica on the same database."""

    book: HookBook = None  # type: ignore[assignment]
    worker: NoticeWorker = None  # type: ignore[assignment]
    log: Logged = field(default_factory=Logged)

    async def subscribe(self, to: str, name: str = "s1", token: str = "default", **more: Any) -> httpx.Response:
        return await self.send("PUT", f"/Subscription/{name}", subscription(to, name, **more), token)

    async def activate(self) -> None:
        """As time would do it: the handshake, the settling, the opening."""
        await self.worker.work()
        self.clock.advance(SETTLE)
        for _ in range(5):  # each waits for the transactions of the others
            await self.worker.work()
            self.clock.advance(seconds=1)
        await self.book.renew()

    async def status(self, name: str = "s1") -> str:
        return str((await self.send("GET", f"/Subscription/{name}")).json()["status"])

    async def drain(self) -> None:
        """Until nothing is left that could be done now."""
        while await self.worker.work():
            pass


def subscription(to: str, name: str = "s1", **more: Any) -> dict[str, Any]:
    """A Subscription. `content`, `heartbeat`, `timeout`, `most`, `filters`, `criteria`, `header` are said shortly."""
    short = {"content": "id-only", "criteria": f"{TOPICS}/Encounter-changed", "filters": (), "header": ()} | more
    limits = {"heartbeat": "heartbeat-period", "timeout": "timeout", "most": "max-count"}
    extension = [
        {"url": f"{GUIDE}/backport-{limits[key]}", "valuePositiveInt" if key == "most" else "valueUnsignedInt": value}
        for key, value in more.items()
        if key in limits
    ]
    filters = [{"url": f"{GUIDE}/backport-filter-criteria", "valueString": one} for one in short["filters"]]
    channel: dict[str, Any] = {"type": "rest-hook", "endpoint": to, "payload": "application/fhir+json"}
    channel |= {"extension": extension} if extension else {}
    channel |= {"header": list(short["header"])} if short["header"] else {}
    if short["content"]:
        told = [{"url": f"{GUIDE}/backport-payload-content", "valueCode": short["content"]}]
        channel["_payload"] = {"extension": told}
    made = {
        "resourceType": "Subscription",
        "id": name,
        "status": "requested",
        "reason": "a test",
        "criteria": short["criteria"],
        "channel": channel,
    }
    made |= {"_criteria": {"extension": filters}} if filters else {}
    return made | {key: value for key, value in more.items() if key in ("status", "end")}


class OneTenantsWorker(NoticeWorker):
    """Leaves the tenants of other tests alone, whose endpoints are gone."""

    tenant = ""

    async def _tenants(self) -> tuple[str, ...]:
        return (self.tenant,)


def worker_of(database: Database, book: HookBook, log: Logged, http: httpx.AsyncClient, tenant: str) -> NoticeWorker:
    worker = OneTenantsWorker(database, book, http, Rules(SITE, SETTLE, timedelta(hours=2)), log)
    worker.tenant = tenant
    return worker


@asynccontextmanager
async def open_house(url: str, tenant: str, more: tuple[Route, ...] = (), **chosen: Any) -> AsyncIterator[House]:
    clock = FixedClock(NOW)
    database = Database(url, "interface_engine", clock)
    await database.open()
    settings = Settings(postgres_url=url, nats_url="nats://127.0.0.1:1", **chosen)
    log = Logged()
    async with httpx.AsyncClient() as outside, hook_client() as hooks:
        tracer = trace.get_tracer("tests")
        runtime = Runtime(settings, clock, database, outside, structlog.get_logger(), tracer, lambda name: None)
        sources = load_sources()
        book = HookBook(database)
        door = FhirDoor(runtime, TokenGate(tenant), Channel(sources, SITE), book=book)
        app = build_app(runtime, door, (*subscription_routes(), *more))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=60) as http:
            worker = worker_of(database, book, log, hooks, tenant)
            yield House(tenant, database, http, clock, app=app, door=door, book=book, worker=worker, log=log)
    await database.close()


async def visit(house: House, number: int, **more: Any) -> None:
    """A visit is written, anew or again."""
    answer = await house.send("PUT", f"/Encounter/e{number}", encounter(**more) | {"id": f"e{number}"})
    assert answer.status_code in (200, 201), answer.text
