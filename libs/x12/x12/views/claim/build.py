"""Claims to an 837P: many claims in one set, grouped by billing provider and subscriber."""

from __future__ import annotations

from collections.abc import Sequence

from x12.tables.guides import GUIDE_837P
from x12.views.adjustment_rows import adjustment_rows
from x12.views.claim.model import (
    Accident,
    BillingProvider,
    Claim837,
    ClaimLine,
    Coverage,
    LineAdjudication,
    OtherCoverage,
)
from x12.views.compose import Row, ViewError, compose, day, money, span
from x12.views.envelope import Envelope
from x12.views.parties import Member, Payer
from x12.views.party_rows import (
    address_rows,
    contact_rows,
    demographic_rows,
    diagnosis_row,
    member_row,
    payer_row,
    provider_rows,
)

_CONTROL_NUMBER_MOST = 17
_Subscriber = tuple[Member, Payer, Coverage, bool]


def build_837p(claims: Sequence[Claim837], envelope: Envelope) -> str:
    """One interchange with one set. Claims of one billing provider and one subscriber are brought together, in order
    of first appearance. ViewError when they differ in submitter or receiver, or when a value cannot be carried.
    """
    if not claims:
        raise ViewError("837P", "no claims")
    first = claims[0]
    if any((claim.submitter, claim.receiver) != (first.submitter, first.receiver) for claim in claims):
        raise ViewError("837P/1000A", "claims of several submitters or receivers in one set")
    at = envelope.created
    rows: list[Row] = [
        ("BHT", "0019", "00", f"{envelope.control_number:09d}", day(at), f"{at:%H%M%S}", "CH"),
        ("NM1", "41", "2", first.submitter.name, "", "", "", "", "46", first.submitter.id),
        *contact_rows("IC", first.submitter.contact),
        ("NM1", "40", "2", first.receiver.name, "", "", "", "", "46", first.receiver.id),
    ]
    return compose(GUIDE_837P, rows + _hierarchy(claims), envelope)


def _hierarchy(claims: Sequence[Claim837]) -> list[Row]:
    """HL 20 for each billing provider, 22 for each subscriber, 23 for each dependent, with their claims."""
    rows: list[Row] = []
    tree: dict[BillingProvider, dict[_Subscriber, dict[Member | None, list[Claim837]]]] = {}
    for claim in claims:
        subscriber = (claim.subscriber, claim.payer, claim.coverage, claim.patient is None)
        tree.setdefault(claim.billing, {}).setdefault(subscriber, {}).setdefault(claim.patient, []).append(claim)
    number = 0
    for billing, subscribers in tree.items():
        number += 1
        provider_number = number
        rows += _billing_rows(billing, provider_number)
        for subscriber, patients in subscribers.items():
            number += 1
            subscriber_number = number
            rows += _subscriber_rows(subscriber, subscriber_number, provider_number)
            for patient, theirs in patients.items():
                if patient is not None:
                    number += 1
                    rows += _patient_rows(patient, number, subscriber_number)
                rows += [row for claim in theirs for row in _claim_rows(claim)]
    return rows


def _billing_rows(billing: BillingProvider, number: int) -> list[Row]:
    rows: list[Row] = [("HL", str(number), "", "20", "1")]
    rows += [("PRV", "BI", "PXC", billing.taxonomy)] if billing.taxonomy else []
    kind = "1" if billing.is_person else "2"
    rows.append(("NM1", "85", kind, billing.name, billing.first, "", "", "", "XX", billing.npi))
    rows += address_rows(billing.address)
    rows.append(("REF", billing.tax_id_qualifier, billing.tax_id))
    return rows + contact_rows("IC", billing.contact)


