"""Facts through the real database: recorded, added up, found again, exported once, and kept from other tenants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from bus import Database
from journey import store
from journey.handlers import Exported, Progress, export_quiet, find_journeys, fold_journeys, get_journey, rebuild_ledger
from journey.model import Fact, Journey
from journey.search import Search, cursor_of
from journey.spans import spans_of
from kernel.errors import Refused, Unreadable
from ledger_facts import JOURNEY, at, copied, fact, straight

HEARD = datetime(2026, 6, 1, tzinfo=UTC)
LATER = HEARD + timedelta(days=1)


@dataclass
class Projected:
    """A projection that remembers what it was told."""

    hears: frozenset[str] = frozenset({"work.opened"})
    recorded: list[str] = field(default_factory=list)
    journeys: dict[str, int] = field(default_factory=dict)
    cleared: int = 0

    async def record(self, conn: asyncpg.Connection, one: Fact) -> None:
        self.recorded.append(one.event_id)

    async def project(self, conn: asyncpg.Connection, journeys: Sequence[tuple[Journey, Sequence[Fact]]]) -> None:
        self.journeys |= {journey.journey_id: len(facts) for journey, facts in journeys}

    async def clear(self, conn: asyncpg.Connection, limit: int) -> bool:
        self.cleared += 1
        return self.cleared < 2


async def record(database: Database, tenant: str, facts: Sequence[Fact]) -> None:
    async with database.unit(tenant) as unit:
        for one in facts:
            await store.record_fact(unit.conn, one if one.heard_at else replace(one, heard_at=HEARD))
        await store.note_tenant(unit.conn)


async def fold(database: Database, tenant: str, projected: Projected | None = None) -> int:
    return await fold_journeys(database.transaction, tenant, 100, projected or Projected(), HEARD)


async def export(database: Database, tenant: str, heard_before: datetime = LATER) -> list[Exported]:
    return await export_quiet(database.transaction, tenant, heard_before, 100)


async def rebuild(database: Database, tenant: str, check: bool, projected: Projected | None = None) -> Progress:
    told = [one async for one in rebuild_ledger(database.transaction, tenant, projected or Projected(), check, LATER)]
    assert told[-1].done and not any(one.done for one in told[:-1])
    return told[-1]


def visit(number: int, tenant: str, facts: Sequence[Fact], day: int = 0, **detail: Any) -> list[Fact]:
    """The facts as another journey's, so many days later, with these details."""
    moved = [replace(one, occurred_at=one.occurred_at + timedelta(days=day)) for one in facts]
    told = [replace(one, detail={**one.detail, **detail}) for one in moved]
    return [copied(one, f"{tenant}-{number}-", f"{number:032x}") for one in told]


async def test_a_journey_is_added_up_once_and_found(database: Database, tenant: str) -> None:
    await record(database, tenant, visit(1, tenant, straight(1_000_000), encounter="Encounter/1", billed_cents=1000))
    projected = Projected()
    assert await fold(database, tenant, projected) == 1
    assert await fold(database, tenant, projected) == 0
    assert projected.journeys == {f"{1:032x}": 8}
    journey, facts = await get_journey(database.transaction, tenant, "", "Encounter/1")
    assert journey.elapsed_us == 7_000_000 and len(facts) == 8
    assert await find_journeys(database.transaction, tenant, Search(state="ended", outcome="paid")) == [journey]
    assert await find_journeys(database.transaction, tenant, Search(state="waiting")) == []
    async with database.transaction(tenant) as conn:
        counts, cents = await store.totals(conn)
        stages = await store.stage_percentiles(conn)
    assert counts == {"ended/paid": 1} and cents["billed_cents"] == 1000
    assert stages["coding"] == (1_000_000, 1_000_000)


async def test_stages_of_open_journeys_are_there_and_those_that_no_longer_hold_go(
    database: Database, tenant: str
) -> None:
    facts = visit(1, tenant, straight())
    await record(database, tenant, [facts[0], facts[2]])
    await fold(database, tenant)
    found = await find_journeys(database.transaction, tenant, Search())
    assert [(stage.name, stage.ended_at is None) for stage in found[0].stages] == [
        ("coding", False),
        ("submission", True),
    ]
    cancelled = copied(fact(90, "encounter.cancelled", after_us=5), f"{tenant}-1-", f"{1:032x}")
    await record(database, tenant, [facts[1], facts[7], cancelled])
    await fold(database, tenant)
    journey, _ = await get_journey(database.transaction, tenant, f"{1:032x}", "")
    assert await find_journeys(database.transaction, tenant, Search()) == [journey]


