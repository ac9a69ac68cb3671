"""SNIP 5: codes that somebody else gives out, by their lists and days, or by their form where no list is given.

Clinical codes (procedures, modifiers, diagnoses, places) must be good on the day of service, each line on its own.
Reasons and remarks must be good on some day from the service to the making of the file: a later answer may repeat an
earlier reason.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from x12.check.faults import Fault
from x12.check.finding import ERROR, WARNING
from x12.code_sets import CodeSet, CodeSets
from x12.tables.table_codes import (
    BILL_TYPES,
    HCPCS,
    ICD9CM,
    ICD10CM,
    ICD10CM_SINCE,
    ICD10PCS,
    is_npi,
    is_past_remark,
)
from x12.tree import Segment


class Days(NamedTuple):
    """The day of service ("" when it is not known) and the day on which the file was made."""

    service: str
    made: str
    sets: CodeSets
    mark: str

    def clinical(self, codes: CodeSet) -> Container[str]:
        """The codes that are good on the day of service."""
        day = self.service or self.made
        return codes.during(day, day)

    def answered(self, codes: CodeSet) -> frozenset[str]:
        """The codes that are good on some day from the service to the file."""
        return codes.between(self.service or self.made, max(self.made, self.service))


_Test = Callable[[Segment, Days], Iterable[Fault]]
_OPENERS = frozenset(("CLM", "CLP", "HL", "SE"))
_LINES = frozenset(("LX", "SVC"))
# qualifiers of dates of service, the better one first: of a line (or a claim) and of a claim only
_SERVICE_DATES = frozenset(("472", "150", "434", "232"))


def code_faults(piece: Sequence[Segment], mark: str, sets: CodeSets, made_on: str = "") -> list[Fault]:
    """The faults of some neighbouring segments, whole claims among them. `made_on` is BHT04 or BPR16."""
    faults: list[Fault] = []
    work: list[tuple[_Test, Segment, int]] = []
    days = [""]
    for segment in piece:
        name = segment.id
        if name in _OPENERS:
            _flush(work, days, made_on, sets, mark, faults)
            work, days = [], [""]
        elif name in _LINES:
            days.append("")
        elif name in ("DTP", "DTM"):
            _date(segment, days)
        test = TESTS.get(name)
        if test is not None:
            work.append((test, segment, len(days) - 1))
    _flush(work, days, made_on, sets, mark, faults)
    return faults


def _date(segment: Segment, days: list[str]) -> None:
    """A day of service, of the open line or claim. Statements count by their end: it decides on the code set."""
    if not days[-1]:
        days[-1] = service_day(segment)


def service_day(segment: Segment) -> str:
    """The day of service that a DTP or DTM gives, empty when it is about something else."""
    return day_of(segment.get(1), segment.get(3) if segment.id == "DTP" else segment.get(2))


def day_of(qualifier: str, text: str) -> str:
    """The day of service of a date under its qualifier."""
    if qualifier not in _SERVICE_DATES:
        return ""
    return text[-8:] if qualifier == "434" else text[:8]


def _flush(
    work: list[tuple[_Test, Segment, int]], days: list[str], made_on: str, sets: CodeSets, mark: str,
    faults: list[Fault],
) -> None:  # fmt: skip
    if not work:
        return
    claim_day = days[0] or next((day for day in days if day), "")
    known = [Days(day or claim_day, made_on, sets, mark) for day in days]
    for test, segment, line in work:
        faults += test(segment, known[line])


def _fault(rule: str, segment: Segment, element: int, component: int, expected: str, severity: str = ERROR) -> Fault:
    return Fault(5, rule, "", segment, element, "I12", "", expected, component, "element", severity)


def _name(segment: Segment, days: Days) -> Iterator[Fault]:
    if segment.get(8) == "XX" and not is_npi(segment.get(9)):
        yield _fault("code.npi", segment, 9, 0, "an NPI with its check digit")


def _payee(segment: Segment, days: Days) -> Iterator[Fault]:
    if segment.get(3) == "XX" and not is_npi(segment.get(4)):
        yield _fault("code.npi", segment, 4, 0, "an NPI with its check digit")


def _city(segment: Segment, days: Days) -> Iterator[Fault]:
    state = segment.get(2)
    if state and segment.get(4) in ("", "US", "CA") and state not in days.clinical(days.sets.states):
        yield _fault("code.state", segment, 2, 0, "a state or province")


def _claim(segment: Segment, days: Days) -> Iterator[Fault]:
    place, _, rest = segment.get(5).partition(days.mark)
    if rest.startswith("B") and place not in days.clinical(days.sets.places):
        yield _fault("code.place-of-service", segment, 5, 1, "a place of service")
    if rest.startswith("A") and place not in BILL_TYPES:
        yield _fault("code.bill-type", segment, 5, 1, "a facility's type of bill")


def _professional(segment: Segment, days: Days) -> Iterator[Fault]:
    yield from _procedure(segment, 1, days)
    if segment.get(5) and segment.get(5) not in days.clinical(days.sets.places):
        yield _fault("code.place-of-service", segment, 5, 0, "a place of service")


def _institutional(segment: Segment, days: Days) -> Iterator[Fault]:
    revenue = days.sets.revenue
    if revenue is not None and segment.get(1) not in days.clinical(revenue):
        yield _fault("code.revenue", segment, 1, 0, "a revenue code of the day of service")
    yield from _procedure(segment, 2, days)


def _dental(segment: Segment, days: Days) -> Iterator[Fault]:
    yield from _procedure(segment, 1, days)


def _payment(segment: Segment, days: Days) -> Iterator[Fault]:
    yield from _procedure(segment, 1, days)
    yield from _procedure(segment, 6, days)


def _adjudication(segment: Segment, days: Days) -> Iterator[Fault]:
    yield from _procedure(segment, 3, days)


def _procedure(segment: Segment, element: int, days: Days) -> Iterator[Fault]:
    parts = segment.get(element).split(days.mark)
    if len(parts) < 2 or parts[0] not in ("HC", "AD"):
        return
    if not HCPCS.fullmatch(parts[1]) or (parts[0] == "AD" and parts[1][0] != "D"):
        yield _fault("code.procedure", segment, element, 2, "a code of the form of HCPCS or CPT")
    elif days.sets.procedures is not None and parts[1] not in days.clinical(days.sets.procedures):
        yield _fault("code.procedure", segment, element, 2, "a code of the day of service")
    if len(parts) > 2:
        yield from _modifiers(segment, element, parts[2:6], days)


def _modifiers(segment: Segment, element: int, modifiers: list[str], days: Days) -> Iterator[Fault]:
    """A modifier that is not in the list may be a payer's own: a warning. One of another day is an error."""
    good = days.clinical(days.sets.modifiers)
    for at, modifier in enumerate(modifiers, 3):
        if modifier and modifier not in good:
            severity = ERROR if modifier in days.sets.modifiers else WARNING
            yield _fault("code.modifier", segment, element, at, "a modifier of the day of service", severity)


