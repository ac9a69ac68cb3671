"""The service over a real Postgres: files in, books and facts out, once, in one transaction, tenant by tenant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from bus import Database, Event, Timer
from clearinghouse import MailFile, open_clearinghouse
from kernel.clock import FixedClock
from kernel.errors import Refused
from rcm.billing.v1.billing_pb2 import ServiceLine
from rcm.claims.v1.claims_pb2 import ClaimChanged
from rcm.event.v1.envelope_pb2 import Envelope
from rcm.remittance.v1 import remittance_pb2 as pb
from remittance.desk import desk_of
from remittance.entry_events import EventEntry
from remittance.entry_files import Mailbox, take_remittance_file
from remittance.entry_grpc import RemittanceServicer
from remittance.handlers.disputes import resolve_denial
from remittance.handlers.ports import DEPOSIT_DUE
from remittance.model.ledger import Balance
from remittance.model.remittance import UnmatchedPayment
from remittance.rules import load_rulebook
from remittance.statement import read_statement
from remittance.store import PostgresBooks

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
RULES = load_rulebook()
PAID = (("CO", "45", 4000), ("PR", "2", 1200))
DENIED = (("CO", "197", 10000),)


class Quiet:
    """A log that counts."""

    def __init__(self) -> None:
        self.errors = 0

    def error(self, event: str, **details: Any) -> None:
        self.errors += 1


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def database(platform: Any, clock: FixedClock) -> AsyncIterator[Database]:
    database = Database(platform.url_for("remittance"), "remittance", clock, pool_size=4)
    await database.open()
    yield database
    await database.close()


def submitted(claim_id: str = "c1", cents: int = 10000) -> ClaimChanged:
    line = ServiceLine(code="99213", control_number=f"L{claim_id}", charge_cents=cents, units="1")
    return ClaimChanged(
        claim_id=claim_id,
        control_number=f"CTL{claim_id}",
        encounter=f"Encounter/{claim_id}",
        payer_id="SYNPA",
        patient="Patient/p1",
        coverage="Coverage/v1",
        state="submitted",
        total_cents=cents,
        lines=[line],
    )


async def submit(database: Database, tenant: str, claim_id: str = "c1") -> None:
    event = Event("e" + claim_id, "claim.submitted", tenant, "a" * 32, "k", 1, NOW, "", submitted(claim_id))
    async with database.unit(tenant, event) as unit:
        await EventEntry(RULES).take_claim(unit, event, None)


async def receive(database: Database, tenant: str, text: str) -> Any:
    async with database.unit(tenant) as unit:
        return await take_remittance_file(unit, RULES, text.encode())


async def statement(database: Database, tenant: str, claim_id: str = "") -> Any:
    async with database.unit(tenant) as unit:
        return await read_statement(unit.conn, claim_id, totals_only=False)


async def facts(database: Database, tenant: str) -> list[tuple[str, str]]:
    async with database.unit(tenant) as unit:
        rows = await unit.conn.fetch("select type, envelope from outbox")
    return sorted((row["type"], Envelope.FromString(row["envelope"]).journey_id) for row in rows)


async def test_a_claim_is_paid_and_the_books_stand(database: Database, tenant: str, payment: Any, era: Any) -> None:
    await submit(database, tenant)
    await submit(database, tenant)
    for _ in range(2):
        (taken,) = await receive(database, tenant, era(payment(adjustments=PAID)))
    assert taken.known
    found = await statement(database, tenant)
    wanted = Balance(
        billed_cents=10000, paid_cents=4800, adjusted_cents=4000, contractual_cents=4000, patient_cents=1200
    )
    assert (found.claims, found.payers, found.tenant) == ((("c1", wanted),), (("SYNPA", wanted),), wanted)
    assert sum(line.debit_cents - line.credit_cents for line in found.entries) == 0
    told = await facts(database, tenant)
    assert told == [("payment.posted", "a" * 32), ("remittance.received", "")]


async def test_an_835_before_its_claim_waits_in_the_tables(
    database: Database, tenant: str, payment: Any, era: Any, takeback: Any
) -> None:
    paid = payment(adjustments=PAID, remark_codes=("MA01",))
    (taken,) = await receive(database, tenant, era(paid))
    await receive(database, tenant, era(takeback(paid), trace="T2", method="NON", control=2))
    assert taken.unmatched == 1 and (await statement(database, tenant)).claims == ()
    await submit(database, tenant)
    found = await statement(database, tenant, "c1")
    assert found.claims == (("c1", Balance(billed_cents=10000, open_cents=10000)),)
    async with database.unit(tenant) as unit:
        assert await unit.conn.fetchval("select count(*) from unmatched_payment where settled_at is null") == 0
        assert await unit.conn.fetchval("select count(*) from work where open") == 0
    types = [name for name, _ in await facts(database, tenant)]
    assert types.count("work.opened") == types.count("work.closed") == 2


async def test_a_denial_is_resolved_over_grpc(database: Database, tenant: str, payment: Any, era: Any) -> None:
    await submit(database, tenant)
    await receive(database, tenant, era(payment(adjustments=DENIED)))
    async with database.unit(tenant) as unit:
        work_id = await unit.conn.fetchval("select work_id from denial")
        balance = await resolve_denial(desk_of(unit, RULES), work_id, "write_off", "")
    assert balance == Balance(billed_cents=10000, adjusted_cents=10000)


async def test_a_payment_is_taken_back_once(
    database: Database, tenant: str, payment: Any, era: Any, takeback: Any
) -> None:
    paid = payment(adjustments=PAID)
    await submit(database, tenant)
    await receive(database, tenant, era(paid))
    for number in (2, 3):
        await receive(database, tenant, era(takeback(paid), trace=f"T{number}", method="NON", control=number))
    assert (await statement(database, tenant)).tenant == Balance(billed_cents=10000, open_cents=10000)
    async with database.unit(tenant) as unit:
        assert [item.reason for item in await PostgresBooks(unit.conn, NOW).unmatched("CTLc1")] == [
            "reversal-without-original"
        ]


async def test_another_tenant_sees_nothing(database: Database, tenant: str, payment: Any, era: Any) -> None:
    await submit(database, tenant)
    await receive(database, tenant, era(payment(adjustments=PAID)))
    other = await statement(database, f"{tenant}-other")
    assert other.entries == () and other.tenant == Balance()
    await submit(database, f"{tenant}-other")
    assert (await statement(database, f"{tenant}-other")).tenant == Balance(billed_cents=10000, open_cents=10000)


async def test_an_unknown_claim_has_no_statement(database: Database, tenant: str) -> None:
    with pytest.raises(Refused) as refused:
        await statement(database, tenant, "nothing")
    assert refused.value.kind == "not_found"


async def test_a_lopsided_posting_cannot_commit(database: Database, tenant: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="sum to zero"):
        async with database.unit(tenant) as unit:
            await unit.conn.execute(
                """insert into posting (posting_id, kind, claim_id, payer_id, remittance_id, reason, concerns, mark,
                    posted_at) values ('p', 'payment', '', '', '', '', '', '', now())"""
            )
            await unit.conn.execute(
                """insert into entry (posting_id, ordinal, account, debit_cents, credit_cents, claim_id, payer_id)
                    values ('p', 1, 'cash', 1, 0, '', '')"""
            )


@pytest.mark.parametrize("statement", ["update entry set debit_cents = 0", "delete from entry", "delete from posting"])
async def test_the_books_can_only_grow(database: Database, tenant: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.unit(tenant) as unit:
            await unit.conn.execute(statement)


async def test_a_crash_leaves_nothing_behind(database: Database, tenant: str, payment: Any, era: Any) -> None:
    await submit(database, tenant)
    with pytest.raises(ZeroDivisionError):
        async with database.unit(tenant) as unit:
            await take_remittance_file(unit, RULES, era(payment(adjustments=PAID)).encode())
            raise ZeroDivisionError
    assert (await statement(database, tenant)).tenant.open_cents == 10000
    await receive(database, tenant, era(payment(adjustments=PAID)))
    assert (await statement(database, tenant)).tenant.open_cents == 0


async def test_what_waits_comes_back_as_it_was(database: Database, tenant: str, payment: Any, era: Any) -> None:
    await receive(database, tenant, era(payment(adjustments=DENIED, line_remarks=("N54",))))
    async with database.unit(tenant) as unit:
        (waiting,) = await PostgresBooks(unit.conn, unit.now).unmatched("CTLc1")
    assert waiting.payment.lines[0].remark_codes == ("N54",)
    assert msgspec.json.decode(msgspec.json.encode(waiting), type=UnmatchedPayment) == waiting


class Directory:
    """A drop folder as the clearinghouse writes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cursor = 0

    def drop(self, kind: str, raw: bytes) -> None:
        self.cursor += 1
        place = self.folder / "out" / kind
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{self.cursor:012d}-f{self.cursor}.x12").write_bytes(raw)


