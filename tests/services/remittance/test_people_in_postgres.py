"""The doors for people over a real Postgres: lists in pages, a remittance with its proof, denials, payments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bus import Database, Event
from bus.event import decode, open_envelope
from clearinghouse import MailFile
from kernel.clock import FixedClock
from kernel.errors import Refused, Unreadable
from rcm.billing.v1.billing_pb2 import ServiceLine
from rcm.claims.v1.claims_pb2 import ClaimChanged
from rcm.remittance.v1 import remittance_pb2 as pb
from remittance.entry_events import EventEntry
from remittance.entry_files import Mailbox, take_deposit_file, take_remittance_file
from remittance.entry_grpc import RemittanceServicer
from remittance.rules import load_rulebook

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
RULES = load_rulebook()
PAID = (("CO", "45", 4000), ("PR", "2", 1200))
DENIED = (("CO", "197", 10000),)


class Context:
    """A gRPC call of a tenant."""

    def __init__(self, tenant: str, key: str = "") -> None:
        self.metadata = [("rcm-tenant", tenant), ("idempotency-key", key)]

    def invocation_metadata(self) -> list[tuple[str, str]]:
        return self.metadata


class Office:
    """One tenant's books behind the gRPC door."""

    def __init__(self, database: Database, clock: FixedClock, tenant: str) -> None:
        self.database, self.clock, self.tenant = database, clock, tenant
        self.door, self.context = RemittanceServicer(database, RULES), Context(tenant)

    async def submit(self, claim_id: str) -> None:
        body = ClaimChanged(
            claim_id=claim_id,
            control_number=f"CTL{claim_id}",
            encounter=f"Encounter/{claim_id}",
            payer_id="SYNPA",
            payer_class="commercial",
            total_cents=10000,
            lines=[ServiceLine(code="99213", control_number=f"L{claim_id}", charge_cents=10000, units="1")],
        )
        event = Event(f"e-{claim_id}", "claim.submitted", self.tenant, "a" * 32, "k", 1, NOW, "", body)
        async with self.database.unit(self.tenant, event) as unit:
            await EventEntry(RULES).take_claim(unit, event, None)

    async def receive(self, text: str | bytes) -> str:
        raw = text if isinstance(text, bytes) else text.encode()
        answer = await self.door.ReceiveRemittance(pb.ReceiveRemittanceRequest(x12=raw), self.context)
        return answer.remittances[0].remittance_id

    async def bank(self, raw: bytes) -> None:
        async with self.database.unit(self.tenant) as unit:
            await take_deposit_file(unit, RULES, raw)

    async def told(self, name: str) -> list[Any]:
        async with self.database.unit(self.tenant) as unit:
            rows = await unit.conn.fetch("select envelope from outbox where type = $1 order by position", name)
        return [decode(open_envelope(row["envelope"]), {}).body for row in rows]

    async def remittances(self, **asked: Any) -> Any:
        return await self.door.ListRemittances(pb.ListRemittancesRequest(**asked), self.context)

    async def remittance(self, id: str, **asked: Any) -> Any:
        return await self.door.GetRemittance(pb.GetRemittanceRequest(remittance_id=id, **asked), self.context)

    async def denials(self, **asked: Any) -> Any:
        return await self.door.ListDenials(pb.ListDenialsRequest(**asked), self.context)

    async def pay(self, cents: int, key: str = "k1", claim_id: str = "c1", **asked: Any) -> Any:
        request = pb.RecordPatientPaymentRequest(claim_id=claim_id, paid_cents=cents, method="card", **asked)
        return await self.door.RecordPatientPayment(request, Context(self.tenant, key))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def database(platform: Any, clock: FixedClock) -> AsyncIterator[Database]:
    database = Database(platform.url_for("remittance"), "remittance", clock, pool_size=4)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def books(database: Database, clock: FixedClock, tenant: str) -> Office:
    return Office(database, clock, tenant)