_ICD10 = frozenset(("ABK", "ABF", "ABJ", "APR", "ABN"))
_ICD9 = frozenset(("BK", "BF", "BJ", "PR", "BN"))


def _diagnoses(segment: Segment, days: Days) -> Iterator[Fault]:
    for at, text in enumerate(segment.elements, 1):
        parts = text.split(days.mark)
        if len(parts) < 2:
            continue
        kind, code = parts[0], parts[1]
        if kind in _ICD10:
            yield from _icd10(segment, at, code, days)
        elif kind in _ICD9:
            yield from _icd9(segment, at, code, days)
        elif kind in ("BBR", "BBQ"):
            yield from _inpatient(segment, at, code, days)


def _icd10(segment: Segment, at: int, code: str, days: Days) -> Iterator[Fault]:
    listed = days.sets.diagnoses
    if not ICD10CM.fullmatch(code):
        yield _fault("code.diagnosis", segment, at, 2, "a code of the form of ICD-10-CM")
    elif listed is not None and code not in days.clinical(listed):
        yield _fault("code.diagnosis", segment, at, 2, "a code of the day of service")
    if days.service and days.service < ICD10CM_SINCE:
        yield _fault("code.icd-version", segment, at, 1, "ICD-9-CM before October 2015", WARNING)


