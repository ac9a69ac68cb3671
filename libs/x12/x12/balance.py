"""The proof that an 835 adds up, at line, claim and transaction level, and the exact segment where it does not.

Line: SVC02 - sum(line CAS) = SVC03. Claim: CLP03 - sum(claim and line CAS) = CLP04. Transaction: sum(CLP04) -
sum(PLB) = BPR02; a positive PLB amount reduces the payment. AMT never balances (X12 RFI 2601). What fails is never
plugged (RFI 1604, 2660).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from x12.amounts import AmountError, to_cents
from x12.tree import Segment, TransactionSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One sum that fails. `level` is line, claim or transaction; `position` counts from ISA, `set_position` from ST."""

    level: str
    rule: str
    segment_id: str
    position: int
    set_position: int
    element: int
    expected_cents: int
    found_cents: int

    @property
    def difference_cents(self) -> int:
        """Found less expected."""
        return self.found_cents - self.expected_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimBalance:
    """One CLP: charge, adjustments (claim and lines), payment, and how many lines stand below it."""

    position: int
    charge_cents: int
    adjustment_cents: int
    paid_cents: int
    lines: int

    @property
    def balanced(self) -> bool:
        """Charge less adjustments is the payment."""
        return self.charge_cents - self.adjustment_cents == self.paid_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceReport:
    """The whole proof. `total_cents` BPR02 (negative when BPR03 says debit), `paid_cents` the sum of CLP04,
    `provider_adjustment_cents` the sum of PLB."""

    total_cents: int
    paid_cents: int
    provider_adjustment_cents: int
    claims: tuple[ClaimBalance, ...]
    breaks: tuple[Break, ...]

    @property
    def balanced(self) -> bool:
        """No sum fails."""
        return not self.breaks


@dataclass(slots=True)
class _Unit:
    """An open CLP or SVC."""

    segment: Segment
    charge: int
    paid: int
    adjusted: int = 0
    lines: int = 0


@dataclass(slots=True)
class _Ledger:
    start: int
    claim: _Unit | None = None
    line: _Unit | None = None
    claims: list[ClaimBalance] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    paid: int = 0
    provider: int = 0
    bpr: Segment | None = None

    def cents(self, segment: Segment, element: int) -> int:
        """An amount; one that cannot be read is a break of its own and counts as nothing."""
        try:
            return to_cents(segment.get(element)) if segment.get(element) else 0
        except AmountError:
            self.broken("line" if segment.id in ("SVC", "CAS") else "claim", "835.amount", segment, element, 0, 0)
            return 0

    def broken(self, level: str, rule: str, segment: Segment, element: int, expected: int, found: int) -> None:
        self.breaks.append(
            Break(
                level=level, rule=rule, segment_id=segment.id, position=segment.position,
                set_position=segment.position - self.start + 1, element=element, expected_cents=expected,
                found_cents=found,
            )
        )  # fmt: skip

    def close_line(self) -> None:
        line = self.line
        if line is not None and line.charge - line.adjusted != line.paid:
            self.broken("line", "835.line.balance", line.segment, 3, line.charge - line.adjusted, line.paid)
        self.line = None

    def close_claim(self) -> None:
        self.close_line()
        claim = self.claim
        if claim is None:
            return
        if claim.charge - claim.adjusted != claim.paid:
            self.broken("claim", "835.claim.balance", claim.segment, 4, claim.charge - claim.adjusted, claim.paid)
        self.claims.append(
            ClaimBalance(
                position=claim.segment.position, charge_cents=claim.charge, adjustment_cents=claim.adjusted,
                paid_cents=claim.paid, lines=claim.lines,
            )
        )  # fmt: skip
        self.claim = None


def balance(transaction: TransactionSet) -> BalanceReport:
    """Prove one 835, of any version: it reads BPR, CLP, SVC, CAS and PLB wherever they stand."""
    ledger = _Ledger(transaction.start)
    for segment in transaction.segments:
        step = _STEPS.get(segment.id)
        if step is not None:
            step(ledger, segment)
    ledger.close_claim()
    total = _total(ledger)
    return BalanceReport(
        total_cents=total,
        paid_cents=ledger.paid,
        provider_adjustment_cents=ledger.provider,
        claims=tuple(ledger.claims),
        breaks=tuple(ledger.breaks),
    )


def _total(ledger: _Ledger) -> int:
    if ledger.bpr is None:
        return 0
    total = ledger.cents(ledger.bpr, 2)
    # BPR03 D takes the money back from the provider's account
    total = -total if ledger.bpr.get(3) == "D" else total
    expected = ledger.paid - ledger.provider
    if total != expected:
        ledger.broken("transaction", "835.transaction.balance", ledger.bpr, 2, expected, total)
    return total


def _bpr(ledger: _Ledger, segment: Segment) -> None:
    ledger.bpr = segment


def _clp(ledger: _Ledger, segment: Segment) -> None:
    ledger.close_claim()
    ledger.claim = _Unit(segment, ledger.cents(segment, 3), ledger.cents(segment, 4))
    ledger.paid += ledger.claim.paid


def _svc(ledger: _Ledger, segment: Segment) -> None:
    ledger.close_line()
    ledger.line = _Unit(segment, ledger.cents(segment, 2), ledger.cents(segment, 3))
    if ledger.claim is not None:
        ledger.claim.lines += 1


def _cas(ledger: _Ledger, segment: Segment) -> None:
    amount = sum(ledger.cents(segment, at) for at in range(3, len(segment.elements) + 1, 3))
    if ledger.line is not None:
        ledger.line.adjusted += amount
    if ledger.claim is not None:
        ledger.claim.adjusted += amount


def _plb(ledger: _Ledger, segment: Segment) -> None:
    ledger.close_claim()
    ledger.provider += sum(ledger.cents(segment, at) for at in range(4, len(segment.elements) + 1, 2))


def _end(ledger: _Ledger, segment: Segment) -> None:
    ledger.close_claim()


_STEPS = {"BPR": _bpr, "CLP": _clp, "SVC": _svc, "CAS": _cas, "PLB": _plb, "LX": _end, "SE": _end}
