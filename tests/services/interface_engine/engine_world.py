"""An engine for tests: its HTTP app, its database, and small synthetic records to send."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import structlog
from bus import Database, Event
from bus.event import decode, open_envelope
from chassis import Runtime
from fhir_r4 import outcome_of
from interface_engine.clients.key_sets import KeySets
from interface_engine.entry_gate import AuditTrail, Gate
from interface_engine.entry_http import FhirDoor, audits, build_app
from interface_engine.entry_token import TokenDoor, add_token_route, configuration_route, token_url_of
from interface_engine.handlers.announcing import Channel
from interface_engine.model import Client, Rejected
from interface_engine.model_access import Caller, Scopes
from interface_engine.rules import load_sources
from interface_engine.settings import Settings
from kernel.clock import FixedClock
from opentelemetry import trace

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
TOKENS = {"default": "token-of-default", "synthea": "token-of-synthea", "stranger": "token-of-another-tenant"}
SITE = "https://throughline.example/fhir"
FHIR_JSON = "application/fhir+json"
CORPORA = Path(os.environ.get("RCM_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))


@dataclass
class World:
    """What a test needs: the door, what it has told the line, and the database behind it."""

    tenant: str
    database: Database
    http: httpx.AsyncClient
    clock: FixedClock
    seen: set[str] = field(default_factory=set)
    app: Any = None
    door: Any = None

    async def send(
        self, method: str, url: str, body: object = None, token: str = "default", **headers: str
    ) -> httpx.Response:
        """A request; a body that is no bytes is written as JSON."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        told = {"Authorization": f"Bearer {TOKENS[token]}", "Content-Type": FHIR_JSON}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, f"/fhir{url}", content=content, headers=told)

    async def post(self, *resources: dict[str, Any], token: str = "default") -> httpx.Response:
        """A transaction that PUTs these resources."""
        return await self.send("POST", "", transaction(*resources), token)

    async def facts(self) -> list[Event]:
        """What was put into the outbox since the last call, in order."""
        async with self.database.transaction(self.tenant) as conn:
            rows = await conn.fetch("select event_id, envelope from outbox order by position")
        fresh = [row for row in rows if row["event_id"] not in self.seen]
        self.seen |= {row["event_id"] for row in fresh}
        return [decode(open_envelope(row["envelope"]), {}) for row in fresh]

    async def count(self, table: str) -> int:
        async with self.database.transaction(self.tenant) as conn:
            return int(await conn.fetchval(f"select count(*) from {table}"))


@dataclass(frozen=True)
class TokenGate:
    """Lets in the tokens of TOKENS: two of the test's tenant and one of another. `scopes` are what all of them may."""

    tenant: str
    scopes: str = "system/*.cruds"

    async def caller(self, authorization: str) -> Caller:
        scheme, _, token = authorization.partition(" ")
        name = next((name for name, one in TOKENS.items() if one == token.strip()), None)
        if scheme.lower() != "bearer" or name is None:
            raise Rejected(401, outcome_of("login", "a bearer token of a registered client is needed"))
        tenant = f"{self.tenant}-other" if name == "stranger" else self.tenant
        client = Client(name, tenant, "default" if name == "stranger" else name)
        return Caller(client, Scopes.read(self.scopes), datetime.max.replace(tzinfo=UTC))


@asynccontextmanager
async def open_world(
    url: str,
    tenant: str,
    *,
    owners: Any = None,
    audit: Any = None,
    gate: Any = None,
    site: str = SITE,
    smart: bool = False,
    **settings: Any,
) -> AsyncIterator[World]:
    """An engine's door over this database. `owners` answer $submit; `gate` stands for the one of TOKENS; `smart` is
    the door as a site has it: tokens for registered clients alone, and a record of every access."""
    clock = FixedClock(NOW)
    database = Database(url, "interface_engine", clock)
    await database.open()
    chosen = Settings(postgres_url=url, nats_url="nats://127.0.0.1:1", **settings)
    log, tracer = structlog.get_logger(), trace.get_tracer("tests")
    async with httpx.AsyncClient() as outside:
        runtime = Runtime(chosen, clock, database, outside, log, tracer, lambda name: None)
        sources = load_sources()
        if smart:
            gate, audit = Gate(database, clock), AuditTrail(database)
        url = token_url_of(site) if smart else ""
        door = FhirDoor(runtime, gate or TokenGate(tenant), Channel(sources, site), audit, owners, url)
        app = build_app(runtime, door, (configuration_route(), *audits.routes()) if smart else ())
        if smart:
            add_token_route(app, TokenDoor(database, KeySets(outside, clock), site, timedelta(minutes=5)))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=60) as http:
            yield World(tenant, database, http, clock, app=app, door=door)
    await database.close()


def transaction(*resources: dict[str, Any]) -> dict[str, Any]:
    """A transaction of PUTs."""
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def reference(resource: dict[str, Any]) -> dict[str, str]:
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


@cache
def synthea_bundles() -> tuple[bytes, ...]:
    """The Synthea transactions of the corpora; none where the corpora are absent."""
    return tuple(gzip.decompress(file.read_bytes()) for file in sorted((CORPORA / "fhir" / "synthea").glob("*.gz")))
