"""The proof that an 835 adds up, at line, claim and transaction level, and the exact segment where it does not.

Line: SVC02 - sum(line CAS) = SVC03. Claim: CLP03 - sum(claim and line CAS) = CLP04. Transaction: sum(CLP04) -
sum(PLB) = BPR02; a positive PLB amount reduces the payment. AMT never balances (X12 RFI 2601). What fails is never
plugged (RFI 1604, 2660).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from x12.amounts import AmountError, to_cents
from x12.read import FRAME, Source, batches
from x12.tree import Place, Segment, TransactionSet


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


class Ledger:
    """The proof of one 835 as its segments go by. `start` is the position of ST. With `keep` every claim is kept for
    the report, else only what breaks, so that the size of the set does not matter."""

    def __init__(self, start: int, keep: bool = True) -> None:
        self.start, self.keep = start, keep
        self.claim: _Unit | None = None
        self.line: _Unit | None = None
        self.claims: list[ClaimBalance] = []
        self.breaks: list[Break] = []
        self.count = 0
        self.paid = 0
        self.provider = 0
        self.total = 0
        self.bpr: Segment | None = None

    def feed(self, segments: Iterable[Segment]) -> None:
        """Take the next segments."""
        steps = _STEPS
        for segment in segments:
            if segment[0] in steps:
                steps[segment[0]](self, segment)

    def finish(self) -> BalanceReport:
        """The end of the set: the transaction's own sum, and the report."""
        self.close_claim()
        if self.bpr is not None:
            total = self.cents(self.bpr, 2)
            # BPR03 D takes the money back from the provider's account
            self.total = -total if self.bpr.get(3) == "D" else total
            if self.total != self.paid - self.provider:
                expected = self.paid - self.provider
                self.broken("transaction", "835.transaction.balance", self.bpr, 2, expected, self.total)
        return BalanceReport(
            total_cents=self.total, paid_cents=self.paid, provider_adjustment_cents=self.provider,
            claims=tuple(self.claims), breaks=tuple(self.breaks),
        )  # fmt: skip

    def drain(self) -> list[Break]:
        """The breaks so far, forgotten here."""
        breaks, self.breaks = self.breaks, []
        return breaks

    def cents(self, segment: Segment, element: int) -> int:
        """An amount; one that cannot be read is a break of its own and counts as nothing."""
        try:
            text = segment[1][element - 1]
            return to_cents(text) if text else 0
        except IndexError:
            return 0
        except AmountError:
            self.broken("line" if segment.id in ("SVC", "CAS") else "claim", "835.amount", segment, element, 0, 0)
            return 0

    def broken(self, level: str, rule: str, segment: Segment, element: int, expected: int, found: int) -> None:
        """Note a sum that fails."""
        self.breaks.append(
            Break(
                level=level, rule=rule, segment_id=segment.id, position=segment.position,
                set_position=segment.position - self.start + 1, element=element, expected_cents=expected,
                found_cents=found,
            )
        )  # fmt: skip

    def close_line(self) -> None:
        """SVC02 less its CAS is SVC03."""
        line = self.line
        if line is not None and line.charge - line.adjusted != line.paid:
            self.broken("line", "835.line.balance", line.segment, 3, line.charge - line.adjusted, line.paid)
        self.line = None

    def close_claim(self) -> None:
        """CLP03 less every CAS is CLP04."""
        self.close_line()
        claim = self.claim
        if claim is None:
            return
        if claim.charge - claim.adjusted != claim.paid:
            self.broken("claim", "835.claim.balance", claim.segment, 4, claim.charge - claim.adjusted, claim.paid)
        self.count += 1
        if self.keep:
            self.claims.append(
                ClaimBalance(
                    position=claim.segment.position, charge_cents=claim.charge, adjustment_cents=claim.adjusted,
                    paid_cents=claim.paid, lines=claim.lines,
                )
            )  # fmt: skip
        self.claim = None


def balance(transaction: TransactionSet) -> BalanceReport:
    """Prove one 835, of any version: it reads BPR, CLP, SVC, CAS and PLB wherever they stand."""
    ledger = Ledger(transaction.start)
    ledger.feed(transaction.segments)
    return ledger.finish()


class SetBalance(NamedTuple):
    """The proof of one 835 of a stream, and which set of the data it is."""

    place: Place
    claims: int
    report: BalanceReport


def balance_stream(data: Source) -> Iterator[SetBalance]:
    """Prove every 835 in data of any size. The reports leave out the single claims and hold the breaks."""
    place = Place()
    ledger: Ledger | None = None
    for batch, _ in batches(data):
        run: list[Segment] = []
        for segment in batch:
            if segment[0] not in FRAME:
                run.append(segment)
                continue
            if ledger is not None:
                ledger.feed(run)
            run = []
            if ledger is not None:
                report = ledger.finish()
                yield SetBalance(place, ledger.count, report)
                ledger = None
            place = place.after(segment.id)
            if segment.id == "ST" and segment.get(1) == "835":
                ledger = Ledger(segment.position, keep=False)
        if ledger is not None:
            ledger.feed(run)
    if ledger is not None:
        report = ledger.finish()
        yield SetBalance(place, ledger.count, report)


def _bpr(ledger: Ledger, segment: Segment) -> None:
    ledger.bpr = segment


def _clp(ledger: Ledger, segment: Segment) -> None:
    ledger.close_claim()
    paid = ledger.cents(segment, 4)
    ledger.claim = _Unit(segment, ledger.cents(segment, 3), paid)
    ledger.paid += paid


def _svc(ledger: Ledger, segment: Segment) -> None:
    ledger.close_line()
    ledger.line = _Unit(segment, ledger.cents(segment, 2), ledger.cents(segment, 3))
    if ledger.claim is not None:
        ledger.claim.lines += 1


def _cas(ledger: Ledger, segment: Segment) -> None:
    amount = ledger.cents(segment, 3)
    if len(segment[1]) > 5:
        amount += sum([ledger.cents(segment, at) for at in range(6, len(segment[1]) + 1, 3)])
    if ledger.line is not None:
        ledger.line.adjusted += amount
    if ledger.claim is not None:
        ledger.claim.adjusted += amount


def _plb(ledger: Ledger, segment: Segment) -> None:
    ledger.close_claim()
    for at in range(4, len(segment[1]) + 1, 2):
        ledger.provider += ledger.cents(segment, at)


def _end(ledger: Ledger, segment: Segment) -> None:
    ledger.close_claim()


_STEPS = {"BPR": _bpr, "CLP": _clp, "SVC": _svc, "CAS": _cas, "PLB": _plb, "LX": _end, "SE": _end}