async def test_remittances_are_listed_the_newest_first_page_by_page(books: Office, payment: Any, era: Any) -> None:
    ids = []
    for number in range(5):
        books.clock.advance(seconds=60)
        ids.append(await books.receive(era(payment(f"c{number}", adjustments=PAID), trace=f"T{number}")))
    books.clock.advance(seconds=60)
    ids.append(await books.receive(b"not x12"))
    seen, after = [], ""
    for _ in range(10):
        page = await books.remittances(limit=4, after=after)
        seen += [item.remittance_id for item in page.remittances]
        after = page.next
        if not after:
            break
    assert seen == ids[::-1]
    assert (await books.remittances()).next == ""


async def test_those_of_one_instant_are_neither_lost_nor_doubled(books: Office, payment: Any, era: Any) -> None:
    ids = [await books.receive(era(payment(f"c{n}", adjustments=PAID), trace=f"T{n}")) for n in range(5)]
    first = await books.remittances(limit=2)
    second = await books.remittances(limit=2, after=first.next)
    third = await books.remittances(limit=2, after=second.next)
    seen = [item.remittance_id for page in (first, second, third) for item in page.remittances]
    assert sorted(seen) == sorted(ids) and third.next == ""


async def test_remittances_are_found_by_what_they_are(
    books: Office, tenant: str, payment: Any, era: Any, ccd: Any
) -> None:
    await books.submit("c1")
    await books.bank(ccd(4800, "T1"))
    matched = await books.receive(era(payment("c1", adjustments=PAID), trace="T1", method="ACH"))
    awaited = await books.receive(era(payment("c2", adjustments=PAID), trace="T2", method="ACH"))
    nothing = await books.receive(era(payment("c3", adjustments=DENIED), trace="T3", method="NON"))
    broken = await books.receive(era(payment("c4", adjustments=PAID), trace="T4", amount_cents=1))

    async def found(**asked: Any) -> set[str]:
        return {item.remittance_id for item in (await books.remittances(**asked)).remittances}

    assert await found(settlement="matched") == {matched}
    assert await found(settlement="awaited") == {awaited}
    assert await found(settlement="none") == {nothing}
    assert await found(state="quarantined") == {broken}
    assert await found(state="posted") == {matched, awaited, nothing}
    assert await found(text="T2") == {awaited} and await found(text=broken) == {broken}
    assert await found(text="T") == set() and await found(payer_id="SYNPB") == set()
    assert await found(payer_id="SYNPA") == {matched, awaited, nothing, broken}
    assert await found(state="quarantined", settlement="matched") == set()
    other = await books.door.ListRemittances(pb.ListRemittancesRequest(), Context(f"{tenant}-other"))
    assert list(other.remittances) == []


async def test_a_summary_says_what_came(books: Office, payment: Any, era: Any) -> None:
    await books.receive(
        era(payment("c1", adjustments=PAID), payment("c2", adjustments=DENIED), trace="T1", method="ACH")
    )
    [item] = (await books.remittances()).remittances
    assert (item.state, item.paid_cents, item.claims, item.zero_paid, item.unmatched) == ("posted", 4800, 2, 1, 2)
    assert (item.trace_number, item.method, item.payment_date) == ("T1", "ACH", "2026-03-04")
    assert item.received_at.ToDatetime(tzinfo=UTC) == NOW
    [told] = await books.told("remittance.received")
    assert (told.zero_paid, told.settlement, told.received_at.ToDatetime(tzinfo=UTC)) == (1, "awaited", NOW)


