"""How the payers decide claims: a table of reasons to deny, then the price. Pure: what happened before is handed in.

Every amount is integer cents; what is taken off a line and what is paid always add up to its charge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from x12.views.claim import Claim837, ClaimLine
from x12.views.parties import Adjustment, Member
from x12.views.remittance import ClaimPayment, LinePayment, RemitPerson

from simulator.codes import separate_from_evaluation
from simulator.model import Authorization, Payer, PayerRules
from simulator.people import find_person


class History(Protocol):
    """What the payer remembers of earlier claims and authorizations."""

    def authorization(self, number: str) -> Authorization | None: ...

    def paid_under(self, payer_id: str, member_id: str, service: str) -> str | None:
        """CLM01 of the claim under which the same service was decided before."""
        ...

    def deductible_used_cents(self, payer_id: str, member_id: str, year: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Case:
    """A claim before its payer: everything that a reason to deny may look at."""

    claim: Claim837
    payer: Payer
    rules: PayerRules
    received: date
    history: History

    @property
    def patient_id(self) -> str:
        return self.claim.subscriber.member_id

    @property
    def behaviour(self) -> str:
        return self.rules.behaviour(self.patient_id)


@dataclass(frozen=True, slots=True)
class Denial:
    """One reason to pay nothing for a line: group, CARC, RARC, and when it holds."""

    reason: str
    holds: Callable[[Case, ClaimLine], bool]
    remark: str = ""
    group: str = "CO"


@dataclass(frozen=True, slots=True)
class Share:
    """How one allowed line is divided. allowed = deductible + copay + coinsurance + paid."""

    allowed_cents: int
    deductible_cents: int
    copay_cents: int
    coinsurance_cents: int

    @property
    def patient_cents(self) -> int:
        return self.deductible_cents + self.copay_cents + self.coinsurance_cents

    @property
    def paid_cents(self) -> int:
        return self.allowed_cents - self.patient_cents


@dataclass(frozen=True, slots=True)
class Decided:
    """The payment, and how much deductible the member has used up by it."""

    payment: ClaimPayment
    deductible_cents: int


def half_up(cents: int, percent: int) -> int:
    """A whole percentage of an amount, half a cent rounded up."""
    return (cents * percent + 50) // 100


def share_line(payer: Payer, code: str, charge_cents: int, deductible_left_cents: int = 0) -> Share:
    """What the payer allows for a line and who bears it: deductible, then copay, then coinsurance of the rest."""
    allowed = half_up(charge_cents, payer.allowed_percent)
    deductible = min(deductible_left_cents, allowed)
    copay = min(payer.copay_cents, allowed - deductible) if code in payer.copay_codes else 0
    return Share(allowed, deductible, copay, half_up(allowed - deductible - copay, payer.coinsurance_percent))


def service_key(claim: Claim837, line: ClaimLine) -> str:
    """What makes two lines the same service: day, code, modifiers and who rendered it."""
    npi = (line.rendering or claim.rendering or claim.billing).npi
    return "|".join((line.date_from.isoformat(), line.code, ",".join(sorted(line.modifiers)), npi))


def adjudicate(case: Case, payer_claim_number: str) -> Decided:
    """Decide every line of a claim."""
    year = min(line.date_from for line in case.claim.lines).year
    used = case.history.deductible_used_cents(case.payer.id, case.patient_id, year)
    left = max(0, case.payer.deductible_cents - used) if _bears_deductible(case) else 0
    lines: list[LinePayment] = []
    taken = 0
    for line in case.claim.lines:
        payment, deductible = _decide_line(case, line, left - taken)
        lines.append(payment)
        taken += deductible
    return Decided(_claim_payment(case, payer_claim_number, tuple(lines)), taken)


def reverse(payment: ClaimPayment) -> ClaimPayment:
    """The takeback of a payment: status 22, every amount negated (RFI 1429)."""
    return replace(
        payment,
        status="22",
        charge_cents=-payment.charge_cents,
        paid_cents=-payment.paid_cents,
        patient_responsibility_cents=0,
        adjustments=_negated(payment.adjustments),
        lines=tuple(
            replace(
                line,
                charge_cents=-line.charge_cents,
                paid_cents=-line.paid_cents,
                allowed_cents=None,
                adjustments=_negated(line.adjustments),
            )
            for line in payment.lines
        ),
    )


def _negated(adjustments: tuple[Adjustment, ...]) -> tuple[Adjustment, ...]:
    return tuple(replace(adjustment, amount_cents=-adjustment.amount_cents) for adjustment in adjustments)


def _decide_line(case: Case, line: ClaimLine, deductible_left: int) -> tuple[LinePayment, int]:
    denial = next((row for row in DENIALS if row.holds(case, line)), None)
    if denial is not None:
        refused = Adjustment(denial.group, denial.reason, line.charge_cents)
        return _line_payment(line, 0, 0, (refused,), (denial.remark,) if denial.remark else ()), 0
    share = share_line(case.payer, line.code, line.charge_cents, deductible_left)
    amounts = (
        ("CO", "45", line.charge_cents - share.allowed_cents),
        ("PR", "1", share.deductible_cents),
        ("PR", "2", share.coinsurance_cents),
        ("PR", "3", share.copay_cents),
    )
    taken_off = tuple(Adjustment(group, reason, cents) for group, reason, cents in amounts if cents)
    return _line_payment(line, share.paid_cents, share.allowed_cents, taken_off), share.deductible_cents


def _line_payment(
    line: ClaimLine, paid: int, allowed: int, adjustments: tuple[Adjustment, ...], remarks: tuple[str, ...] = ()
) -> LinePayment:
    return LinePayment(
        code=line.code,
        modifiers=line.modifiers,
        charge_cents=line.charge_cents,
        paid_cents=paid,
        units=line.units,
        date_from=line.date_from,
        adjustments=adjustments,
        line_control=line.line_control,
        allowed_cents=allowed,
        remark_codes=remarks,
    )


def _claim_payment(case: Case, number: str, lines: tuple[LinePayment, ...]) -> ClaimPayment:
    claim = case.claim
    patient = [a.amount_cents for line in lines for a in line.adjustments if a.group == "PR"]
    return ClaimPayment(
        control_number=claim.control_number,
        status="2" if claim.coverage.responsibility == "S" else "1",
        charge_cents=claim.total_cents,
        paid_cents=sum(line.paid_cents for line in lines),
        patient_responsibility_cents=sum(patient),
        filing_indicator=case.payer.filing_indicator,
        payer_claim_number=number,
        place_of_service=claim.place_of_service,
        frequency=claim.frequency,
        patient=_remit_person(claim.patient or claim.subscriber, claim.subscriber.member_id),
        lines=lines,
        received_date=case.received,
    )


def _remit_person(member: Member, member_id: str) -> RemitPerson:
    return RemitPerson(last=member.last, first=member.first, id=member_id, id_qualifier="MI")


def _bears_deductible(case: Case) -> bool:
    return case.patient_id[-1:] in case.payer.deductible_digits


def _not_covered_then(case: Case, line: ClaimLine) -> bool:
    person = find_person(case.patient_id, case.payer.letter)
    return person is None or not person.plan.contains(line.date_from)


def _filed_late(case: Case, line: ClaimLine) -> bool:
    return (case.received - line.date_from).days > case.payer.timely_filing_days


def _decided_before(case: Case, line: ClaimLine) -> bool:
    if case.claim.frequency != "1":
        return False
    earlier = case.history.paid_under(case.payer.id, case.patient_id, service_key(case.claim, line))
    return earlier is not None and earlier != case.claim.control_number


def _no_provider(case: Case, line: ClaimLine) -> bool:
    return not (line.rendering or case.claim.rendering or case.claim.billing).npi


def _drug_without_ndc(case: Case, line: ClaimLine) -> bool:
    return line.code.startswith("J") and line.drug is None


def _not_authorized(case: Case, line: ClaimLine) -> bool:
    if line.code not in case.payer.authorization_codes:
        return False
    given = case.history.authorization(case.claim.prior_authorization)
    return given is None or not (
        (given.payer_id, given.member_id, given.code) == (case.payer.id, case.patient_id, line.code)
        and given.valid.contains(line.date_from)
    )


def _evaluation_not_separate(case: Case, line: ClaimLine) -> bool:
    others = [other.code for other in case.claim.lines if other is not line]
    return "25" not in line.modifiers and separate_from_evaluation(line.code, others)


def _whole_claim_refused(case: Case, line: ClaimLine) -> bool:
    return case.behaviour == "claim-denied"


def _smallest_line_refused(case: Case, line: ClaimLine) -> bool:
    if case.behaviour != "smallest-line-denied" or len(case.claim.lines) < 2:
        return False
    return line is min(case.claim.lines, key=lambda one: (one.charge_cents, one.code))


# In the order in which a payer looks: may it be paid at all, is it complete, was it allowed, is it needed.
DENIALS = (
    Denial("27", _not_covered_then),
    Denial("29", _filed_late),
    Denial("18", _decided_before),
    Denial("16", _no_provider, remark="N290"),
    Denial("16", _drug_without_ndc, remark="M119"),
    Denial("197", _not_authorized),
    Denial("97", _evaluation_not_separate),
    Denial("50", _whole_claim_refused),
    Denial("50", _smallest_line_refused),
)
