"""The console over a real database, asked without a network, with journeys that a test makes up from facts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import httpx
import structlog
from bus import Database
from chassis import Runtime, SettingsError
from fastapi import FastAPI
from journey.console import console_app
from journey.handlers import fold_journeys
from journey.kpi import projection
from journey.kpi.model import Basis
from journey.kpi.refresh import refresh
from journey.model import Fact
from journey.settings import Settings
from journey.store import note_tenant, record_fact
from kernel.clock import FixedClock
from opentelemetry.trace import NoOpTracer

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:8080"
TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


def no_channels(service: str) -> grpc.aio.Channel:
    raise SettingsError(f"RCM_ADDRESS_{service.upper()} is not set")


@dataclass
class Console:
    """One console with its database and clock."""

    app: FastAPI
    database: Database
    clock: FixedClock
    tenant: str

    def client(self, base: str = BASE) -> httpx.AsyncClient:
        """A browser: it keeps cookies and does not follow by itself."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app, raise_app_exceptions=True), base_url=base)

    async def rows(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        """What stands in a table, as the tenant sees it."""
        async with self.database.transaction(self.tenant) as conn:
            return [dict(row) for row in await conn.fetch(sql, *arguments)]


def settings_of(platform: Any, tenant: str, **given: Any) -> Settings:
    """Settings of the journey service with the local login, unless something else is given."""
    told = {"console_login": "local", "tenant": tenant, **given}
    return Settings(postgres_url=platform.url_for("journey"), nats_url=platform.nats_url, **told)


@asynccontextmanager
async def console_on(
    platform: Any,
    tenant: str,
    channels: Callable[[str], grpc.aio.Channel] = no_channels,
    issuer: httpx.AsyncBaseTransport | None = None,
    now: datetime = NOW,
    **given: Any,
) -> AsyncIterator[Console]:
    """A console that runs over the platform's Postgres."""
    clock = FixedClock(now)
    settings = settings_of(platform, tenant, **given)
    database = Database(settings.postgres_url, "journey", clock, pool_size=4)
    await database.open()
    try:
        async with httpx.AsyncClient() as http:
            runtime = Runtime(settings, clock, database, http, structlog.get_logger(), NoOpTracer(), channels)
            yield Console(console_app(runtime, issuer_transport=issuer), database, clock, tenant)
    finally:
        await database.close()


async def sign_in(client: httpx.AsyncClient, role: str = "viewer", name: str = "Ada") -> httpx.AsyncClient:
    """Signs in by the local login's form."""
    page = await client.get("/login")
    found = TOKEN.search(page.text)
    assert found, page.text
    answer = await client.post("/login", data={"csrf": found[1], "name": name, "role": role, "next": "/"})
    assert answer.status_code == 303, answer.text
    return client


def csrf_of(page: httpx.Response) -> str:
    """The token that a page's forms carry."""
    found = TOKEN.search(page.text)
    assert found, page.text
    return found[1]


@asynccontextmanager
async def signed_in(platform: Any, tenant: str, role: str = "viewer", **how: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which somebody is signed in; the console is its `.console`."""
    async with console_on(platform, tenant, **how) as console, console.client() as client:
        await sign_in(client, role)
        client.console = console  # type: ignore[attr-defined]
        yield client


async def tell(console: Console, facts: Iterable[Fact]) -> None:
    """Records facts, adds them up and computes the figures, as the service does in the background."""
    listed = list(facts)
    kpi = projection()
    async with console.database.transaction(console.tenant) as conn:
        for fact in listed:
            await record_fact(conn, fact)
            await kpi.record(conn, fact)
        await note_tenant(conn)
    now = console.clock.now()
    while await fold_journeys(console.database.transaction, console.tenant, 500, kpi, now):
        pass
    await refresh(console.database.transaction, console.tenant, Basis(now))


def facts_of(journey_id: str, begin: datetime, rows: Iterable[tuple[Any, ...]]) -> list[Fact]:
    """Facts from rows: what it is, its qualifier, how long after the beginning, and its detail."""
    told = []
    for number, (type_, qualifier, after, *detail) in enumerate(rows):
        at = begin + (after if isinstance(after, timedelta) else timedelta(seconds=after))
        given = dict(detail[0]) if detail else {}
        reason, trace = str(given.pop("reason", "")), str(given.pop("trace_id", ""))
        told.append(
            Fact(f"{journey_id}-{number:03}", journey_id, type_, "", at, qualifier, reason, given, trace, "", at)
        )
    return told
