"""SNIP 3 and 4 of the claims of an 837 that take arithmetic: charges that add up, other payers that balance, pointers,
dates and numbers that agree. Situations that need no arithmetic are rows of `x12.tables.situations`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from x12.amounts import AmountError, from_cents, to_cents
from x12.check.faults import Fault
from x12.check.finding import WARNING, shape
from x12.check.values import is_date
from x12.loops import Frame
from x12.tree import Segment

# guide: service segment, element of the charge, element of the diagnosis pointers
_SERVICES = {
    "837P": ("SV1", 2, 7),
    "837I": ("SV2", 3, 0),
    "837D": ("SV3", 2, 11),
    "837P-predetermination": ("SV1", 2, 7),
    "837I-predetermination": ("SV2", 3, 0),
}
_DIAGNOSES = frozenset(("ABK", "BK", "ABF", "BF"))


class Line(NamedTuple):
    """A 2400 loop opened up: its LX, service, day, control number and what other payers made of it."""

    opener: Segment
    service: Segment | None
    charge: int
    day: Segment | None
    control: Segment | None
    adjudications: list[Frame]


class Claim(NamedTuple):
    """What the rules look at: the claim and its lines, HI, the days of statement and service that the claim has itself,
    the patient's birth date, the day the file was made."""

    name: str
    clm: Segment
    total: int
    lines: list[Line]
    diagnoses: list[Segment]
    statement: Segment | None
    own: Segment | None
    birth: str
    made_on: str
    mark: str


class Layout(NamedTuple):
    """Where the segments of a `Claim` without other payers stand, counted from CLM as 0, for the claims that are built
    like it; -1 is absent. Of each line: LX, service, day, control number."""

    lines: list[tuple[int, int, int, int]]
    diagnoses: list[int]
    statement: int
    own: int


def claim_faults(unit: Frame, mark: str, name: str) -> Iterator[Fault]:
    """The faults of one claim: `unit` is its 2300 frame, below frames that still know patient and header."""
    claim = _claim(unit, mark, name)
    if claim is None:
        return
    yield from _own_faults(claim)
    if "2320" in unit.loop_counts:
        yield from _other_payers(claim, unit)
        yield from _responsibilities(claim, unit)
    yield from _line_adjudications(claim, unit)


def like_faults(layout: Layout, segments: Sequence[Segment], unit: Frame, mark: str, name: str) -> Iterator[Fault]:
    """The faults of a claim by the layout of one that is built alike; its segments need no loops for that."""
    found: list[Segment | None] = [*segments, None]
    lines = []
    for opener, at, day, control in layout.lines:
        charge = _cents(segments[at].get(_SERVICES[name][1])) if at >= 0 else 0
        lines.append(Line(segments[opener], found[at], charge, found[day], found[control], []))
    return _own_faults(
        Claim(
            name, segments[0], _cents(segments[0].get(2)), lines, [segments[at] for at in layout.diagnoses],
            found[layout.statement], found[layout.own], _birth(unit), _made_on(unit), mark,
        )
    )  # fmt: skip


def layout_of(unit: Frame, mark: str, name: str) -> Layout | None:
    """The layout of a claim; None when it has other payers or none of the services that are looked at."""
    claim = _claim(unit, mark, name)
    if claim is None or "2320" in unit.loop_counts or any(line.adjudications for line in claim.lines):
        return None
    start = claim.clm.position

    def at(segment: Segment | None) -> int:
        return segment.position - start if segment is not None else -1

    lines = [(at(line.opener), at(line.service), at(line.day), at(line.control)) for line in claim.lines]
    return Layout(lines, [at(hi) for hi in claim.diagnoses], at(claim.statement), at(claim.own))


def _claim(unit: Frame, mark: str, name: str) -> Claim | None:
    clm = _first(unit, "CLM")
    if clm is None or name not in _SERVICES:
        return None
    service = _SERVICES[name]
    lines = [_line(item, service) for item in unit.items if isinstance(item, Frame) and item.row.id == "2400"]
    return Claim(
        name, clm, _cents(clm.get(2)), lines, _all(unit, "HI"), _first(unit, "DTP", "434"), _first(unit, "DTP", "472"),
        _birth(unit), _made_on(unit), mark,
    )  # fmt: skip


