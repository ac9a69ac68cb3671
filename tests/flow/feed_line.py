"""A running stack with feeds of its own: what the tests of feeds send through it, and what they ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cli.app import main
from cli.client import Line, Place
from cli.stack import Stack
from feed_messages import (
    CSV_FEED,
    HL7_FEED,
    FeedVisit,
    MllpSender,
    export_of,
    messages_of,
)
from rcm.engine.v1 import charges_pb2, messages_pb2
from rcm.journey.v1 import journey_pb2
from simulator.ehr import table_visits as table
from stack import query, settled
from typer.testing import CliRunner

DAY = datetime.now(UTC).date() - timedelta(days=2)
# Modifiers and units, laboratory lines, sides and drugs, vaccines; two payers, a deductible.
CASES = (
    (table.INJECTIONS[1], "A", "0", "F"),
    (table.LABS[2], "A", "1", "M"),
    (table.JOINTS[0], "B", "2", "F"),
    (table.PROCEDURES[0], "B", "7", "M"),
    (table.IMMUNIZATIONS[0], "A", "5", "F"),
)
DOORS = (HL7_FEED, CSV_FEED, "fhir")
SETTLE_S = 90.0
CODES = ("99202", "99203", "99204", "99212", "99213", "99214", "99215")


def visits_of(door: str) -> list[FeedVisit]:
    """The cases, each with a person of its own at each door."""
    offset = DOORS.index(door) * 100
    return [FeedVisit(offset + number, *case, DAY) for number, case in enumerate(CASES, 1)]


async def until(question: Callable[[], Awaitable[bool]], within_s: float = 40) -> None:
    """Asks until the answer is yes. TimeoutError when it never is."""
    async with asyncio.timeout(within_s):
        while not await question():  # noqa: ASYNC110 - other processes are asked
            await asyncio.sleep(0.1)


async def answered(value: bool) -> bool:
    """For questions that need no waiting."""
    return value


@dataclass
class FeedLine:
    """A running line with two feeds, and what came of the visits by door, in the order of the cases."""

    stack: Stack
    port: int
    sources: Path
    drop: Path
    journeys: dict[str, list[journey_pb2.Journey]] = field(default_factory=dict)
    claims: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return Place.read(self.stack.folder / "stack.json")

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[Line]:
        line = Line(self.place)
        try:
            yield line
        finally:
            await line.close()

    async def send(self, *messages: bytes) -> list[str]:
        """One after the other over one connection; the codes of the acknowledgements."""
        sender = MllpSender(self.port)
        try:
            return [await sender.send(one) for one in messages]
        finally:
            await sender.close()

    async def put(self, name: str, content: bytes) -> None:
        """A file as exports come: written under another name, then renamed."""
        draft = self.drop / f"{name}.part"
        draft.write_bytes(content)
        draft.rename(self.drop / name)
        await until(lambda: answered((self.drop / "done" / name).exists()))

    async def messages(self, **wanted: Any) -> list[messages_pb2.FeedMessage]:
        async with self.asking() as line:
            found = await line.search_messages(messages_pb2.SearchMessagesRequest(limit=500, **wanted))
        return list(found.messages)[::-1]

    async def worked(self, **wanted: Any) -> list[messages_pb2.FeedMessage]:
        """The messages once none waits any more, in the order in which they came."""
        await until(self._all_worked)
        return await self.messages(**wanted)

    async def _all_worked(self) -> bool:
        return not await self.messages(states=["received"])

    async def encounters(self, visits: Sequence[FeedVisit]) -> list[str]:
        found = []
        for one in visits:
            messages = await self.messages(visit=one.visit_number)
            named = {name for message in messages for name in message.resources if name.startswith("Encounter/")}
            assert len(named) == 1, (one.visit_number, named)
            found += named
        return found

    async def settle(self, encounters: Sequence[str], *outcomes: str) -> list[journey_pb2.Journey]:
        """Their journeys in that order, once they have settled (with one of these outcomes, if any are named)."""
        by_encounter: dict[str, journey_pb2.Journey] = {}
        async with asyncio.timeout(SETTLE_S):
            while True:
                found = await settled(self.place, set(encounters), SETTLE_S)
                by_encounter = {one.encounter: one for one in found}
                if not outcomes or all(one.outcome in outcomes for one in found):
                    return [by_encounter[one] for one in encounters]
                await asyncio.sleep(0.5)

    async def claim(self, journey: journey_pb2.Journey) -> dict[str, Any]:
        async with httpx.AsyncClient(timeout=30) as http:
            sent = await self.place.fhir(http).read(f"Claim/{journey.claim_id}")
        assert sent.status == 200, sent.problem()
        return sent.body

    async def account(self) -> charges_pb2.ReconcileResponse:
        today = datetime.now(UTC).date()
        days = {"first_day": (today - timedelta(days=1)).isoformat(), "last_day": today.isoformat()}
        async with self.asking() as line:
            return await line.reconcile(charges_pb2.ReconcileRequest(**days))

    async def books(self) -> dict[str, Any]:
        """Everything that a replay must leave as it is: claims, ledger, resources, facts that were told."""
        async with self.asking() as line:
            ledger = (await line.ledger()).tenant
            resources = await line.resource_counts()
        counts = {
            "claims": "select claim_id, state, total_cents from claims_gateway.claim order by claim_id",
            "interchanges": "select interchange_id from claims_gateway.interchange order by 1",
            "facts": "select type, count(*) as n from interface_engine.outbox group by 1 order by 1",
            "versions": "select type, max(version) as n from interface_engine.resource group by 1 order by 1",
        }
        tables = {name: [tuple(row) for row in await query(self.stack.owner_url, sql)] for name, sql in counts.items()}
        cents = {name: getattr(ledger, f"{name}_cents") for name in ("billed", "paid", "adjusted", "patient", "open")}
        return {**tables, "cents": cents, "resources": resources}

    def command(self, *words: str) -> tuple[int, str]:
        """The `throughline` command: exit code and what it printed."""
        done = CliRunner().invoke(main, [*words, "--folder", str(self.stack.folder)])
        return done.exit_code, done.output


async def play(line: FeedLine) -> None:
    """All cases at all doors, until each journey has settled."""
    sent = visits_of(HL7_FEED)
    answers = await asyncio.gather(*(line.send(*messages_of(one)) for one in sent))
    assert {code for codes_ in answers for code in codes_} == {"AA"}
    await line.put("day1.csv", export_of(visits_of(CSV_FEED)))
    async with httpx.AsyncClient(timeout=60) as http:
        client = line.place.fhir(http)
        for one in visits_of("fhir"):
            for bundle in one.story.bundles:
                answer = await client.post_bundle(bundle)
                assert not answer.problem(), answer.problem()
    for message in await line.worked():
        assert message.state == "kept", (message.kind, message.reason, message.path)
    encounters = {door: await line.encounters(visits_of(door)) for door in (HL7_FEED, CSV_FEED)}
    encounters["fhir"] = [one.story.encounter for one in visits_of("fhir")]
    await line.settle([one for door in DOORS for one in encounters[door]])
    for door in DOORS:
        line.journeys[door] = await line.settle(encounters[door])
        line.claims[door] = [await line.claim(one) if one.claim_id else {} for one in line.journeys[door]]