def _subscriber_rows(key: _Subscriber, number: int, parent: int) -> list[Row]:
    subscriber, payer, coverage, is_patient = key
    rows: list[Row] = [
        ("HL", str(number), str(parent), "22", "0" if is_patient else "1"),
        _sbr(coverage, "18" if is_patient else ""),
        member_row("IL", subscriber),
        *address_rows(subscriber.address),
        *demographic_rows(subscriber.birth_date, subscriber.gender),
        payer_row("PR", payer),
        *address_rows(payer.address),
    ]
    return rows


def _sbr(coverage: Coverage, relationship: str) -> Row:
    return (
        "SBR", coverage.responsibility, relationship, coverage.group_number, coverage.group_name,
        coverage.insurance_type, "", "", "", coverage.filing_indicator,
    )  # fmt: skip


def _patient_rows(patient: Member, number: int, parent: int) -> list[Row]:
    return [
        ("HL", str(number), str(parent), "23", "0"),
        ("PAT", patient.relationship),
        member_row("QC", patient, with_id=False),
        *address_rows(patient.address),
        *demographic_rows(patient.birth_date, patient.gender),
    ]


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
        rows += _other_rows(other)
    for number, line in enumerate(claim.lines, 1):
        rows += _line_rows(line, number)
    return rows


def _clm(claim: Claim837) -> Row:
    if not 0 < len(claim.control_number) <= _CONTROL_NUMBER_MOST:
        raise ViewError("837P/2300/CLM01", f"one to {_CONTROL_NUMBER_MOST} characters")
    return (
        "CLM", claim.control_number, money(claim.total_cents), "", "",
        (claim.place_of_service, "B", claim.frequency), "Y" if claim.signature_on_file else "N", claim.assignment,
        claim.benefits_assigned, claim.release, "", _causes(claim.accident),
    )  # fmt: skip


def _causes(accident: Accident | None) -> tuple[str, ...]:
    if accident is None:
        return ()
    flags = (("AA", accident.auto), ("EM", accident.employment), ("OA", accident.other))
    codes = [code for code, flag in flags if flag]
    return (*(codes + [""] * 3)[:3], accident.state)


def _other_rows(other: OtherCoverage) -> list[Row]:
    rows: list[Row] = [_sbr(other.coverage, other.relationship), *adjustment_rows(other.adjustments)]
    amounts = (("D", other.paid_cents), ("EAF", other.remaining_cents), ("A8", other.non_covered_cents))
    rows += [("AMT", qualifier, money(value)) for qualifier, value in amounts if value is not None]
    rows += [
        ("OI", "", "", other.assignment, "", "", other.release),
        member_row("IL", other.subscriber),
        *address_rows(other.subscriber.address),
        payer_row("PR", other.payer),
        *address_rows(other.payer.address),
    ]
    rows += [("DTP", "573", "D8", day(other.paid_date))] if other.paid_date else []
    return rows + ([("REF", "F8", other.claim_control)] if other.claim_control else [])


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
    rows += _drug_rows(line)
    rows += provider_rows("82", line.rendering, "PE")
    rows += provider_rows("DK", line.ordering, addressed=True)
    rows += provider_rows("DN", line.referring)
    for adjudication in line.adjudications:
        rows += _adjudication_rows(adjudication)
    return rows


def _drug_rows(line: ClaimLine) -> list[Row]:
    drug = line.drug
    if drug is None:
        return []
    rows: list[Row] = [("LIN", "", "N4", drug.ndc), ("CTP", "", "", "", drug.quantity, (drug.unit,))]
    return rows + ([("REF", "XZ", drug.prescription)] if drug.prescription else [])


def _adjudication_rows(item: LineAdjudication) -> list[Row]:
    service = (item.qualifier, item.code, *item.modifiers)
    rows: list[Row] = [("SVD", item.payer_id, money(item.paid_cents), service, "", item.units)]
    rows += adjustment_rows(item.adjustments)
    rows.append(("DTP", "573", "D8", day(item.paid_date)))
    return rows + ([("AMT", "EAF", money(item.remaining_cents))] if item.remaining_cents is not None else [])