def mailbox(database: Database, tenant: str, folder: Path, **changes: Any) -> Mailbox:
    known: dict[str, Any] = {
        "database": database,
        "clearinghouse": open_clearinghouse(folder.as_uri(), "THROUGHLINE"),
        "rules": RULES,
        "tenant": tenant,
        "every_s": 0.01,
        "attempts": 2,
        "log": Quiet(),
    }
    return Mailbox(**(known | changes))


async def test_the_mailbox_is_read_once_and_goes_on_where_it_was(
    database: Database, tenant: str, tmp_path: Path, payment: Any, era: Any, ccd: Any
) -> None:
    await submit(database, tenant)
    drop = Directory(tmp_path)
    drop.drop("835", era(payment(adjustments=PAID)).encode())
    drop.drop("CCD", ccd(4800, "T1"))
    assert await mailbox(database, tenant, tmp_path).read_once() == 2
    assert await mailbox(database, tenant, tmp_path).read_once() == 0
    drop.drop("835", b"ISA*broken")
    drop.drop("CCD", b"broken")
    assert await mailbox(database, tenant, tmp_path).read_once() == 2
    assert await mailbox(database, tenant, tmp_path).read_once() == 0
    types = [name for name, _ in await facts(database, tenant)]
    assert types == [
        "deposit.matched",
        "payment.posted",
        "remittance.quarantined",
        "remittance.quarantined",
        "remittance.received",
        "work.opened",
        "work.opened",
    ]
    async with database.unit(tenant) as unit:
        assert await unit.conn.fetchval("select count(*) from file") == 4
        assert await unit.conn.fetchval("select count(*) from timer") == 0


