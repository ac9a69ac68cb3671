"""An 837P to claims."""

from __future__ import annotations

from collections.abc import Iterator

from x12.portions import portions
from x12.read import Source
from x12.tree import Loop, Segment, TransactionSet
from x12.views.claim.model import Claim837, ClaimLine
from x12.views.claim.read_levels import Above, claim_loops, read_accident, read_adjudication, read_drug, read_other
from x12.views.compose import ViewError
from x12.views.extract import amount, cents, opened, period, split, whole
from x12.views.extract import day as read_day
from x12.views.party_rows import read_diagnoses, read_provider


def read_837p(transaction: TransactionSet) -> list[Claim837]:
    """The claims of a set in order. ViewError for another set, or for amounts and dates that are none."""
    mark = transaction.delimiters.component
    return [_claim(loop, above, mark) for above, loop in claim_loops(opened(transaction, "837P"))]


def stream_837p(data: Source) -> Iterator[Claim837]:
    """The claims of data of any size, one after another. ViewError as from `read_837p`, when it comes to the place."""
    for part in portions(data):
        yield from read_837p(part)


def _claim(loop: Loop, above: Above, mark: str) -> Claim837:
    clm = loop.first("CLM")
    if clm is None:
        raise ViewError("837P/2300/CLM", "missing")
    place, _, frequency = split(clm.get(5), mark, 3)[:3]
    return Claim837(
        **above._asdict(),
        control_number=clm.get(1),
        total_cents=cents(clm.get(2), "837P/2300/CLM02"),
        place_of_service=place,
        frequency=frequency,
        signature_on_file=clm.get(6) == "Y",
        assignment=clm.get(7),
        benefits_assigned=clm.get(8),
        release=clm.get(9),
        accident=read_accident(loop, clm.get(11), mark),
        onset_date=read_day(loop.value("DTP", 3, "431"), "DTP*431"),
        admission_date=read_day(loop.value("DTP", 3, "435")[:8], "DTP*435"),
        discharge_date=read_day(loop.value("DTP", 3, "096")[:8], "DTP*096"),
        patient_paid_cents=amount(loop, "F5"),
        prior_authorization=loop.value("REF", 2, "G1"),
        referral_number=loop.value("REF", 2, "9F"),
        payer_claim_control=loop.value("REF", 2, "F8"),
        clia=loop.value("REF", 2, "X4"),
        note=loop.value("NTE", 2),
        diagnoses=read_diagnoses(_diagnosis_segment(loop, mark), mark),
        referring=read_provider(loop.loop("2310A")),
        rendering=read_provider(loop.loop("2310B")),
        service_facility=read_provider(loop.loop("2310C")),
        supervising=read_provider(loop.loop("2310D")),
        other_coverages=tuple(read_other(other) for other in loop.loops("2320")),
        lines=tuple(_line(line, mark) for line in loop.loops("2400")),
    )


def _diagnosis_segment(loop: Loop, mark: str) -> Segment | None:
    return next((hi for hi in loop.all("HI") if hi.get(1).split(mark, 1)[0] in {"ABK", "BK"}), None)


def _line(loop: Loop, mark: str) -> ClaimLine:
    sv1 = loop.first("SV1")
    if sv1 is None:
        raise ViewError("837P/2400/SV1", "missing")
    qualifier, code, *rest = split(sv1.get(1), mark, 7)
    start, end = period(loop.first("DTP", "472"), "837P/2400/DTP*472")
    if start is None:
        raise ViewError("837P/2400/DTP*472", "missing")
    return ClaimLine(
        qualifier=qualifier,
        code=code,
        modifiers=tuple(modifier for modifier in rest[:4] if modifier),
        description=rest[4],
        charge_cents=cents(sv1.get(2), "837P/2400/SV102"),
        unit=sv1.get(3),
        units=sv1.get(4),
        place_of_service=sv1.get(5),
        pointers=tuple(whole(text, "837P/2400/SV107") for text in sv1.get(7).split(mark) if text),
        emergency=sv1.get(9) == "Y",
        date_from=start,
        date_to=end,
        line_control=loop.value("REF", 2, "6R"),
        note=loop.value("NTE", 2),
        drug=read_drug(loop.loop("2410"), mark),
        rendering=read_provider(loop.loop("2420A")),
        ordering=read_provider(loop.loop("2420E")),
        referring=read_provider(loop.loop("2420F")),
        adjudications=tuple(read_adjudication(item, mark) for item in loop.loops("2430")),
    )