async def test_one_remittance_opens_with_its_proof(books: Office, payment: Any, era: Any, ccd: Any) -> None:
    await books.submit("c1")
    await books.bank(ccd(4800, "T1"))
    text = era(payment("c1", adjustments=PAID), payment("c9", adjustments=DENIED), trace="T1", method="ACH")
    page = await books.remittance(await books.receive(text))
    assert (page.balance.claims_paid_cents, page.balance.total_cents, page.balance.balanced) == (4800, 4800, True)
    ours, unknown = page.claims
    assert (ours.claim_id, ours.journey_id, ours.waits_for) == ("c1", "a" * 32, "")
    assert (unknown.claim_id, unknown.waits_for) == ("", "unknown-claim")
    assert (ours.charge_cents, ours.adjusted_cents, ours.paid_cents, ours.balanced) == (10000, 5200, 4800, True)
    [line] = ours.lines
    assert (line.code, line.control_number, line.balanced) == ("99213", "Lc1", True)
    assert [(a.group, a.reason, a.amount_cents) for a in line.adjustments] == [("CO", "45", 4000), ("PR", "2", 1200)]
    assert (page.deposit.trace_number, page.deposit.amount_cents) == ("T1", 4800)
    assert page.claims_next == page.readable_next == ""
    segments = [text.split()[1] for text in page.readable if not text.strip().startswith("[")]
    assert segments[:3] == ["ISA", "GS", "ST"] and segments.count("CLP") == 2 and segments[-1] == "SE"


async def test_a_large_remittance_comes_in_pages(books: Office, payment: Any, era: Any) -> None:
    id = await books.receive(era(*(payment(f"c{n}", adjustments=PAID) for n in range(25))))
    whole = await books.remittance(id)
    seen: list[int] = []
    after = ""
    while True:
        page = await books.remittance(id, claims_limit=10, claims_after=after)
        seen += [claim.ordinal for claim in page.claims]
        after = page.claims_next
        if not after:
            break
    assert seen == list(range(1, 26))
    lines: list[str] = []
    while True:
        page = await books.remittance(id, readable_limit=50, readable_after=after)
        lines += page.readable
        after = page.readable_next
        if not after:
            break
    assert lines == list(whole.readable) and len(lines) > 100


async def test_names_are_masked_when_asked(books: Office, payment: Any, era: Any) -> None:
    id = await books.receive(era(payment("c1", adjustments=PAID)))
    assert any("SAMPLE-ALDER" in line for line in (await books.remittance(id)).readable)
    masked = (await books.remittance(id, masked=True)).readable
    assert masked and not any("SAMPLE-ALDER" in line or "CTLc1" in line for line in masked)


async def test_a_quarantined_one_shows_what_breaks_it(books: Office, payment: Any, era: Any) -> None:
    good = era(payment("c1", adjustments=PAID), trace="T1")
    assert "CLP*CTLc1*1*100*48*" in good
    id = await books.receive(good.replace("CLP*CTLc1*1*100*48*", "CLP*CTLc1*1*100*47*"))
    page = await books.remittance(id)
    shown = page.remittance
    assert (shown.state, shown.rule, shown.segment) == ("quarantined", "835-claim-balance", "CLP[1]")
    assert not page.balance.balanced
    found = [(item.level, item.segment, item.expected_cents, item.found_cents) for item in page.balance.breaks]
    assert ("claim", "CLP[1]", 4800, 4700) in found
    assert [(claim.balanced, claim.claim_id) for claim in page.claims] == [(False, "")]
    assert page.readable and not page.HasField("deposit")


async def test_what_is_no_x12_still_opens(books: Office) -> None:
    page = await books.remittance(await books.receive(b"not x12"))
    assert page.remittance.rule == "x12-unreadable" and not page.claims and not page.readable


async def test_of_a_file_with_two_only_the_one_is_shown(books: Office, payment: Any, era: Any) -> None:
    one, two = [era(payment(f"c{n}", adjustments=PAID), trace=f"T{n}", control=n) for n in (1, 2)]
    answer = await books.door.ReceiveRemittance(pb.ReceiveRemittanceRequest(x12=(one + two).encode()), books.context)
    first, second = [await books.remittance(item.remittance_id) for item in answer.remittances]
    assert [claim.control_number for claim in first.claims] == ["CTLc1"]
    assert [claim.control_number for claim in second.claims] == ["CTLc2"]
    assert not any("CTLc1" in line for line in second.readable)