def _own_faults(claim: Claim) -> Iterator[Fault]:
    yield from _charges(claim)
    yield from _pointers(claim, _SERVICES[claim.name][2])
    yield from _dates(claim)
    yield from _numbers(claim)


def _line(frame: Frame, service: tuple[str, int, int]) -> Line:
    found: Segment | None = None
    day: Segment | None = None
    control: Segment | None = None
    adjudications: list[Frame] = []
    for item in frame.items:
        if isinstance(item, Frame):
            if item.row.id == "2430":
                adjudications.append(item)
        elif item[0] == service[0]:
            found = found or item
        elif item[0] == "DTP":
            day = item if day is None and item.get(1) == "472" else day
        elif item[0] == "REF":
            control = item if control is None and item.get(1) == "6R" else control
    charge = _cents(found.get(service[1])) if found else 0
    opener = frame.opener or found or Segment("LX", (), 0)
    return Line(opener, found, charge, day, control, adjudications)


def _birth(unit: Frame) -> str:
    level = unit.parent
    person = (_loop(level, "2010CA") or _loop(level, "2010BA")) if level else None
    return _value(person, "DMG", 2) if person else ""


def _made_on(unit: Frame) -> str:
    root = unit
    while root.parent is not None:
        root = root.parent
    return _value(root, "BHT", 4)


def _loops(frame: Frame, name: str) -> list[Frame]:
    return [item for item in frame.items if isinstance(item, Frame) and item.row.id == name]


def _loop(frame: Frame, name: str) -> Frame | None:
    return next(iter(_loops(frame, name)), None)


def _all(frame: Frame, segment_id: str) -> list[Segment]:
    return [item for item in frame.items if isinstance(item, Segment) and item.id == segment_id]


def _first(frame: Frame, segment_id: str, qualifier: str = "") -> Segment | None:
    for item in frame.items:
        if isinstance(item, Segment) and item.id == segment_id and (not qualifier or item.get(1) == qualifier):
            return item
    return None


def _value(frame: Frame, segment_id: str, element: int) -> str:
    segment = _first(frame, segment_id)
    return segment.get(element) if segment else ""


def _cents(text: str) -> int:
    """Amounts that are none have their own finding; here they count as nothing."""
    try:
        return to_cents(text) if text else 0
    except AmountError:
        return 0


def _shown(text: str) -> str:
    """A number as it is, anything else by its shape: it may be what does not belong into a finding."""
    digits = text.replace(".", "").replace("-", "")
    return text if len(text) < 19 and digits.isascii() and digits.isdigit() else shape(text)


def _charges(claim: Claim) -> Iterator[Fault]:
    total = sum(line.charge for line in claim.lines)
    if claim.total != total:
        yield Fault(
            3, f"{claim.name}.charges", "2300", claim.clm, 2, "I12", _shown(claim.clm.get(2)), from_cents(total)
        )


def _adjusted(frame: Frame) -> int:
    return sum(_cents(cas.get(at)) for cas in _all(frame, "CAS") for at in range(3, len(cas.elements) + 1, 3))


def _line_adjudications(claim: Claim, unit: Frame) -> Iterator[Fault]:
    """Every 2430: the charge less its adjustments is SVD02, and its payer is one of the claim's other payers."""
    if not any(line.adjudications for line in claim.lines):
        return
    payers = {_payer_id(other) for other in _loops(unit, "2320")}
    for line in claim.lines:
        for item in line.adjudications:
            svd = _first(item, "SVD")
            if svd is None:
                continue
            expected = line.charge - _adjusted(item)
            if _cents(svd.get(2)) != expected:
                rule = f"{claim.name}.line-adjudication"
                yield Fault(3, rule, "2430", svd, 2, "I12", _shown(svd.get(2)), from_cents(expected))
            if svd.get(1) not in payers:
                yield Fault(4, f"{claim.name}.line-payer", "2430", svd, 1, "I12", "", "NM109 of a 2330B")


def _payer_id(other: Frame) -> str:
    payer = _loop(other, "2330B")
    return _value(payer, "NM1", 9) if payer else ""


