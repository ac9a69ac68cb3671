"""SNIP 3 and 4 of an 837P: charges that add up, other payers that balance, pointers and dates that make sense."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from x12.amounts import AmountError, from_cents, to_cents
from x12.check.values import is_date
from x12.loops import Frame
from x12.tree import Segment


class Fault(NamedTuple):
    """A fault of an element, to be placed by the caller."""

    snip: int
    rule: str
    loop: str
    segment: Segment
    element: int
    code: str
    found: str
    expected: str


class Claim(NamedTuple):
    """What the rules look at: the claim's loop, the patient's birth date, the day on which the file was made."""

    loop: Frame
    birth: str
    made_on: str
    mark: str


def claim_faults(root: Frame, mark: str) -> Iterator[Fault]:
    """The faults of every claim of a set."""
    made_on = _value(root, "BHT", 4)
    for level, person in _people(root):
        born = _value(person, "DMG", 2) if person else ""
        for loop in _loops(level, "2300"):
            claim = Claim(loop, born, made_on, mark)
            yield from _charges(claim)
            yield from _other_payers(claim)
            yield from _line_adjudications(claim)
            yield from _pointers(claim)
            yield from _dates(claim)


def _people(root: Frame) -> Iterator[tuple[Frame, Frame | None]]:
    for billing in _loops(root, "2000A"):
        for subscriber in _loops(billing, "2000B"):
            yield subscriber, _loop(subscriber, "2010BA")
            for dependent in _loops(subscriber, "2000C"):
                yield dependent, _loop(dependent, "2010CA")


def _loops(frame: Frame, name: str) -> list[Frame]:
    return [item for item in frame.items if isinstance(item, Frame) and item.row.id == name]


def _loop(frame: Frame, name: str) -> Frame | None:
    return next(iter(_loops(frame, name)), None)


def _all(frame: Frame, segment_id: str) -> list[Segment]:
    return [item for item in frame.items if isinstance(item, Segment) and item.id == segment_id]


def _first(frame: Frame, segment_id: str, qualifier: str = "") -> Segment | None:
    found = (item for item in _all(frame, segment_id) if not qualifier or item.get(1) == qualifier)
    return next(found, None)


def _value(frame: Frame, segment_id: str, element: int) -> str:
    segment = _first(frame, segment_id)
    return segment.get(element) if segment else ""


def _cents(text: str) -> int:
    """Amounts that are none have their own finding; here they count as nothing."""
    try:
        return to_cents(text) if text else 0
    except AmountError:
        return 0


def _charges(claim: Claim) -> Iterator[Fault]:
    clm = _first(claim.loop, "CLM")
    if clm is None:
        return
    total = sum(_cents(_value(line, "SV1", 2)) for line in _loops(claim.loop, "2400"))
    if _cents(clm.get(2)) != total:
        yield Fault(3, "837P.charges", "2300", clm, 2, "I12", clm.get(2), from_cents(total))


def _adjusted(frame: Frame) -> int:
    return sum(_cents(cas.get(at)) for cas in _all(frame, "CAS") for at in range(3, len(cas.elements) + 1, 3))


def _line_adjudications(claim: Claim) -> Iterator[Fault]:
    """Every 2430: SV102 less its adjustments is SVD02."""
    for line in _loops(claim.loop, "2400"):
        charge = _cents(_value(line, "SV1", 2))
        for item in _loops(line, "2430"):
            svd = _first(item, "SVD")
            expected = charge - _adjusted(item)
            if svd is not None and _cents(svd.get(2)) != expected:
                yield Fault(3, "837P.line-adjudication", "2430", svd, 2, "I12", svd.get(2), from_cents(expected))


def _other_payers(claim: Claim) -> Iterator[Fault]:
    """Every 2320 with AMT*D and adjustments: CLM02 less its own and its lines' adjustments is AMT*D."""
    total = _cents(_value(claim.loop, "CLM", 2))
    adjudications = [item for line in _loops(claim.loop, "2400") for item in _loops(line, "2430")]
    for other in _loops(claim.loop, "2320"):
        paid = _first(other, "AMT", "D")
        payer = _loop(other, "2330B")
        payer_id = _value(payer, "NM1", 9) if payer else ""
        theirs = [item for item in adjudications if payer_id and _value(item, "SVD", 1) == payer_id]
        if paid is None or not (theirs or _all(other, "CAS")):
            continue
        expected = total - _adjusted(other) - sum(_adjusted(item) for item in theirs)
        if _cents(paid.get(2)) != expected:
            yield Fault(3, "837P.other-payer", "2320", paid, 2, "I12", paid.get(2), from_cents(expected))


def _pointers(claim: Claim) -> Iterator[Fault]:
    """Diagnosis pointers name diagnoses that are there."""
    known = 0
    for hi in _all(claim.loop, "HI"):
        if hi.get(1).split(claim.mark, 1)[0] in ("ABK", "BK"):
            known = sum(1 for text in hi.elements if text)
    for line in _loops(claim.loop, "2400"):
        sv1 = _first(line, "SV1")
        for text in sv1.get(7).split(claim.mark) if sv1 else ():
            if sv1 and text.isascii() and text.isdigit() and not 1 <= int(text) <= known:
                yield Fault(4, "837P.diagnosis-pointer", "2400", sv1, 7, "I12", text, f"1 to {known}")


def _dates(claim: Claim) -> Iterator[Fault]:
    """Nobody is treated before birth or after the file was made."""
    for line in _loops(claim.loop, "2400"):
        dtp = _first(line, "DTP", "472")
        if dtp is None:
            continue
        start, _, end = dtp.get(3).partition("-")
        if is_date(claim.made_on) and is_date(end or start) and (end or start) > claim.made_on:
            yield Fault(4, "837P.service-in-future", "2400", dtp, 3, "I12", "", "not after BHT04")
        if is_date(claim.birth) and is_date(start) and start < claim.birth:
            yield Fault(4, "837P.service-before-birth", "2400", dtp, 3, "I12", "", "not before the birth date")