async def test_a_deposit_of_the_line_reaches_the_journeys_of_its_remittance(database: Database, tenant: str) -> None:
    settlement = {"remittance_id": "r1", "settlement": "awaited", "paid_cents": 5}
    posted = [*straight()[:7], fact(20, "payment.posted", "paid", 100, **settlement)]
    await record(
        database, tenant, [*visit(1, tenant, posted), *visit(2, tenant, posted), *visit(3, tenant, straight())]
    )
    await fold(database, tenant)
    waiting = await find_journeys(database.transaction, tenant, Search(stage="settlement"))
    assert {one.journey_id for one in waiting} == {f"{1:032x}", f"{2:032x}"}
    deposit = replace(fact(30, "deposit.matched", "", 200, remittance_id="r1"), journey_id="", event_id=f"{tenant}-d")
    await record(database, tenant, [deposit])
    assert await fold(database, tenant) == 2
    ended = await find_journeys(database.transaction, tenant, Search(state="ended"))
    assert len(ended) == 3 and sorted(one.elapsed_us for one in ended) == [70, 200, 200]
    assert (await rebuild(database, tenant, check=True)).differing == 0


async def test_a_deposit_that_was_heard_first_counts_as_well(database: Database, tenant: str) -> None:
    deposit = replace(fact(30, "deposit.matched", "", 200, remittance_id="r1"), journey_id="", event_id=f"{tenant}-d")
    await record(database, tenant, [deposit])
    assert await fold(database, tenant) == 0
    posted = fact(20, "payment.posted", "paid", 100, remittance_id="r1", settlement="awaited")
    await record(database, tenant, visit(1, tenant, [*straight()[:7], posted]))
    await fold(database, tenant)
    assert [one.elapsed_us for one in await find_journeys(database.transaction, tenant, Search(state="ended"))] == [200]


async def test_spans_are_exported_when_quiet_and_each_once(database: Database, tenant: str) -> None:
    facts = visit(1, tenant, straight())
    await record(database, tenant, facts[:4])
    await fold(database, tenant)
    assert await export(database, tenant, HEARD - timedelta(seconds=1)) == []
    first = await export(database, tenant)
    assert [span.name for span in first[0].spans] == ["stage coding", "stage charge"]
    assert [stage.name for stage in first[0].stages] == ["coding", "charge"] and not first[0].ended
    assert await export(database, tenant) == []
    await record(database, tenant, facts[4:])
    await fold(database, tenant)
    second = await export(database, tenant)
    assert [span.name for span in second[0].spans] == [
        "journey",
        "stage submission",
        "stage clearinghouse",
        "stage payer",
    ]
    assert second[0].ended
    journey, _ = await get_journey(database.transaction, tenant, f"{1:032x}", "")
    sent = sorted((*first[0].spans, *second[0].spans), key=lambda span: span.span_id)
    assert sent == sorted(spans_of(journey), key=lambda span: span.span_id) and len(sent) == 6


async def test_a_takeback_exports_a_new_root_and_ends_the_journey_but_once(database: Database, tenant: str) -> None:
    await record(database, tenant, visit(1, tenant, straight()))
    await fold(database, tenant)
    assert (await export(database, tenant))[0].ended
    again = [fact(20, "payment.reversed", "", 100), fact(21, "payment.posted", "paid", 150)]
    await record(database, tenant, visit(1, tenant, again))
    await fold(database, tenant)
    (exported,) = await export(database, tenant)
    root = exported.spans[0]
    assert (root.name, bool(root.link_id), exported.ended) == ("journey", True, False)
    assert [span.name for span in exported.spans[1:]] == ["stage settled", "stage payer"]


