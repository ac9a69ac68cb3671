"""Institutional claims to an 837I."""

from __future__ import annotations

from collections.abc import Sequence

from x12.tables.guides import GUIDE_837I
from x12.views.claim.institutional_model import (
    Admission,
    InstitutionalClaim,
    InstitutionalLine,
    Occurrence,
    Procedure,
)
from x12.views.claim.write_levels import (
    adjudication_rows,
    build_claims,
    drug_rows,
    held_control_number,
    other_rows,
)
from x12.views.compose import Part, Row, ViewError, day, money, span
from x12.views.envelope import Envelope
from x12.views.parties import Diagnosis
from x12.views.party_rows import provider_rows

_PER_SEGMENT = 12
_Composite = tuple[Part, ...]


def build_837i(claims: Sequence[InstitutionalClaim], envelope: Envelope) -> str:
    """One interchange with one set. Claims of one billing provider and one subscriber are brought together, in order
    of first appearance. ViewError when they differ in submitter or receiver, or when a value cannot be carried.
    """
    return build_claims(GUIDE_837I, claims, _claim_rows, envelope)


def _claim_rows(claim: InstitutionalClaim) -> list[Row]:
    rows: list[Row] = [
        ("CLM", held_control_number(claim.control_number, "837I"), money(claim.total_cents), "", "",
         (claim.facility_type, "A", claim.frequency), "", claim.assignment, claim.benefits_assigned, claim.release),
    ]  # fmt: skip
    rows += [("DTP", "096", "TM", f"{claim.discharge_time:%H%M}")] if claim.discharge_time else []
    rows.append(("DTP", "434", "RD8", f"{day(claim.statement_from)}-{day(claim.statement_to)}"))
    rows += _admission_rows(claim.admission, claim.patient_status)
    rows += [("AMT", "F3", money(claim.estimated_due_cents))] if claim.estimated_due_cents is not None else []
    references = (("9F", claim.referral_number), ("G1", claim.prior_authorization), ("F8", claim.payer_claim_control),
                  ("LU", claim.accident_state), ("EA", claim.medical_record))  # fmt: skip
    rows += [("REF", qualifier, value) for qualifier, value in references if value]
    rows += [("NTE", "ADD", claim.note)] if claim.note else []
    rows += _code_rows(claim)
    rows += provider_rows("71", claim.attending, "AT")
    rows += provider_rows("72", claim.operating)
    rows += provider_rows("ZZ", claim.other_operating)
    rows += provider_rows("82", claim.rendering)
    rows += provider_rows("77", claim.service_facility, addressed=True)
    rows += provider_rows("DN", claim.referring)
    for other in claim.other_coverages:
        rows += other_rows(other)
    for number, line in enumerate(claim.lines, 1):
        rows += _line_rows(line, number)
    return rows


def _admission_rows(admission: Admission | None, patient_status: str) -> list[Row]:
    if admission is None:
        return [("CL1", "", "", patient_status)]
    hour = f"{admission.time:%H%M}" if admission.time else ""
    return [
        ("DTP", "435", "DT" if hour else "D8", day(admission.date) + hour),
        ("CL1", admission.type, admission.source, patient_status),
    ]


def _code_rows(claim: InstitutionalClaim) -> list[Row]:
    """The HI segments in the order of the guide."""
    if not claim.diagnoses:
        raise ViewError("837I/2300/HI", "no principal diagnosis")
    principal, *others = claim.diagnoses
    spans = [item for item in claim.occurrences if item.date_to is not None]
    days = [item for item in claim.occurrences if item.date_to is None]
    first = [claim.principal_procedure] if claim.principal_procedure else []
    return [
        *_hi([_diagnosis(principal)], 1, "diagnoses"),
        *_hi([("ABJ", claim.admitting_diagnosis)] if claim.admitting_diagnosis else [], 1, "admission"),
        *_hi([("APR", code) for code in claim.visit_reasons], 3, "visit reasons"),
        *_hi([_diagnosis(item) for item in claim.external_causes], 12, "external causes"),
        *_hi([("DR", claim.drg)] if claim.drg else [], 1, "DRG"),
        *_hi([_diagnosis(item) for item in others], 24, "diagnoses"),
        *_hi([_procedure("BBR", item) for item in first], 1, "procedures"),
        *_hi([_procedure("BBQ", item) for item in claim.procedures], 24, "procedures"),
        *_hi([_occurrence("BI", item) for item in spans], 24, "occurrence spans"),
        *_hi([_occurrence("BH", item) for item in days], 24, "occurrences"),
        *_hi([("BE", item.code, "", "", money(item.amount_cents)) for item in claim.values], 24, "values"),
        *_hi([("BG", code) for code in claim.conditions], 24, "conditions"),
        *_hi([("TC", code) for code in claim.treatments], 24, "treatments"),
    ]


def _hi(composites: list[_Composite], most: int, what: str) -> list[Row]:
    if len(composites) > most:
        raise ViewError("837I/2300/HI", f"more than {most} {what}")
    return [("HI", *composites[at : at + _PER_SEGMENT]) for at in range(0, len(composites), _PER_SEGMENT)]


def _diagnosis(item: Diagnosis) -> _Composite:
    return (item.qualifier, item.code, "", "", "", "", "", "", item.present)


def _procedure(qualifier: str, item: Procedure) -> _Composite:
    return (qualifier, item.code, "D8" if item.date else "", day(item.date))


def _occurrence(qualifier: str, item: Occurrence) -> _Composite:
    if qualifier == "BH":
        return (qualifier, item.code, "D8", day(item.date_from))
    return (qualifier, item.code, "RD8", f"{day(item.date_from)}-{day(item.date_to)}")


def _line_rows(line: InstitutionalLine, number: int) -> list[Row]:
    if len(line.modifiers) > 4:
        raise ViewError("837I/2400/SV2", "more than four modifiers")
    modifiers = (*line.modifiers, "", "", "", "")[:4]
    service = (line.qualifier, line.code, *modifiers, line.description) if line.code else ()
    rows: list[Row] = [
        ("LX", str(number)),
        ("SV2", line.revenue_code, service, money(line.charge_cents), line.unit, line.units, "",
         money(line.non_covered_cents)),
    ]  # fmt: skip
    rows += [("DTP", "472", *span(line.date_from, line.date_to))] if line.date_from else []
    rows += [("REF", "6R", line.line_control)] if line.line_control else []
    rows += drug_rows(line.drug)
    for adjudication in line.adjudications:
        rows += adjudication_rows(adjudication)
    return rows
