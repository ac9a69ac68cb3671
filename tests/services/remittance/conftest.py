"""Books in memory that obey the same rules as the tables, and builders of the little that every test needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from remittance.handlers.ports import Desk
from remittance.model import advice, ledger
from remittance.model.claim import AccountLine, ClaimAccount
from remittance.model.denial import Denial
from remittance.model.events import RemittanceQuarantined
from remittance.model.ledger import Balance, Posting, balance_of
from remittance.model.remittance import Deposit, Readable, ReceivedRemittance, UnmatchedPayment, Work
from remittance.rules import load_rulebook
from remittance.wire.era import payment_of
from x12.views.envelope import Envelope
from x12.views.parties import Address, Adjustment
from x12.views.remittance import (
    ClaimPayment,
    LinePayment,
    RemitPayee,
    RemitPayer,
    RemitPerson,
    Remittance,
    build_835,
)

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
RULES = load_rulebook()
ADDRESS = Address("1 SAMPLE STREET", "SAMPLETOWN", "OH", "43004")


class FakeBooks:
    """Dictionaries in the place of tables. Primary keys refuse a second row, as Postgres does."""

    def __init__(self) -> None:
        self.accounts: dict[str, ClaimAccount] = {}
        self.postings: dict[str, Posting] = {}
        self.remittances: dict[str, ReceivedRemittance] = {}
        self.quarantines: dict[str, tuple[str, str]] = {}
        self.waiting: dict[str, UnmatchedPayment] = {}
        self.unmatched_ever: set[str] = set()
        self.denials: dict[str, Denial] = {}
        self.deposits: dict[str, Deposit] = {}
        self.works: dict[str, tuple[Work, bool]] = {}

    async def lock(self, names: Sequence[str]) -> None:
        pass

    async def keep_account(self, account: ClaimAccount) -> None:
        self.accounts[account.claim_id] = account

    async def account(self, claim_id: str) -> ClaimAccount | None:
        return self.accounts.get(claim_id)

    async def accounts_by_control(self, control_numbers: Sequence[str]) -> dict[str, ClaimAccount]:
        return {a.control_number: a for a in self.accounts.values() if a.control_number in control_numbers}

    async def post(self, posting: Posting) -> None:
        assert posting.posting_id not in self.postings, "a posting is made once"
        self.postings[posting.posting_id] = posting

    async def mark(self, posting_id: str) -> str | None:
        posting = self.postings.get(posting_id)
        return posting.mark if posting else None

    async def unreversed(self, claim_id: str) -> list[Posting]:
        reversed_ids = {p.concerns for p in self.postings.values() if p.kind == ledger.REVERSAL}
        return [
            p
            for p in self.postings.values()
            if p.claim_id == claim_id
            and p.kind in (ledger.PAYMENT, ledger.WRITE_OFF)
            and p.posting_id not in reversed_ids
        ]

    async def balance(self, claim_id: str) -> Balance:
        return balance_of(e for p in self.postings.values() if p.claim_id == claim_id for e in p.entries)

    async def add_remittance(self, remittance: ReceivedRemittance) -> None:
        assert remittance.remittance_id not in self.remittances
        self.remittances[remittance.remittance_id] = remittance

    async def remittance(self, remittance_id: str) -> ReceivedRemittance | None:
        return self.remittances.get(remittance_id)

    async def remittances_by_trace(self, trace_number: str) -> list[ReceivedRemittance]:
        return [r for r in self.remittances.values() if r.trace_number == trace_number]

    async def settle_remittance(self, remittance_id: str, deposit_id: str) -> None:
        self.remittances[remittance_id] = replace(self.remittances[remittance_id], deposit_id=deposit_id)

    async def add_quarantine(self, quarantined: RemittanceQuarantined, file_id: str) -> bool:
        new = quarantined.remittance_id not in self.quarantines
        self.quarantines.setdefault(quarantined.remittance_id, (quarantined.rule, quarantined.segment))
        return new

    async def add_unmatched(self, payment: UnmatchedPayment) -> None:
        assert payment.payment_id not in self.unmatched_ever
        self.unmatched_ever.add(payment.payment_id)
        self.waiting[payment.payment_id] = payment

    async def unmatched(self, control_number: str) -> list[UnmatchedPayment]:
        return [w for w in self.waiting.values() if w.payment.control_number == control_number]

    async def settle_unmatched(self, payment_id: str) -> None:
        del self.waiting[payment_id]

    async def count_unmatched(self, remittance_id: str) -> int:
        return sum(w.remittance_id == remittance_id for w in self.waiting.values())

    async def add_denial(self, denial: Denial) -> None:
        assert denial.work_id not in self.denials
        self.denials[denial.work_id] = denial

    async def denial(self, work_id: str) -> Denial | None:
        return self.denials.get(work_id)

    async def denials_of(self, claim_id: str) -> list[Denial]:
        return [d for d in self.denials.values() if d.claim_id == claim_id]

    async def set_denial_state(self, work_id: str, state: str) -> None:
        self.denials[work_id] = replace(self.denials[work_id], state=state)

    async def add_deposit(self, deposit: Deposit) -> bool:
        new = deposit.deposit_id not in self.deposits
        self.deposits.setdefault(deposit.deposit_id, deposit)
        return new

    async def deposit(self, deposit_id: str) -> Deposit | None:
        return self.deposits.get(deposit_id)

    async def deposits_by_trace(self, trace_number: str) -> list[Deposit]:
        return [d for d in self.deposits.values() if d.trace_number == trace_number]

    async def settle_deposit(self, deposit_id: str, remittance_id: str) -> None:
        self.deposits[deposit_id] = replace(self.deposits[deposit_id], remittance_id=remittance_id)

    async def open_work(self, work: Work) -> bool:
        was_open = self.works.get(work.work_id, (work, False))[1]
        self.works[work.work_id] = (work, True)
        return not was_open

    async def close_work(self, work_id: str) -> Work | None:
        work, is_open = self.works.get(work_id, (None, False))
        if work is None or not is_open:
            return None
        self.works[work_id] = (work, False)
        return work


@dataclass
class Office:
    """A desk with books in memory, and everything that was told, scheduled and cancelled at it."""

    books: FakeBooks = field(default_factory=FakeBooks)
    told: list[Any] = field(default_factory=list)
    timers: dict[tuple[str, str], datetime] = field(default_factory=dict)
    resumed: list[str] = field(default_factory=list)

    @property
    def desk(self) -> Desk:
        return Desk(
            books=self.books,
            rules=RULES,
            now=NOW,
            tell=self._tell,
            schedule=self._schedule,
            cancel=self._cancel,
            resume=self._resume,
        )

    async def _tell(self, fact: Any) -> None:
        self.told.append(fact)

    async def _schedule(self, kind: str, key: str, due_at: datetime) -> None:
        self.timers[kind, key] = due_at

    async def _cancel(self, kind: str, key: str) -> None:
        self.timers.pop((kind, key), None)

    def _resume(self, trace: str, journey_id: str) -> nullcontext[None]:
        self.resumed.append(trace)
        return nullcontext()

    def of(self, kind: type) -> list[Any]:
        """The facts of one kind in the order in which they were told."""
        return [fact for fact in self.told if isinstance(fact, kind)]

    def open_works(self) -> list[Work]:
        return [work for work, is_open in self.books.works.values() if is_open]

    def net(self, account: str) -> int:
        """Debit less credit of one account over all postings."""
        return sum(e.net_cents for p in self.books.postings.values() for e in p.entries if e.account == account)


def _account(claim_id: str = "c1", billed_cents: int = 10000, **changes: Any) -> ClaimAccount:
    line = AccountLine(sequence=1, control_number=f"L{claim_id}", code="99213", charge_cents=billed_cents)
    known: dict[str, Any] = {
        "claim_id": claim_id,
        "control_number": f"CTL{claim_id}",
        "payer_id": "SYNPA",
        "billed_cents": billed_cents,
        "encounter": f"Encounter/{claim_id}",
        "patient": "Patient/p1",
        "coverage": "Coverage/v1",
        "provider": "Organization/o1",
        "journey_id": "f" * 32,
        "trace": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        "lines": (line,),
    }
    return ClaimAccount(**(known | changes))


def _payment(
    claim_id: str = "c1",
    charge_cents: int = 10000,
    adjustments: Sequence[tuple[str, str, int]] = (),
    status: str = "1",
    **changes: Any,
) -> ClaimPayment:
    found = tuple(Adjustment(*item) for item in adjustments)
    paid_cents = charge_cents - sum(item.amount_cents for item in found)
    line = LinePayment(
        code="99213",
        charge_cents=charge_cents,
        paid_cents=paid_cents,
        adjustments=found,
        line_control=f"L{claim_id}",
        remark_codes=changes.pop("line_remarks", ()),
    )
    return ClaimPayment(
        control_number=f"CTL{claim_id}",
        status=status,
        charge_cents=charge_cents,
        paid_cents=paid_cents,
        patient_responsibility_cents=sum(item.amount_cents for item in found if item.group == "PR"),
        payer_claim_number=f"ICN{claim_id}",
        lines=(line,),
        **changes,
    )


def _takeback(payment: ClaimPayment) -> ClaimPayment:
    def negated(items: Sequence[Adjustment]) -> tuple[Adjustment, ...]:
        return tuple(replace(item, amount_cents=-item.amount_cents) for item in items)

    named = {"patient_responsibility_cents": 0} if hasattr(payment, "patient_responsibility_cents") else {}
    lines = tuple(
        replace(
            line,
            charge_cents=-line.charge_cents,
            paid_cents=-line.paid_cents,
            adjustments=negated(line.adjustments),
        )
        for line in payment.lines
    )
    return replace(
        payment,
        status="22",
        charge_cents=-payment.charge_cents,
        paid_cents=-payment.paid_cents,
        adjustments=negated(payment.adjustments),
        lines=lines,
        **named,
    )


def _readable(
    *payments: ClaimPayment,
    trace: str = "T1",
    provider_adjustments: Sequence[tuple[str, int]] = (),
    method: str = "ACH",
    content: str = "",
    payer_id: str = "SYNPA",
) -> Readable:
    pairs = tuple(
        advice.ProviderAdjustment(
            provider_id="1", fiscal_period_end=date(2026, 12, 31), reason=reason, amount_cents=cents
        )
        for reason, cents in provider_adjustments
    )
    amount = sum(p.paid_cents for p in payments) - sum(p.amount_cents for p in pairs)
    remittance = ReceivedRemittance(
        remittance_id=f"R-{trace}-{content}",
        payer_id=payer_id,
        payer_name="Synthetic Payer A",
        trace_number=trace,
        trace_origin="1999999999",
        method=method,
        paid_cents=amount,
        payment_date=date(2026, 3, 4),
        content=content or trace,
        file_id="file",
        received_at=NOW,
    )
    known = tuple(item if isinstance(item, advice.ClaimPayment) else payment_of(item) for item in payments)
    return Readable(remittance=remittance, payments=known, provider_adjustments=pairs)


def _era(*payments: Any, trace: str = "T1", control: int = 1, set_control: str = "0001", **changes: Any) -> str:
    claims = tuple(
        replace(item, patient=RemitPerson(last="SAMPLE-ALDER", first="TEST"), date_from=date(2026, 2, 1))
        for item in payments
    )
    claims = tuple(
        replace(item, lines=tuple(replace(line, date_from=date(2026, 2, 1)) for line in item.lines)) for item in claims
    )
    known: dict[str, Any] = {
        "payer": RemitPayer(name="SYNTHETIC PAYER A", id="SYNPA", address=ADDRESS),
        "payee": RemitPayee(name="SAMPLE CLINIC", npi="1234567893", tax_id="999999999", address=ADDRESS),
        "amount_cents": sum(item.paid_cents for item in claims),
        "payment_date": date(2026, 3, 4),
        "trace_number": trace,
        "trace_origin": "1999999999",
        "claims": claims,
    }
    envelope = Envelope(
        sender_id="SYNCLEAR",
        receiver_id="THROUGHLINE",
        control_number=control,
        set_control=set_control,
        created=NOW,
    )
    return build_835(Remittance(**(known | changes)), envelope)


def _ccd(amount_cents: int, trace: str) -> bytes:
    entry = f"622071000013{'123456789':<17}{amount_cents:010d}{'':<15}{'SAMPLE CLINIC':<22}  1{1:015d}"
    addenda = f"705{f'TRN*1*{trace}*1999999999':<80}{1:04d}{1:07d}"
    company = f"{'SYNTHETIC PAYER':<16}{'':<20}{'1999999999':<10}"
    batch = f"5220{company}CCD{'HCCLAIMPMT':<10}{'260304':<6}260305   1{'07100001':<8}{1:07d}"
    control = f"8220{2:06d}{0:010d}{0:012d}{amount_cents:012d}{'1999999999':<10}{'':<25}{'07100001':<8}{1:07d}"
    end = f"9{1:06d}{1:06d}{2:08d}{0:010d}{0:012d}{amount_cents:012d}{'':<39}"
    head = f"101 071000013 0710000132603041200A094101{'BANK':<23}{'CLINIC':<23}{'':<8}"
    return "\n".join([head, batch, entry, addenda, control, end]).encode()


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture(scope="session")
def new_office() -> Callable[[], Office]:
    return Office


@pytest.fixture(scope="session")
def account() -> Callable[..., ClaimAccount]:
    return _account


@pytest.fixture(scope="session")
def payment() -> Callable[..., ClaimPayment]:
    return _payment


@pytest.fixture(scope="session")
def takeback() -> Callable[[ClaimPayment], ClaimPayment]:
    return _takeback


@pytest.fixture(scope="session")
def readable() -> Callable[..., Readable]:
    return _readable


@pytest.fixture(scope="session")
def era() -> Callable[..., str]:
    return _era


@pytest.fixture(scope="session")
def ccd() -> Callable[[int, str], bytes]:
    return _ccd
