"""The dental claim (005010X224A2) as one frozen value, to and from an 837D. Money in integer cents, dates as dates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from x12.portions import portions
from x12.read import Source
from x12.tables.guides import GUIDE_837D
from x12.tree import Loop, TransactionSet
from x12.views.claim.build import causes
from x12.views.claim.model import (
    Accident,
    BillingProvider,
    Coverage,
    LineAdjudication,
    OtherCoverage,
    Receiver,
    Submitter,
)
from x12.views.claim.read_levels import Above, claim_loops, read_accident, read_adjudication, read_other
from x12.views.claim.write_levels import adjudication_rows, build_claims, held_control_number, other_rows
from x12.views.compose import Row, ViewError, day, money, span
from x12.views.envelope import Envelope
from x12.views.extract import amount, cents, opened, period, split, whole
from x12.views.parties import Diagnosis, Member, Payer, Provider
from x12.views.party_rows import diagnosis_row, provider_rows, read_diagnoses, read_provider


@dataclass(frozen=True, slots=True)
class Tooth:
    """TOO: a tooth of the universal numbering and the surfaces that were worked on."""

    number: str
    surfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DentalLine:
    """Loop 2400. `code` is a CDT code (SV301), `cavities` SV304, `prosthesis` SV305 (I first, R replacement), `units`
    SV306 (empty for one), `pointers` SV311, `line_control` REF*6R, `prior_placement` DTP*441."""

    code: str
    charge_cents: int
    units: str = ""
    modifiers: tuple[str, ...] = ()
    place_of_service: str = ""
    cavities: tuple[str, ...] = ()
    prosthesis: str = ""
    pointers: tuple[int, ...] = ()
    teeth: tuple[Tooth, ...] = ()
    service_date: date | None = None
    prior_placement: date | None = None
    line_control: str = ""
    rendering: Provider | None = None
    adjudications: tuple[LineAdjudication, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DentalClaim:
    """One claim. `service_from`/`service_to` DTP*472 of the claim; `predetermination` CLM19 PB: a question, no charge.
    `prior_authorization` REF*G1, `predetermination_number` REF*G3, `payer_claim_control` REF*F8."""

    control_number: str
    total_cents: int
    place_of_service: str
    submitter: Submitter
    receiver: Receiver
    billing: BillingProvider
    subscriber: Member
    payer: Payer
    lines: tuple[DentalLine, ...]
    frequency: str = "1"
    coverage: Coverage = field(default_factory=Coverage)
    patient: Member | None = None
    diagnoses: tuple[Diagnosis, ...] = ()
    service_from: date | None = None
    service_to: date | None = None
    accident: Accident | None = None
    predetermination: bool = False
    predetermination_number: str = ""
    prior_authorization: str = ""
    payer_claim_control: str = ""
    referring: Provider | None = None
    rendering: Provider | None = None
    service_facility: Provider | None = None
    patient_paid_cents: int | None = None
    other_coverages: tuple[OtherCoverage, ...] = ()
    assignment: str = "A"
    benefits_assigned: str = "Y"
    release: str = "Y"
    signature_on_file: bool = True
    note: str = ""


def build_837d(claims: Sequence[DentalClaim], envelope: Envelope) -> str:
    """One interchange with one set. Claims of one billing provider and one subscriber are brought together, in order
    of first appearance. ViewError when they differ in submitter or receiver, or when a value cannot be carried.
    """
    return build_claims(GUIDE_837D, claims, _claim_rows, envelope)


def _claim_rows(claim: DentalClaim) -> list[Row]:
    rows: list[Row] = [_clm(claim)]
    accident = claim.accident.date if claim.accident else None
    rows += [("DTP", "439", "D8", day(accident))] if accident else []
    rows += [("DTP", "472", *span(claim.service_from, claim.service_to))] if claim.service_from else []
    rows += [("AMT", "F5", money(claim.patient_paid_cents))] if claim.patient_paid_cents is not None else []
    references = (("G3", claim.predetermination_number), ("F8", claim.payer_claim_control),
                  ("G1", claim.prior_authorization))  # fmt: skip
    rows += [("REF", qualifier, value) for qualifier, value in references if value]
    rows += [("NTE", "ADD", claim.note)] if claim.note else []
    if len(claim.diagnoses) > 4:
        raise ViewError("837D/2300/HI", "more than four diagnoses")
    rows += diagnosis_row(claim.diagnoses)
    rows += provider_rows("DN", claim.referring, "RF")
    rows += provider_rows("82", claim.rendering, "PE")
    rows += provider_rows("77", claim.service_facility, addressed=True)
    for other in claim.other_coverages:
        rows += other_rows(other)
    for number, line in enumerate(claim.lines, 1):
        rows += _line_rows(line, number)
    return rows


def _clm(claim: DentalClaim) -> Row:
    return (
        "CLM", held_control_number(claim.control_number, "837D"), money(claim.total_cents), "", "",
        (claim.place_of_service, "B", claim.frequency), "Y" if claim.signature_on_file else "N", claim.assignment,
        claim.benefits_assigned, claim.release, "", causes(claim.accident), "", "", "", "", "", "", "",
        "PB" if claim.predetermination else "",
    )  # fmt: skip


def _line_rows(line: DentalLine, number: int) -> list[Row]:
    if len(line.modifiers) > 4 or len(line.pointers) > 4 or len(line.cavities) > 5 or len(line.teeth) > 32:
        raise ViewError("837D/2400", "more modifiers, pointers, cavities or teeth than there is room for")
    rows: list[Row] = [
        ("LX", str(number)),
        ("SV3", ("AD", line.code, *line.modifiers), money(line.charge_cents), line.place_of_service, line.cavities,
         line.prosthesis, line.units, "", "", "", "", tuple(str(pointer) for pointer in line.pointers)),
    ]  # fmt: skip
    rows += [("TOO", "JP", tooth.number, tooth.surfaces) for tooth in line.teeth]
    dates = (("472", line.service_date), ("441", line.prior_placement))
    rows += [("DTP", qualifier, "D8", day(value)) for qualifier, value in dates if value]
    rows += [("REF", "6R", line.line_control)] if line.line_control else []
    rows += provider_rows("82", line.rendering, "PE")
    for adjudication in line.adjudications:
        rows += adjudication_rows(adjudication)
    return rows


def read_837d(transaction: TransactionSet) -> list[DentalClaim]:
    """The claims of a set in order. ViewError for another set, or for amounts and dates that are none."""
    mark = transaction.delimiters.component
    return [_claim(loop, above, mark) for above, loop in claim_loops(opened(transaction, "837D"))]


def stream_837d(data: Source) -> Iterator[DentalClaim]:
    """The claims of data of any size, one after another. ViewError as from `read_837d`, when it comes to the place."""
    for part in portions(data):
        yield from read_837d(part)


def _claim(loop: Loop, above: Above, mark: str) -> DentalClaim:
    clm = loop.first("CLM")
    if clm is None:
        raise ViewError("837D/2300/CLM", "missing")
    place, _, frequency = split(clm.get(5), mark, 3)[:3]
    start, end = period(loop.first("DTP", "472"), "837D/2300/DTP*472")
    return DentalClaim(
        **above._asdict(),
        control_number=clm.get(1),
        total_cents=cents(clm.get(2), "837D/2300/CLM02"),
        place_of_service=place,
        frequency=frequency,
        signature_on_file=clm.get(6) == "Y",
        assignment=clm.get(7),
        benefits_assigned=clm.get(8),
        release=clm.get(9),
        accident=read_accident(loop, clm.get(11), mark),
        predetermination=clm.get(19) == "PB",
        service_from=start,
        service_to=end,
        patient_paid_cents=amount(loop, "F5"),
        predetermination_number=loop.value("REF", 2, "G3"),
        payer_claim_control=loop.value("REF", 2, "F8"),
        prior_authorization=loop.value("REF", 2, "G1"),
        note=loop.value("NTE", 2),
        diagnoses=read_diagnoses(loop.first("HI"), mark),
        referring=read_provider(loop.loop("2310A")),
        rendering=read_provider(loop.loop("2310B")),
        service_facility=read_provider(loop.loop("2310C")),
        other_coverages=tuple(read_other(other) for other in loop.loops("2320")),
        lines=tuple(_line(line, mark) for line in loop.loops("2400")),
    )


def _line(loop: Loop, mark: str) -> DentalLine:
    sv3 = loop.first("SV3")
    if sv3 is None:
        raise ViewError("837D/2400/SV3", "missing")
    _, code, *modifiers = split(sv3.get(1), mark, 2)
    placed, _ = period(loop.first("DTP", "441"), "837D/2400/DTP*441")
    served, _ = period(loop.first("DTP", "472"), "837D/2400/DTP*472")
    return DentalLine(
        code=code,
        modifiers=tuple(modifier for modifier in modifiers[:4] if modifier),
        charge_cents=cents(sv3.get(2), "837D/2400/SV302"),
        place_of_service=sv3.get(3),
        cavities=tuple(text for text in sv3.get(4).split(mark) if text),
        prosthesis=sv3.get(5),
        units=sv3.get(6),
        pointers=tuple(whole(text, "837D/2400/SV311") for text in sv3.get(11).split(mark) if text),
        teeth=tuple(
            Tooth(too.get(2), tuple(text for text in too.get(3).split(mark) if text)) for too in loop.all("TOO", "JP")
        ),
        service_date=served,
        prior_placement=placed,
        line_control=loop.value("REF", 2, "6R"),
        rendering=read_provider(loop.loop("2420A")),
        adjudications=tuple(read_adjudication(item, mark) for item in loop.loops("2430")),
    )