def _other_payers(claim: Claim, unit: Frame) -> Iterator[Fault]:
    """Every 2320 with AMT*D and adjustments: CLM02 less its own and its lines' adjustments is AMT*D."""
    adjudications = [item for line in claim.lines for item in line.adjudications]
    for other in _loops(unit, "2320"):
        paid = _first(other, "AMT", "D")
        payer_id = _payer_id(other)
        theirs = [item for item in adjudications if payer_id and _value(item, "SVD", 1) == payer_id]
        if paid is None or not (theirs or _all(other, "CAS")):
            continue
        expected = claim.total - _adjusted(other) - sum(_adjusted(item) for item in theirs)
        if _cents(paid.get(2)) != expected:
            rule = f"{claim.name}.other-payer"
            yield Fault(3, rule, "2320", paid, 2, "I12", _shown(paid.get(2)), from_cents(expected))


def _responsibilities(claim: Claim, unit: Frame) -> Iterator[Fault]:
    """Every payer of a claim has a place of its own in the order of payment; only U (unknown) may come twice."""
    level: Frame | None = unit.parent
    while level is not None and level.row.id != "2000B":
        level = level.parent
    seen = {_value(level, "SBR", 1)} if level else set()
    for other in _loops(unit, "2320"):
        sbr = _first(other, "SBR")
        place = sbr.get(1) if sbr else ""
        if sbr is not None and place in seen and place not in ("", "U"):
            yield Fault(4, f"{claim.name}.responsibility", "2320", sbr, 1, "I12", place[:1], "a place not taken")
        seen.add(place)


def _pointers(claim: Claim, element: int) -> Iterator[Fault]:
    """Diagnosis pointers name diagnoses that are there."""
    if not element:
        return
    known = 0
    for hi in claim.diagnoses:
        if hi.get(1).split(claim.mark, 1)[0] in _DIAGNOSES:
            known = sum(1 for text in hi.elements if text)
    for line in claim.lines:
        service = line.service
        for text in service.get(element).split(claim.mark) if service else ():
            if service and text.isascii() and text.isdigit() and not 1 <= int(text) <= known:
                rule = f"{claim.name}.diagnosis-pointer"
                yield Fault(4, rule, "2400", service, element, "I12", text, f"1 to {known}")


def _dates(claim: Claim) -> Iterator[Fault]:
    """Nobody is treated before birth or after the file was made; lines lie within the statement."""
    statement = claim.statement
    first, _, last = statement.get(3).partition("-") if statement else ("", "", "")
    dated = [("2300", dtp) for dtp in (statement, claim.own) if dtp]
    dated += [("2400", line.day) for line in claim.lines if line.day]
    for loop, dtp in dated:
        start, _, end = dtp.get(3).partition("-")
        end = end or start
        if not (is_date(start) and is_date(end)):
            continue
        if claim.made_on and end > claim.made_on and is_date(claim.made_on):
            yield _dated(claim, loop, dtp, "service-in-future", "not after BHT04")
        if claim.birth and start < claim.birth and is_date(claim.birth):
            yield _dated(claim, loop, dtp, "service-before-birth", "not before the birth date")
        if loop == "2400" and statement and not first <= start <= end <= last:
            yield _dated(claim, loop, dtp, "service-outside-statement", "within DTP*434")


def _dated(claim: Claim, loop: str, dtp: Segment, rule: str, expected: str) -> Fault:
    severity = WARNING if rule == "service-outside-statement" else "error"
    return Fault(4, f"{claim.name}.{rule}", loop, dtp, 3, "I12", "", expected, severity=severity)


def _numbers(claim: Claim) -> Iterator[Fault]:
    """Lines are numbered from 1 up, and their control numbers are unique: the 835 answers by them."""
    seen: set[str] = set()
    for number, line in enumerate(claim.lines, 1):
        opener = line.opener
        if opener.get(1) != str(number):
            yield Fault(4, f"{claim.name}.line-number", "2400", opener, 1, "I12", _shown(opener.get(1)), str(number))
        control = line.control
        if control is not None and control.get(2) in seen:
            yield Fault(4, f"{claim.name}.line-control", "2400", control, 2, "I12", "", "unique in the claim")
        if control is not None:
            seen.add(control.get(2))
