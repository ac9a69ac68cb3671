"""A feed's messages from its door to the line: stored, mapped, kept as FHIR, told, and accounted for, in one piece."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from bus import Database, Event
from bus.event import decode, open_envelope
from interface_engine.entry_feeds import Feeds
from interface_engine.entry_files import FileIntake
from interface_engine.entry_intake import Intake
from interface_engine.entry_keeping import Keeper
from interface_engine.entry_release import Release
from interface_engine.entry_worker import MessageWorker
from interface_engine.handlers.announcing import Channel
from interface_engine.model_charges import Account, Tally
from interface_engine.model_messages import Message, Wanted
from interface_engine.rules.book import ChannelBook
from interface_engine.store.charges import Charges
from interface_engine.store.messages import Messages
from kernel.clock import FixedClock
from platform_fixture import Platform

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
TODAY = date(2026, 3, 20)
CLINIC = """
name: clinic
format: hl7v2
timezone: America/Chicago
transport: {kind: mllp}
maps:
  - {file: clinic_codes.csv, from: "https://clinic.example/charge", to: "http://www.ama-assn.org/go/cpt"}
charges: {code: [FT1-7], amount: [FT1-11], units: [FT1-10], system: "https://clinic.example/charge"}
"""
CODES = (
    "source_system,source_code,target_system,target_code,effective_from,effective_to,policy,owner\n"
    "https://clinic.example/charge,OV3,http://www.ama-assn.org/go/cpt,99213,2020-01-01,,map,it\n"
)


def head(kind: str, control_id: str, at: str = "20260320090000") -> str:
    return f"MSH|^~\\&|EHR|CLINIC|RCM|HUB|{at}||{kind}|{control_id}|P|2.5.1\rEVN|{kind[4:7]}|{at}\r"


PID = "PID|1||M1^^^CLINIC^MR||EXAMPLE^PAT||19800102|F|||1 MAIN ST^^AUSTIN^TX^78701\r"
PV1 = "PV1|1|O|ROOM1||||1234567893^DOC^DANA" + "|" * 12 + "V{visit}" + "|" * 25 + "20260320083000\r"
IN1 = "IN1|1|PLAN|SYNPA|SYNTHETIC PAYER A" + "|" * 32 + "W1234\r"


def adt(event: str, control_id: str, at: str = "20260320090000", visit: str = "1") -> bytes:
    return (head(f"ADT^{event}", control_id, at) + PID + PV1.format(visit=visit) + IN1).encode()


def dft(control_id: str, *lines: str, visit: str = "1") -> bytes:
    text = head("DFT^P03", control_id) + PID + PV1.format(visit=visit)
    return (text + "".join(f"FT1|{number}|T{visit}{number}||20260320||{line}\r" for number, line in
                           enumerate(lines, 1))).encode()  # fmt: skip


@dataclass
class House:
    tenant: str
    database: Database
    site: Path
    book: ChannelBook
    intake: Intake
    worker: MessageWorker
    release: Release
    files: FileIntake
    seen: set[str] = field(default_factory=set)

    async def send(self, *raws: bytes, feed: str = "clinic") -> None:
        for raw in raws:
            await self.intake.take(self.book.channel(feed), raw)
        await self.work()

    async def work(self) -> None:
        while await self.worker.work():
            pass

    async def messages(self) -> list[Message]:
        async with self.database.unit(self.tenant) as unit:
            return (await Messages(unit).find(Wanted()))[::-1]

    async def states(self) -> list[str]:
        return [f"{one.state} {one.reason} {one.path}".strip() for one in await self.messages()]

    async def resources(self, type_name: str) -> list[dict[str, Any]]:
        async with self.database.transaction(self.tenant) as conn:
            rows = await conn.fetch(
                """select v.bytes from resource r join resource_version v using (tenant, type, id, version)
                where r.type = $1 order by r.id""",
                type_name,
            )
        return [json.loads(row["bytes"]) for row in rows]

    async def facts(self) -> list[Event]:
        async with self.database.transaction(self.tenant) as conn:
            rows = await conn.fetch("select event_id, envelope from outbox order by position")
        fresh = [row for row in rows if row["event_id"] not in self.seen]
        self.seen |= {row["event_id"] for row in fresh}
        return [decode(open_envelope(row["envelope"]), {}) for row in fresh]

    async def account(self) -> Account:
        async with self.database.unit(self.tenant) as unit:
            (found,) = await Charges(unit).accounts(TODAY, TODAY)
        return found


@pytest.fixture
async def house(platform: Platform, tenant: str, tmp_path: Path) -> AsyncIterator[House]:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "clinic.yaml").write_text(CLINIC)
    (sources / "clinic_codes.csv").write_text(CODES)
    database = Database(platform.url_for("interface-engine"), "interface_engine", FixedClock(NOW))
    await database.open()
    book, log = ChannelBook(tmp_path), structlog.get_logger()
    announcing = Channel(book.sources, "https://throughline.example/fhir")
    intake = Intake(database, tenant, timedelta(days=30))
    worker = MessageWorker(database, tenant, Feeds(book, Keeper(announcing)).process, intake.arrived, log)
    release = Release(database, tenant, announcing, intake.arrived, log)
    files = FileIntake(database, tenant, intake)
    yield House(tenant, database, tmp_path, book, intake, worker, release, files)
    await database.close()


async def test_a_visit_with_charges_is_told_to_the_line_when_it_ends(house: House) -> None:
    await house.send(adt("A04", "1"), dft("2", "CG|OV3|||1|150.00"), adt("A03", "3", "20260320100000"))
    assert await house.states() == ["kept"] * 3
    facts = await house.facts()
    assert [fact.type for fact in facts] == ["encounter.started", "encounter.finished"]
    snapshot = json.loads(facts[-1].body.facts.snapshot)
    kinds = [entry["resource"]["resourceType"] for entry in snapshot["entry"]]
    assert {"Encounter", "Patient", "Coverage", "ChargeItem"} <= set(kinds)
    charge = next(entry["resource"] for entry in snapshot["entry"] if entry["resource"]["resourceType"] == "ChargeItem")
    assert "99213" in [coding["code"] for coding in charge["code"]["coding"]]
    account = await house.account()
    assert (account.balances, account.became) == (True, {("charge", ""): Tally(1, 15000)})


async def test_the_same_messages_again_and_a_replay_change_nothing(house: House) -> None:
    raws = (adt("A04", "1"), dft("2", "CG|OV3|||1|150.00"), adt("A03", "3", "20260320100000"))
    await house.send(*raws)
    await house.facts()
    before = {kind: await house.resources(kind) for kind in ("Patient", "Encounter", "Coverage", "ChargeItem")}
    await house.send(*raws)
    async with house.database.unit(house.tenant) as unit:
        for message in await house.messages():
            await Messages(unit).again(message.id)
    await house.work()
    assert await house.states() == ["kept"] * 3
    assert {kind: await house.resources(kind) for kind in before} == before
    assert await house.facts() == []
    assert (await house.account()).became == {("charge", ""): Tally(1, 15000)}


async def test_a_code_that_nobody_knows_holds_until_its_row_is_added(house: House) -> None:
    await house.send(adt("A04", "1"), dft("2", "CG|NEW|||1|80.00"), adt("A03", "3", "20260320100000"))
    facts = await house.facts()
    assert [len(fact.body.unmapped) for fact in facts if fact.type == "encounter.finished"] == [1]
    assert (await house.account()).became == {("hold", "unmapped-code"): Tally(1, 8000)}
    row = "https://clinic.example/charge,NEW,http://www.ama-assn.org/go/cpt,99214,2020-01-01,,map,it\n"
    (house.site / "sources" / "clinic_codes.csv").write_text(CODES + row)
    changed: list[tuple[str, ...]] = []
    house.book.subscribe(changed.append)
    house.book.refresh()
    assert changed == [("clinic",)]
    assert await house.release.release(("clinic",)) == 1
    await house.work()
    (amended,) = [fact for fact in await house.facts() if fact.type == "encounter.amended"]
    assert list(amended.body.unmapped) == []
    assert b"99214" in amended.body.facts.snapshot
    account = await house.account()
    assert (account.balances, account.became) == (True, {("charge", ""): Tally(1, 8000)})
    assert await house.release.release(("clinic",)) == 0


async def test_a_bad_channel_file_leaves_what_was_in_force(house: House) -> None:
    (house.site / "sources" / "clinic.yaml").write_text(CLINIC + "banana: 1\n")
    assert house.book.refresh() == ()
    await house.send(adt("A04", "1"))
    assert await house.states() == ["kept"]


async def test_what_is_no_business_of_ours_is_taken_in_and_goes_no_further(house: House) -> None:
    await house.send((head("MFN^M02", "1") + PID).encode())
    assert await house.states() == ["filtered message-type-unmapped"]
    assert await house.facts() == []


async def test_a_credit_takes_its_charge_back_and_the_day_balances(house: House) -> None:
    await house.send(adt("A04", "1"), dft("2", "CG|OV3|||1|150.00"), dft("3", "CR|OV3|||1|150.00"))
    assert await house.states() == ["kept"] * 3
    account = await house.account()
    assert (account.balances, account.accounted) == (True, Tally(2, 0))


async def test_a_charge_that_is_told_of_another_visit_waits_for_a_person(house: House) -> None:
    moved = dft("3", "CG|OV3|||1|150.00", visit="2").replace(b"|T21|", b"|T11|")
    await house.send(adt("A04", "1"), dft("2", "CG|OV3|||1|150.00"), moved)
    assert await house.states() == ["kept", "kept", "failed charge-of-another-visit"]
    account = await house.account()
    assert (account.balances, account.became[("message-failed", "")]) == (True, Tally(1, 15000))


async def test_messages_are_found_by_the_claim_they_led_to(house: House) -> None:
    await house.send(adt("A04", "1"), dft("2", "CG|OV3|||1|150.00"))
    (encounter,) = await house.resources("Encounter")
    async with house.database.unit(house.tenant) as unit:
        found = await Messages(unit).find(Wanted(resource=f"Encounter/{encounter['id']}"))
    assert {one.control_id for one in found} >= {"1"}
