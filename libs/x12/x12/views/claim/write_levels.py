"""What every kind of 837 writes in the same way: header, levels, other payers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from x12.tables.guide_rows import Guide
from x12.views.adjustment_rows import adjustment_rows
from x12.views.claim.model import (
    BillingProvider,
    Coverage,
    Drug,
    LineAdjudication,
    OtherCoverage,
    Receiver,
    Submitter,
)
from x12.views.compose import Row, ViewError, compose, day, money
from x12.views.envelope import Envelope
from x12.views.parties import Member, Payer
from x12.views.party_rows import address_rows, contact_rows, demographic_rows, member_row, payer_row

_CONTROL_NUMBER_MOST = 17
_Subscriber = tuple[Member, Payer, Coverage, bool]


class Leveled(Protocol):
    """What a claim of any kind says about the levels above it."""

    @property
    def submitter(self) -> Submitter: ...
    @property
    def receiver(self) -> Receiver: ...
    @property
    def billing(self) -> BillingProvider: ...
    @property
    def subscriber(self) -> Member: ...
    @property
    def payer(self) -> Payer: ...
    @property
    def coverage(self) -> Coverage: ...
    @property
    def patient(self) -> Member | None: ...


_Claim = TypeVar("_Claim", bound=Leveled)


def build_claims(
    guide: Guide, claims: Sequence[_Claim], claim_rows: Callable[[_Claim], list[Row]], envelope: Envelope
) -> str:
    """One interchange with one set of claims. Claims of one billing provider and one subscriber are brought together,
    in order of first appearance. ViewError when they differ in submitter or receiver, or a value cannot be carried.
    """
    if not claims:
        raise ViewError(guide.name, "no claims")
    first = claims[0]
    if any((claim.submitter, claim.receiver) != (first.submitter, first.receiver) for claim in claims):
        raise ViewError(f"{guide.name}/1000A", "claims of several submitters or receivers in one set")
    at = envelope.created
    rows: list[Row] = [
        ("BHT", "0019", "00", f"{envelope.control_number:09d}", day(at), f"{at:%H%M%S}", "CH"),
        ("NM1", "41", "2", first.submitter.name, "", "", "", "", "46", first.submitter.id),
        *contact_rows("IC", first.submitter.contact),
        ("NM1", "40", "2", first.receiver.name, "", "", "", "", "46", first.receiver.id),
    ]
    return compose(guide, rows + _hierarchy(claims, claim_rows), envelope)


def _hierarchy(claims: Sequence[_Claim], claim_rows: Callable[[_Claim], list[Row]]) -> list[Row]:
    """HL 20 for each billing provider, 22 for each subscriber, 23 for each dependent, with their claims."""
    rows: list[Row] = []
    tree: dict[BillingProvider, dict[_Subscriber, dict[Member | None, list[_Claim]]]] = {}
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
                rows += [row for claim in theirs for row in claim_rows(claim)]
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


def other_rows(other: OtherCoverage) -> list[Row]:
    """Loops 2320, 2330A and 2330B."""
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


def drug_rows(drug: Drug | None) -> list[Row]:
    """Loop 2410."""
    if drug is None:
        return []
    rows: list[Row] = [("LIN", "", "N4", drug.ndc), ("CTP", "", "", "", drug.quantity, (drug.unit,))]
    return rows + ([("REF", "XZ", drug.prescription)] if drug.prescription else [])


def adjudication_rows(item: LineAdjudication) -> list[Row]:
    """Loop 2430."""
    service = (item.qualifier, item.code, *item.modifiers)
    rows: list[Row] = [("SVD", item.payer_id, money(item.paid_cents), service, "", item.units)]
    rows += adjustment_rows(item.adjustments)
    rows.append(("DTP", "573", "D8", day(item.paid_date)))
    return rows + ([("AMT", "EAF", money(item.remaining_cents))] if item.remaining_cents is not None else [])


def held_control_number(text: str, guide: str) -> str:
    """CLM01, refused when payers would cut it."""
    if not 0 < len(text) <= _CONTROL_NUMBER_MOST:
        raise ViewError(f"{guide}/2300/CLM01", f"one to {_CONTROL_NUMBER_MOST} characters")
    return text