class Listed:
    """A mailbox that lists the same file for ever, however far we are: two readers at once see this."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    async def list_files(self, kinds: Any, after: int, limit: int = 100) -> list[MailFile]:
        return [MailFile("f1", kinds[0], 1)] if kinds == ["835"] else []

    async def fetch(self, id: str) -> bytes:
        return self.raw


async def test_a_second_reader_of_the_same_file_does_nothing(
    database: Database, tenant: str, tmp_path: Path, payment: Any, era: Any
) -> None:
    await submit(database, tenant)
    one = mailbox(database, tenant, tmp_path, clearinghouse=Listed(era(payment(adjustments=PAID)).encode()))
    await one.read_once()
    before = await facts(database, tenant)
    again = mailbox(database, tenant, tmp_path, clearinghouse=Listed(b"something else"))
    assert await again.read_once() == 1
    assert await facts(database, tenant) == before


async def test_a_file_that_breaks_us_is_set_aside_at_last(
    database: Database, tenant: str, tmp_path: Path, payment: Any, era: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("remittance.entry_files.take_remittance_file", fail)
    Directory(tmp_path).drop("835", era(payment()).encode())
    box = mailbox(database, tenant, tmp_path)
    with pytest.raises(ZeroDivisionError):
        await box.read_once()
    await box.read_once()
    assert [name for name, _ in await facts(database, tenant)] == ["remittance.quarantined", "work.opened"]
    assert await box.read_once() == 0 and box.log.errors == 1


async def test_a_deposit_alone_becomes_work_after_three_business_days(
    database: Database, tenant: str, clock: FixedClock, ccd: Any, tmp_path: Path
) -> None:
    Directory(tmp_path).drop("CCD", ccd(4800, "T9"))
    await mailbox(database, tenant, tmp_path).read_once()
    async with database.unit(tenant) as unit:
        row = await unit.conn.fetchrow("select kind, key, due_at from timer")
    assert row is not None and row["kind"] == DEPOSIT_DUE and row["due_at"] > NOW + timedelta(days=4)
    clock.advance(days=6)
    timer = Timer(tenant, row["kind"], row["key"], row["due_at"], b"", "", "", 0)
    async with database.unit(tenant) as unit:
        await EventEntry(RULES).take_deposit_due(unit, timer, None)
    assert [name for name, _ in await facts(database, tenant)] == ["deposit.unmatched", "work.opened"]


class Context:
    """A gRPC call of a tenant."""

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant

    def invocation_metadata(self) -> list[tuple[str, str]]:
        return [("rcm-tenant", self.tenant)]


async def test_the_grpc_door(database: Database, tenant: str, payment: Any, era: Any) -> None:
    await submit(database, tenant)
    door, context = RemittanceServicer(database, RULES), Context(tenant)
    text = era(payment(adjustments=DENIED)).encode()
    first = await door.ReceiveRemittance(pb.ReceiveRemittanceRequest(x12=text), context)
    again = await door.ReceiveRemittance(pb.ReceiveRemittanceRequest(x12=text), context)
    assert first.remittances[0].remittance_id == again.remittances[0].remittance_id
    assert first.remittances[0].reconciliation_json and not again.remittances[0].reconciliation_json
    broken = await door.ReceiveRemittance(pb.ReceiveRemittanceRequest(x12=b"no"), context)
    assert broken.remittances[0].reason.startswith("x12-unreadable@")
    async with database.unit(tenant) as unit:
        work_id = await unit.conn.fetchval("select work_id from denial")
    request = pb.ResolveDenialRequest(work_id=work_id, action="write_off")
    assert (await door.ResolveDenial(request, context)).balance.adjusted_cents == 10000
    ledger = await door.GetLedger(pb.GetLedgerRequest(claim_id="c1"), context)
    assert [(item.key, item.adjusted_cents) for item in ledger.claims] == [("c1", 10000)]
    totals = await door.GetLedger(pb.GetLedgerRequest(totals_only=True), context)
    assert not totals.entries and not totals.claims and totals.tenant.billed_cents == 10000


async def test_a_claim_and_its_remittance_at_the_same_moment_find_each_other(
    database: Database, tenant: str, payment: Any, era: Any
) -> None:
    for number in range(8):
        claim_id = f"c{number}"
        text = era(payment(claim_id, adjustments=PAID), trace=f"T{number}", control=number + 1)
        await asyncio.gather(submit(database, tenant, claim_id), receive(database, tenant, text))
    found = await statement(database, tenant)
    assert found.tenant == Balance(
        billed_cents=80000,
        paid_cents=38400,
        adjusted_cents=32000,
        contractual_cents=32000,
        patient_cents=9600,
    )


async def test_two_remittances_and_a_person_at_once_keep_the_books(
    database: Database, tenant: str, payment: Any, era: Any, takeback: Any
) -> None:
    denied = payment(adjustments=DENIED)
    await submit(database, tenant)
    await receive(database, tenant, era(denied, method="NON"))
    async with database.unit(tenant) as unit:
        work_id = await unit.conn.fetchval("select work_id from denial")

    async def give_up() -> None:
        async with database.unit(tenant) as unit:
            await resolve_denial(desk_of(unit, RULES), work_id, "write_off", "")

    back = era(takeback(denied), trace="T2", method="NON", control=2)
    paid = era(payment(adjustments=PAID), trace="T3", control=3)
    await asyncio.gather(
        give_up(), receive(database, tenant, back), receive(database, tenant, paid), return_exceptions=True
    )
    wanted = Balance(
        billed_cents=10000,
        paid_cents=4800,
        adjusted_cents=4000,
        contractual_cents=4000,
        patient_cents=1200,
        open_cents=0,
    )
    assert (await statement(database, tenant)).tenant == wanted