async def test_a_late_fact_exports_what_it_changed_and_nothing_else(database: Database, tenant: str) -> None:
    facts = visit(1, tenant, straight())
    await record(database, tenant, [one for one in facts if one.type != "encounter.coded"])
    await fold(database, tenant)
    await export(database, tenant)
    await record(database, tenant, [one for one in facts if one.type == "encounter.coded"])
    await fold(database, tenant)
    (exported,) = await export(database, tenant)
    assert [span.name for span in exported.spans] == ["stage coding", "stage charge"]
    assert not exported.ended


async def test_the_rebuild_is_equal_and_sees_and_mends_what_is_wrong(database: Database, tenant: str) -> None:
    await record(database, tenant, [one for n in range(1, 6) for one in visit(n, tenant, straight())])
    opened = replace(fact(60, "work.opened", "unmatched-deposit"), journey_id="", event_id=f"{tenant}-w")
    await record(database, tenant, [opened, *visit(9, tenant, [fact(1, "coverage.verified")])])
    await fold(database, tenant)
    fine = await rebuild(database, tenant, check=True)
    assert (fine.journeys, fine.facts, fine.differing, fine.unbegun, fine.dead_letters) == (5, 41, 0, 1, 0)
    assert fine.journeys_expected == 6
    async with database.transaction(tenant) as conn:
        await conn.execute("update stage set elapsed_us = 0, started_at = ended_at where journey_id = $1", f"{2:032x}")
        await conn.execute("update journey set paid_cents = 7 where journey_id = $1", f"{3:032x}")
        await conn.execute("update journey set journey_id = $1 where journey_id = $2", "f" * 32, f"{4:032x}")
    broken = await rebuild(database, tenant, check=True)
    assert broken.differing_ids == (f"{2:032x}", f"{3:032x}", f"{4:032x}", "f" * 32)
    projected = Projected()
    assert (await rebuild(database, tenant, check=False, projected=projected)).differing == 4
    assert projected.cleared == 2 and projected.recorded == [f"{tenant}-w"]
    assert projected.journeys == {f"{n:032x}": 8 for n in range(1, 6)}
    assert (await rebuild(database, tenant, check=True)).differing == 0


async def test_a_check_does_not_count_what_is_still_to_be_added_up(database: Database, tenant: str) -> None:
    await record(database, tenant, visit(1, tenant, straight()))
    assert (await rebuild(database, tenant, check=True)).differing == 0
    assert await find_journeys(database.transaction, tenant, Search()) == []


async def test_facts_of_a_journey_that_nothing_begins_are_kept_and_counted_until_it_begins(
    database: Database, tenant: str
) -> None:
    await record(database, tenant, visit(1, tenant, [fact(80, "coverage.verified")]))
    await fold(database, tenant)
    async with database.transaction(tenant) as conn:
        assert await store.unbegun_count(conn) == 1
    await record(database, tenant, visit(1, tenant, straight()))
    await fold(database, tenant)
    async with database.transaction(tenant) as conn:
        assert await store.unbegun_count(conn) == 0
    assert len((await get_journey(database.transaction, tenant, f"{1:032x}", ""))[1]) == 9


async def test_a_fact_that_is_told_again_is_counted_and_changes_nothing_else(database: Database, tenant: str) -> None:
    facts = visit(1, tenant, straight())
    await record(database, tenant, facts)
    await fold(database, tenant)
    (before,) = await find_journeys(database.transaction, tenant, Search())
    await record(database, tenant, facts[:2])
    await fold(database, tenant)
    (after,) = await find_journeys(database.transaction, tenant, Search())
    assert {one.kind: one.count for one in after.notices}["duplicate"] == 2
    assert replace(after, notices=before.notices) == before


async def test_pages_are_newest_first_and_whole(database: Database, tenant: str) -> None:
    await record(database, tenant, [one for n in range(1, 8) for one in visit(n, tenant, straight(), day=n % 4)])
    await fold(database, tenant)
    seen, after = [], ""
    while True:
        page = await find_journeys(database.transaction, tenant, Search(limit=3, after=after))
        seen += page
        if len(page) < 3:
            break
        after = cursor_of(page[-1])
    keys = [(one.started_at, one.journey_id) for one in seen]
    assert len(keys) == 7 and keys == sorted(keys, reverse=True)
    for wrong in ("x", "-", "a-b", "9" * 40 + "-a"):
        with pytest.raises(Unreadable):
            await find_journeys(database.transaction, tenant, Search(after=wrong))


