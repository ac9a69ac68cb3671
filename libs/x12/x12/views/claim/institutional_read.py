"""An 837I to claims."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

from x12.portions import portions
from x12.read import Source
from x12.tree import Loop, TransactionSet
from x12.views.claim.institutional_model import (
    Admission,
    InstitutionalClaim,
    InstitutionalLine,
    Occurrence,
    Procedure,
    ValueCode,
)
from x12.views.claim.read_levels import Above, claim_loops, read_adjudication, read_drug, read_other
from x12.views.compose import ViewError
from x12.views.extract import amount, cents, opened, optional_cents, period, required_day, split
from x12.views.extract import day as read_day
from x12.views.parties import Diagnosis
from x12.views.party_rows import read_provider

_PRINCIPAL = ("ABK", "BK")
_OTHERS = ("ABF", "BF")


def read_837i(transaction: TransactionSet) -> list[InstitutionalClaim]:
    """The claims of a set in order. ViewError for another set, or for amounts and dates that are none."""
    mark = transaction.delimiters.component
    return [_claim(loop, above, mark) for above, loop in claim_loops(opened(transaction, "837I"))]


def stream_837i(data: Source) -> Iterator[InstitutionalClaim]:
    """The claims of data of any size, one after another. ViewError as from `read_837i`, when it comes to the place."""
    for part in portions(data):
        yield from read_837i(part)


def _claim(loop: Loop, above: Above, mark: str) -> InstitutionalClaim:
    clm = loop.first("CLM")
    if clm is None:
        raise ViewError("837I/2300/CLM", "missing")
    facility, _, frequency = split(clm.get(5), mark, 3)[:3]
    first, last = period(loop.first("DTP", "434"), "837I/2300/DTP*434")
    if first is None:
        raise ViewError("837I/2300/DTP*434", "missing")
    codes = _Codes(loop, mark)
    return InstitutionalClaim(
        **above._asdict(),
        control_number=clm.get(1),
        total_cents=cents(clm.get(2), "837I/2300/CLM02"),
        facility_type=facility,
        frequency=frequency,
        assignment=clm.get(7),
        benefits_assigned=clm.get(8),
        release=clm.get(9),
        statement_from=first,
        statement_to=last or first,
        discharge_time=_time(loop.value("DTP", 3, "096"), "837I/2300/DTP*096"),
        admission=_admission(loop),
        patient_status=loop.value("CL1", 3),
        estimated_due_cents=amount(loop, "F3"),
        referral_number=loop.value("REF", 2, "9F"),
        prior_authorization=loop.value("REF", 2, "G1"),
        payer_claim_control=loop.value("REF", 2, "F8"),
        accident_state=loop.value("REF", 2, "LU"),
        medical_record=loop.value("REF", 2, "EA"),
        note=loop.value("NTE", 2, "ADD"),
        diagnoses=(*codes.diagnoses(*_PRINCIPAL), *codes.diagnoses(*_OTHERS)),
        admitting_diagnosis=next(iter(codes.plain("ABJ", "BJ")), ""),
        visit_reasons=codes.plain("APR", "PR"),
        external_causes=codes.diagnoses("ABN", "BN"),
        drg=next(iter(codes.plain("DR")), ""),
        principal_procedure=next(iter(codes.procedures("BBR", "BR", "CAH")), None),
        procedures=codes.procedures("BBQ", "BQ"),
        occurrences=(*codes.occurrences("BI"), *codes.occurrences("BH")),
        values=codes.values(),
        conditions=codes.plain("BG"),
        treatments=codes.plain("TC"),
        attending=read_provider(loop.loop("2310A")),
        operating=read_provider(loop.loop("2310B")),
        other_operating=read_provider(loop.loop("2310C")),
        rendering=read_provider(loop.loop("2310D")),
        service_facility=read_provider(loop.loop("2310E")),
        referring=read_provider(loop.loop("2310F")),
        other_coverages=tuple(read_other(other) for other in loop.loops("2320")),
        lines=tuple(_line(line, mark) for line in loop.loops("2400")),
    )


def _time(text: str, path: str) -> time | None:
    if not text:
        return None
    try:
        if len(text) < 4 or not (text.isascii() and text.isdigit()):
            raise ValueError
        return time(int(text[:2]), int(text[2:4]))
    except ValueError:
        raise ViewError(path, "not a time") from None


def _admission(loop: Loop) -> Admission | None:
    text, path = loop.value("DTP", 3, "435"), "837I/2300/DTP*435"
    if not text:
        return None
    return Admission(
        date=required_day(text[:8], path),
        time=_time(text[8:], path),
        type=loop.value("CL1", 1),
        source=loop.value("CL1", 2),
    )


class _Codes:
    """The composites of a claim's HI segments by qualifier."""

    def __init__(self, loop: Loop, mark: str) -> None:
        texts = (text for segment in loop.all("HI") for text in segment.elements if text)
        self.found = [split(text, mark, 9) for text in texts]

    def of(self, *qualifiers: str) -> Iterator[list[str]]:
        return (parts for parts in self.found if parts[0] in qualifiers)

    def plain(self, *qualifiers: str) -> tuple[str, ...]:
        return tuple(parts[1] for parts in self.of(*qualifiers))

    def diagnoses(self, *qualifiers: str) -> tuple[Diagnosis, ...]:
        return tuple(Diagnosis(parts[1], parts[0], parts[8]) for parts in self.of(*qualifiers))

    def procedures(self, *qualifiers: str) -> tuple[Procedure, ...]:
        path = "837I/2300/HI-4"
        return tuple(Procedure(parts[1], read_day(parts[3], path)) for parts in self.of(*qualifiers))

    def occurrences(self, qualifier: str) -> tuple[Occurrence, ...]:
        path = "837I/2300/HI-4"
        pairs = ((parts[1], *parts[3].partition("-")) for parts in self.of(qualifier))
        return tuple(Occurrence(code, required_day(start, path), read_day(end, path)) for code, start, _, end in pairs)

    def values(self) -> tuple[ValueCode, ...]:
        return tuple(ValueCode(parts[1], cents(parts[4], "837I/2300/HI-5")) for parts in self.of("BE"))


def _line(loop: Loop, mark: str) -> InstitutionalLine:
    sv2 = loop.first("SV2")
    if sv2 is None:
        raise ViewError("837I/2400/SV2", "missing")
    qualifier, code, *rest = split(sv2.get(2), mark, 7)
    start, end = period(loop.first("DTP", "472"), "837I/2400/DTP*472")
    return InstitutionalLine(
        revenue_code=sv2.get(1),
        qualifier=qualifier or "HC",
        code=code,
        modifiers=tuple(modifier for modifier in rest[:4] if modifier),
        description=rest[4],
        charge_cents=cents(sv2.get(3), "837I/2400/SV203"),
        unit=sv2.get(4),
        units=sv2.get(5),
        non_covered_cents=optional_cents(sv2.get(7), "837I/2400/SV207"),
        date_from=start,
        date_to=end,
        line_control=loop.value("REF", 2, "6R"),
        drug=read_drug(loop.loop("2410"), mark),
        adjudications=tuple(read_adjudication(item, mark) for item in loop.loops("2430")),
    )
