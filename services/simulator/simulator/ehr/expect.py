"""What should become of a visit: its lines as a coder would write them, and what the payer pays for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.adjudicate import share_line
from simulator.codes import prices, separate_from_evaluation
from simulator.ehr.story import Ending, ExpectedLine, Outcome
from simulator.ehr.table_visits import SIDE_MODIFIER, Visit
from simulator.model import Payer

_ADJUDICATED = frozenset({"paid", "partly-paid", "denied"})
_CLAIMED = _ADJUDICATED | {"rejected", "claim-held"}


@dataclass(frozen=True, slots=True)
class Expectation:
    """The end that a kind of story should have, before the amounts of its visit are known."""

    ending: Ending
    work: tuple[str, ...] = ()
    reason: str = ""


def outcome_of(visit: Visit, payer: Payer, digit: str, expected: Expectation) -> Outcome:
    """The expectation with the visit's lines and amounts in cents."""
    lines = () if expected.ending in {"coder-review", "unmapped-code"} else expected_lines(visit)
    paid, patient = _amounts(lines, payer, digit, expected.ending)
    return Outcome(
        ending=expected.ending,
        lines=lines,
        billed_cents=sum(line.charge_cents for line in lines),
        paid_cents=paid,
        patient_cents=patient,
        claims=1 if expected.ending in _CLAIMED else 0,
        work=expected.work,
        reason="" if expected.reason == "em-under" else expected.reason,
        warnings=("em-under",) if expected.reason == "em-under" else (),
    )


def expected_lines(visit: Visit) -> tuple[ExpectedLine, ...]:
    """One line for everything done, modifiers derived from what the record says."""
    distant = ("95",) if visit.where == "VR" else ()
    others = [item.code for item in visit.done + visit.drugs] + [*visit.labs, *visit.vaccines]
    lines = [_line(item.code, item.units, _side(item.side) + distant) for item in visit.done + visit.drugs]
    lines += [_line(code, 1, distant) for code in visit.labs + visit.vaccines]
    if not visit.evaluation:
        return tuple(lines)
    separate = ("25",) if separate_from_evaluation(visit.evaluation, others) else ()
    return (_line(visit.evaluation, 1, separate + distant), *lines)


def _side(side: str) -> tuple[str, ...]:
    return (SIDE_MODIFIER[side],) if side else ()


def _line(code: str, units: int, modifiers: tuple[str, ...]) -> ExpectedLine:
    return ExpectedLine(code, modifiers, str(units), prices()[code].charge_cents * units)


def _amounts(lines: Sequence[ExpectedLine], payer: Payer, digit: str, ending: Ending) -> tuple[int, int]:
    """Paid by the payer and left to the patient. The payers' prices are whole, so the order of lines is no matter."""
    if ending not in {"paid", "partly-paid"}:
        return 0, 0
    refused = min(lines, key=lambda line: (line.charge_cents, line.code)) if ending == "partly-paid" else None
    left = payer.deductible_cents if digit in payer.deductible_digits else 0
    paid = patient = 0
    for line in lines:
        if line is refused:
            continue
        share = share_line(payer, line.code, line.charge_cents, left)
        left -= share.deductible_cents
        paid, patient = paid + share.paid_cents, patient + share.patient_cents
    return paid, patient
