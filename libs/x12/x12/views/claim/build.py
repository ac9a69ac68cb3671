"""Claims to an 837P: many claims in one set, grouped by billing provider and subscriber."""

from __future__ import annotations

from collections.abc import Sequence

from x12.tables.guides import GUIDE_837P
from x12.views.claim.model import Accident, Claim837, ClaimLine
from x12.views.claim.write_levels import (
    adjudication_rows,
    build_claims,
    drug_rows,
    held_control_number,
    other_rows,
)
from x12.views.compose import Row, ViewError, day, money, span
from x12.views.envelope import Envelope
from x12.views.party_rows import diagnosis_row, provider_rows


def build_837p(claims: Sequence[Claim837], envelope: Envelope) -> str:
    """One interchange with one set. Claims of one billing provider and one subscriber are brought together, in order
    of first appearance. ViewError when they differ in submitter or receiver, or when a value cannot be carried.
    """
    return build_claims(GUIDE_837P, claims, _claim_rows, envelope)


def _claim_rows(claim: Claim837) -> list[Row]:
    rows: list[Row] = [_clm(claim)]
    dates = (("431", claim.onset_date), ("439", claim.accident.date if claim.accident else None),
             ("435", claim.admission_date), ("096", claim.discharge_date))  # fmt: skip
    rows += [("DTP", qualifier, "D8", day(value)) for qualifier, value in dates if value]
    rows += [("AMT", "F5", money(claim.patient_paid_cents))] if claim.patient_paid_cents is not None else []
    references = (("9F", claim.referral_number), ("G1", claim.prior_authorization),
                  ("F8", claim.payer_claim_control), ("X4", claim.clia))  # fmt: skip
    rows += [("REF", qualifier, value) for qualifier, value in references if value]
    rows += [("NTE", "ADD", claim.note)] if claim.note else []
    rows += diagnosis_row(claim.diagnoses)
    rows += provider_rows("DN", claim.referring)
    rows += provider_rows("82", claim.rendering, "PE")
    rows += provider_rows("77", claim.service_facility, addressed=True)
    rows += provider_rows("DQ", claim.supervising)
    for other in claim.other_coverages:
        rows += other_rows(other)
    for number, line in enumerate(claim.lines, 1):
        rows += _line_rows(line, number)
    return rows


def _clm(claim: Claim837) -> Row:
    control_number = held_control_number(claim.control_number, "837P")
    return (
        "CLM", control_number, money(claim.total_cents), "", "",
        (claim.place_of_service, "B", claim.frequency), "Y" if claim.signature_on_file else "N", claim.assignment,
        claim.benefits_assigned, claim.release, "", causes(claim.accident),
    )  # fmt: skip


def causes(accident: Accident | None) -> tuple[str, ...]:
    """CLM11."""
    if accident is None:
        return ()
    flags = (("AA", accident.auto), ("EM", accident.employment), ("OA", accident.other))
    codes = [code for code, flag in flags if flag]
    return (*(codes + [""] * 3)[:3], accident.state)


def _line_rows(line: ClaimLine, number: int) -> list[Row]:
    if len(line.modifiers) > 4 or len(line.pointers) > 4:
        raise ViewError("837P/2400/SV1", "more than four modifiers or pointers")
    modifiers = (*line.modifiers, "", "", "", "")[:4]
    rows: list[Row] = [
        ("LX", str(number)),
        ("SV1", (line.qualifier, line.code, *modifiers, line.description), money(line.charge_cents), line.unit,
         line.units, line.place_of_service, "", tuple(str(pointer) for pointer in line.pointers), "",
         "Y" if line.emergency else ""),
        ("DTP", "472", *span(line.date_from, line.date_to)),
    ]  # fmt: skip
    rows += [("REF", "6R", line.line_control)] if line.line_control else []
    rows += [("NTE", "ADD", line.note)] if line.note else []
    rows += drug_rows(line.drug)
    rows += provider_rows("82", line.rendering, "PE")
    rows += provider_rows("DK", line.ordering, addressed=True)
    rows += provider_rows("DN", line.referring)
    for adjudication in line.adjudications:
        rows += adjudication_rows(adjudication)
    return rows