async def test_each_filter_finds_its_own_and_nothing_else(database: Database, tenant: str) -> None:
    one = {"claim_id": "c1", "payer_id": "p1", "payer_class": "medicare", "source": "east", "encounter": "Encounter/1"}
    two = {"claim_id": "c2", "payer_id": "p2", "payer_class": "other", "source": "west", "encounter": "Encounter/2"}
    await record(database, tenant, visit(1, tenant, straight(), **one))
    await record(database, tenant, visit(2, tenant, straight()[:4], day=2, **two))
    await fold(database, tenant)

    async def numbers(**wanted: object) -> list[int]:
        found = await find_journeys(database.transaction, tenant, Search(**wanted))  # type: ignore[arg-type]
        return [int(journey.journey_id, 16) for journey in found]

    assert await numbers() == [2, 1]
    assert await numbers(stage="submission") == await numbers(state="in-flight") == [2]
    assert await numbers(outcome="paid") == await numbers(stage="settled") == [1]
    assert await numbers(payer_id="p1") == await numbers(payer_class="medicare") == await numbers(feed="east") == [1]
    assert await numbers(feed="west", outcome="paid") == await numbers(payer_id="p3") == []
    for text in ("c2", "Encounter/2", f"{2:032x}"):
        assert await numbers(text=text) == [2]
    assert await numbers(text="c") == await numbers(text="Encounter/%") == await numbers(text="c2", feed="east") == []
    assert await numbers(since=at(0) + timedelta(days=1)) == [2]
    assert await numbers(until=at(0) + timedelta(days=2)) == [1]


async def test_what_is_unfinished_is_counted_by_stage_with_its_dollars(database: Database, tenant: str) -> None:
    claim = {"payer_class": "medicare", "open_cents": 500}
    await record(database, tenant, visit(1, tenant, straight()[:7], **claim))
    await record(database, tenant, visit(2, tenant, straight()[:7], day=1, **claim))
    await record(database, tenant, visit(3, tenant, straight(), payer_class="other"))
    owed = [*straight()[:7], fact(20, "payment.posted", "paid", 100, patient_cents=40)]
    await record(database, tenant, visit(4, tenant, owed, payer_class="other"))
    await fold(database, tenant)
    async with database.transaction(tenant) as conn:
        found = await store.unfinished(conn)
    assert [(one.stage, one.payer_class, one.count, one.cents) for one in found] == [
        ("patient", "other", 1, 40),
        ("payer", "medicare", 2, 1000),
    ]
    assert found[1].oldest == at(60)


async def test_claims_are_at_risk_in_the_last_tenth_of_their_window_only(database: Database, tenant: str) -> None:
    window = {"service_on": "2026-01-01", "filing_due": "2026-04-11", "payer_class": "medicare"}
    await record(database, tenant, visit(1, tenant, straight()[:4], **window))
    await record(database, tenant, visit(2, tenant, straight()[:5], **window))
    await fold(database, tenant)
    async with database.transaction(tenant) as conn:
        assert await store.claims_at_risk(conn, date(2026, 4, 1)) == {}
        assert await store.claims_at_risk(conn, date(2026, 4, 2)) == {"medicare": 1}


async def test_another_tenant_finds_nothing(database: Database, tenant: str) -> None:
    await record(database, tenant, visit(1, tenant, straight()))
    await fold(database, tenant)
    with pytest.raises(Refused) as refused:
        await get_journey(database.transaction, f"{tenant}-other", f"{1:032x}", "")
    assert refused.value.kind == "not_found"
    assert await find_journeys(database.transaction, f"{tenant}-other", Search()) == []
    with pytest.raises(Refused):
        await get_journey(database.transaction, tenant, JOURNEY, "")


async def test_the_tenants_that_told_something_are_listed_for_the_relays_role(database: Database, tenant: str) -> None:
    await record(database, tenant, visit(1, tenant, straight()[:1]))
    await record(database, tenant, visit(2, tenant, straight()[:1]))
    assert (await store.tenants_heard(database.relay)).count(tenant) == 1