async def test_what_is_not_there_is_not_found(books: Office) -> None:
    with pytest.raises(Refused, match="remittance-unknown"):
        await books.remittance("none")
    for id in ("none", ""):
        with pytest.raises(Refused, match="denial-unknown"):
            await books.door.GetDenial(pb.GetDenialRequest(work_id=id), books.context)


@pytest.mark.parametrize("token", ["x", "bm90aGluZw==", "MjAyNi0wMS0wMVQwMDowMDowMHx4", "é"])
async def test_a_token_that_is_none_is_unreadable(books: Office, payment: Any, era: Any, token: str) -> None:
    id = await books.receive(era(payment("c1", adjustments=PAID)))
    with pytest.raises(Unreadable, match="page-token"):
        await books.remittances(after=token)
    with pytest.raises(Unreadable, match="page-token"):
        await books.remittance(id, claims_after=token)
    with pytest.raises(Unreadable, match="page-token"):
        await books.remittance(id, readable_after=token)


async def test_denials_are_listed_by_their_deadlines_and_found(books: Office, payment: Any, era: Any) -> None:
    for number in range(3):
        await books.submit(f"c{number}")
        await books.receive(era(payment(f"c{number}", adjustments=DENIED), trace=f"T{number}", method="NON"))
    first = await books.denials(limit=2)
    second = await books.denials(limit=2, after=first.next)
    listed = [*first.denials, *second.denials]
    assert {item.claim_id for item in listed} == {"c0", "c1", "c2"} and second.next == ""
    assert [item.due_on for item in listed] == sorted(item.due_on for item in listed)
    [one] = (await books.denials(text="CTLc1")).denials
    assert (one.claim_id, one.category, list(one.carc), list(one.codes)) == ("c1", "authorization", ["197"], ["99213"])
    assert (one.denied_cents, one.state, one.payer_class, one.journey_id) == (10000, "open", "commercial", "a" * 32)
    assert (await books.denials(text=one.work_id)).denials[0] == one
    assert not (await books.denials(state="appealed")).denials and not (await books.denials(category="units")).denials
    page = await books.remittance(one.remittance_id)
    assert page.claims[0].claim_id == "c1"
    [denied] = [body for body in await books.told("claim.denied") if body.claim_id == "c1"]
    assert (denied.work_id, list(denied.codes), denied.payer_class) == (one.work_id, ["99213"], "commercial")


async def test_an_appeal_moves_the_denial_and_is_told_once(books: Office, payment: Any, era: Any) -> None:
    await books.submit("c1")
    await books.receive(era(payment("c1", adjustments=DENIED), method="NON"))
    [denial] = (await books.denials()).denials
    get = pb.GetDenialRequest(work_id=denial.work_id)
    opened = await books.door.GetDenial(get, books.context)
    assert list(opened.actions) == ["write_off", "appeal"] and opened.balance.open_cents == 10000
    books.clock.advance(seconds=3600)
    appeal = pb.ResolveDenialRequest(work_id=denial.work_id, action="appeal")
    answers = [await books.door.ResolveDenial(appeal, books.context) for _ in range(2)]
    assert answers[0] == answers[1]
    appealed = await books.door.GetDenial(get, books.context)
    assert (appealed.denial.state, list(appealed.actions)) == ("appealed", ["write_off"])
    assert appealed.denial.changed_at.ToDatetime(tzinfo=UTC) == NOW + timedelta(hours=1)
    assert appealed.denial.opened_at.ToDatetime(tzinfo=UTC) == NOW
    [told] = await books.told("claim.appealed")
    assert (told.work_id, told.dollars_cents) == (denial.work_id, 10000)
    await books.receive(era(payment("c1", adjustments=DENIED), trace="T2", method="NON"))
    states = {item.work_id: item.state for item in (await books.denials()).denials}
    assert states.pop(denial.work_id) == "upheld" and list(states.values()) == ["open"]