def _icd9(segment: Segment, at: int, code: str, days: Days) -> Iterator[Fault]:
    if not ICD9CM.fullmatch(code):
        yield _fault("code.diagnosis", segment, at, 2, "a code of the form of ICD-9-CM")
    if days.service >= ICD10CM_SINCE:
        yield _fault("code.icd-version", segment, at, 1, "ICD-10-CM since October 2015")


def _inpatient(segment: Segment, at: int, code: str, days: Days) -> Iterator[Fault]:
    listed = days.sets.inpatient_procedures
    if not ICD10PCS.fullmatch(code):
        yield _fault("code.inpatient-procedure", segment, at, 2, "a code of the form of ICD-10-PCS")
    elif listed is not None and code not in days.clinical(listed):
        yield _fault("code.inpatient-procedure", segment, at, 2, "a code of the day of service")


def _adjustment(segment: Segment, days: Days) -> Iterable[Fault]:
    good = days.answered(days.sets.carc)
    if good.issuperset(filter(None, segment.elements[1::3])):
        return ()
    return [
        _fault("code.carc", segment, at, 0, "a claim adjustment reason code of its day")
        for at in range(2, len(segment.elements) + 1, 3)
        if segment.get(at) and segment.get(at) not in good
    ]


def _remark(segment: Segment, days: Days) -> Iterable[Fault]:
    return _remarks(segment, (2,), days) if segment.get(1) == "HE" else ()


def _outpatient_remarks(segment: Segment, days: Days) -> Iterator[Fault]:
    return _remarks(segment, (3, 4, 5, 6, 7), days)


def _inpatient_remarks(segment: Segment, days: Days) -> Iterator[Fault]:
    return _remarks(segment, (5, 20, 21, 22, 23), days)


def _remarks(segment: Segment, places: tuple[int, ...], days: Days) -> Iterator[Fault]:
    """Remarks come out three times a year: one past the end of the list is a warning only."""
    for at in places:
        code = segment.get(at)
        if code and code not in days.answered(days.sets.rarc):
            severity = WARNING if is_past_remark(code) else ERROR
            yield _fault("code.rarc", segment, at, 0, "a remittance advice remark code of its day", severity)


def _status(segment: Segment, days: Days) -> Iterator[Fault]:
    for at in (1, 10, 11):
        parts = segment.get(at).split(days.mark)
        if parts[0] and parts[0] not in days.answered(days.sets.status_categories):
            yield _fault("code.status-category", segment, at, 1, "a claim status category")
        # LOINC questions and pharmacy rejections have lists of their own
        if len(parts) > 3 and parts[3] in ("LOI", "RX"):
            continue
        if len(parts) > 1 and parts[1] not in days.answered(days.sets.status_codes):
            yield _fault("code.status", segment, at, 2, "a claim status code")


TESTS: dict[str, _Test] = {
    "NM1": _name,
    "N1": _payee,
    "N4": _city,
    "CLM": _claim,
    "SV1": _professional,
    "SV2": _institutional,
    "SV3": _dental,
    "SVC": _payment,
    "SVD": _adjudication,
    "HI": _diagnoses,
    "CAS": _adjustment,
    "LQ": _remark,
    "MOA": _outpatient_remarks,
    "MIA": _inpatient_remarks,
    "STC": _status,
}