async def test_a_patient_pays_over_grpc(books: Office, payment: Any, era: Any) -> None:
    await books.submit("c1")
    await books.receive(era(payment("c1", adjustments=PAID)))
    first, again = [await books.pay(500) for _ in range(2)]
    assert first == again
    assert (first.patient_open_cents, first.balance.patient_cents, first.balance.patient_paid_cents) == (700, 1200, 500)
    with pytest.raises(Refused, match="patient-payment-exceeds-balance"):
        await books.pay(701, "k2")
    with pytest.raises(Refused, match="idempotency-key-reused"):
        await books.pay(501)
    with pytest.raises(Unreadable, match="idempotency-key-missing"):
        await books.pay(1, "")
    await books.pay(700, "k2")
    [ledger] = (await books.door.GetLedger(pb.GetLedgerRequest(claim_id="c1"), books.context)).claims
    parts = ledger.paid_cents + ledger.adjusted_cents + ledger.patient_cents + ledger.open_cents
    assert ledger.billed_cents == parts == 10000
    assert (ledger.patient_cents, ledger.patient_paid_cents, ledger.contractual_cents) == (1200, 1200, 4000)
    assert [body.paid_cents for body in await books.told("patient.paid")] == [500, 700]


async def test_many_hands_at_once_never_take_more_than_is_owed(books: Office, payment: Any, era: Any) -> None:
    await books.submit("c1")
    await books.receive(era(payment("c1", adjustments=PAID)))
    tries = [books.pay(500, f"k{number % 4}") for number in range(8)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(refused) == 4 and {error.code for error in refused} == {"patient-payment-exceeds-balance"}
    assert all(isinstance(answer, Refused) or answer.payment_id for answer in answers)
    assert [body.patient_open_cents for body in await books.told("patient.paid")] == [700, 200]


class LateBox:
    """A clearinghouse whose file takes five minutes to come over, and does not come at all on the first time."""

    def __init__(self, content: bytes, clock: FixedClock) -> None:
        self.content, self.clock, self.fetched = content, clock, 0

    async def list_files(self, kinds: Any, after: int, limit: int = 100) -> list[MailFile]:
        return [MailFile("f1", "835", 1)] if after == 0 and "835" in kinds else []

    async def fetch(self, id: str) -> bytes:
        self.clock.advance(seconds=300)
        self.fetched += 1
        if self.fetched == 1:
            raise ValueError("half a file")
        return self.content


async def test_an_835_came_when_it_was_first_seen(books: Office, tenant: str, payment: Any, era: Any) -> None:
    box: Any = LateBox(era(payment("c1", adjustments=PAID), method="CHK").encode(), books.clock)
    mailbox = Mailbox(books.database, box, RULES, tenant, 0.01, 5, None)
    await books.submit("c1")
    with pytest.raises(ValueError, match="half a file"):
        await mailbox.read_once()
    await mailbox.read_once()
    [posted] = await books.told("payment.posted")
    assert posted.received_at.ToDatetime(tzinfo=UTC) == NOW
    assert books.clock.now() == NOW + timedelta(minutes=10) and mailbox.seen_at == {}


async def test_a_record_of_before_has_the_defaults_of_what_it_lacks(books: Office, payment: Any, era: Any) -> None:
    await books.submit("c1")
    id = await books.receive(era(payment("c1", adjustments=PAID), method="CHK"))
    async with books.database.unit(books.tenant) as unit:
        await unit.conn.execute(
            """update remittance set record = convert_to((convert_from(record, 'UTF8')::jsonb
            - 'claims' - 'zero_paid' - 'trace')::text, 'UTF8')"""
        )
    [item] = (await books.remittances()).remittances
    assert (item.remittance_id, item.claims, item.settlement) == (id, 0, "none")


async def test_the_same_835_again_does_not_come_later(books: Office, payment: Any, era: Any) -> None:
    text = era(payment("c1", adjustments=PAID)).encode()
    await books.receive(text)
    books.clock.advance(seconds=86400)
    async with books.database.unit(books.tenant) as unit:
        await take_remittance_file(unit, RULES, text)
    [item] = (await books.remittances()).remittances
    assert item.received_at.ToDatetime(tzinfo=UTC) == NOW
