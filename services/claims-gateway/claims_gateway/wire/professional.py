"""Claims -> one 837P, and the claims of a batch that cannot be carried in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from x12 import ViewError, check, transaction_sets
from x12.views.claim import (
    BillingProvider,
    Claim837,
    ClaimLine,
    Coverage,
    Drug,
    Receiver,
    Submitter,
    build_837p,
)
from x12.views.envelope import Envelope
from x12.views.parties import Address as X12Address
from x12.views.parties import Contact, Member, Provider
from x12.views.parties import Diagnosis as X12Diagnosis
from x12.views.parties import Payer as X12Payer

from claims_gateway.model import Address, Claim, Insurance, Line, Organization, Person, Visit
from claims_gateway.rules.book import Payer

_CHECKED_LEVELS = 3
_RESPONSIBILITY = {1: "P", 2: "S", 3: "T"}
_RELATIONSHIP = {"spouse": "01", "child": "19", "other": "G8"}
_INPATIENT = {"21", "51", "61"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who we are at the clearinghouse: loops 1000A and 1000B, ISA06, ISA08, ISA15."""

    id: str
    name: str
    contact: str
    phone: str
    receiver_id: str
    receiver_name: str
    usage: str = "T"


@dataclass(frozen=True, slots=True)
class Batch:
    """`content` is the file ("" when no claim could go); `refused` are the claims that could not, with the rule."""

    content: str
    claims: tuple[Claim, ...]
    refused: tuple[tuple[Claim, str], ...] = ()


def build_batch(
    claims: Sequence[Claim], payers: Mapping[str, Payer], sender: Sender, control: int, now: datetime
) -> Batch:
    """All claims in one set; when our own check objects, each is tried alone and only the clean ones go."""
    content, problem = _try(claims, payers, sender, control, now)
    if not problem:
        return Batch(content, tuple(claims))
    tried = [(claim, _try([claim], payers, sender, control, now)[1]) for claim in claims]
    clean = tuple(claim for claim, found in tried if not found)
    refused = tuple((claim, found) for claim, found in tried if found)
    if not refused:  # clean one by one, dirty together: none may go before somebody has looked
        return Batch("", (), tuple((claim, problem) for claim in claims))
    content, problem = _try(clean, payers, sender, control, now) if clean else ("", "")
    if problem:
        return Batch("", (), tuple((claim, problem) for claim in claims))
    return Batch(content, clean, refused)


def claim_file(claim: Claim, payers: Mapping[str, Payer], sender: Sender, control: int, now: datetime) -> str:
    """One claim as a file of its own, for people; "" when it cannot be written."""
    content, problem = _try([claim], payers, sender, control, now)
    return "" if problem else content


def _try(
    claims: Sequence[Claim], payers: Mapping[str, Payer], sender: Sender, control: int, now: datetime
) -> tuple[str, str]:
    """(file, "") or ("", path of what is wrong)."""
    envelope = Envelope(
        sender_id=sender.id,
        receiver_id=sender.receiver_id,
        control_number=control,
        group_control=control,
        created=now,
        usage=sender.usage,
    )
    try:
        content = build_837p([_claim(claim, payers[claim.payer_id], sender) for claim in claims], envelope)
    except ViewError as error:
        return "", error.path
    for transaction_set in transaction_sets(content):
        for finding in check(transaction_set):
            if finding.severity == "error" and finding.snip <= _CHECKED_LEVELS:
                return "", finding.path
    return content, ""


def _claim(claim: Claim, payer: Payer, sender: Sender) -> Claim837:
    draft, visit = claim.draft, claim.draft.visit
    insurance = visit.insurance or Insurance()
    positions = {diagnosis.sequence: number for number, diagnosis in enumerate(draft.diagnoses, 1)}
    inpatient = draft.place_of_service in _INPATIENT
    return Claim837(
        control_number=claim.control_number,
        total_cents=claim.total_cents,
        place_of_service=draft.place_of_service,
        submitter=Submitter(id=sender.id, name=sender.name, contact=Contact(sender.contact, sender.phone)),
        receiver=Receiver(id=sender.receiver_id, name=sender.receiver_name),
        billing=_billing(visit.billing),
        subscriber=_subscriber(visit, insurance),
        patient=_dependent(visit, insurance),
        payer=X12Payer(payer.id, payer.name),
        coverage=Coverage(
            responsibility=_RESPONSIBILITY[claim.responsibility],
            filing_indicator=payer.filing_indicator,
            group_number=insurance.group_number,
        ),
        diagnoses=tuple(X12Diagnosis(row.code, "ABF" if at else "ABK") for at, row in enumerate(draft.diagnoses)),
        lines=tuple(_line(claim, line, positions) for line in draft.lines),
        frequency=claim.frequency,
        prior_authorization=claim.authorization_number,
        payer_claim_control=claim.payer_claim_number if claim.frequency != "1" else "",
        rendering=_rendering(claim),
        admission_date=visit.started_on if inpatient else None,
        discharge_date=visit.ended_on if inpatient else None,
    )


def _address(address: Address) -> X12Address | None:
    if not address.complete:
        return None
    return X12Address(address.line1, address.city, address.state, address.postal_code, address.line2)


def _billing(billing: Organization) -> BillingProvider:
    return BillingProvider(
        npi=billing.npi,
        tax_id=billing.tax_id,
        name=billing.name,
        address=_address(billing.address) or X12Address("", ""),
        taxonomy=billing.taxonomy,
        contact=Contact(billing.name, billing.phone) if billing.phone else None,
    )


def _subscriber(visit: Visit, insurance: Insurance) -> Member:
    person = visit.patient if _dependent(visit, insurance) is None else visit.subscriber or visit.patient
    return _member(person, insurance.member_id, "")


def _dependent(visit: Visit, insurance: Insurance) -> Member | None:
    """Loop 2000C: the patient is insured through somebody else."""
    if insurance.relationship == "self" or visit.subscriber is None:
        return None
    return _member(visit.patient, "", _RELATIONSHIP[insurance.relationship])


def _member(person: Person, member_id: str, relationship: str) -> Member:
    return Member(
        last=person.last,
        first=person.first,
        middle=person.middle,
        member_id=member_id,
        birth_date=person.birth_date,
        gender=person.gender,
        address=_address(person.address),
        relationship=relationship,
    )


def _rendering(claim: Claim) -> Provider | None:
    """Loop 2310B only when it is not the billing provider itself."""
    npi = claim.rendering_npi
    return _provider(claim.draft.visit, npi) if npi and npi != claim.draft.visit.billing.npi else None


def _provider(visit: Visit, npi: str) -> Provider:
    found = visit.practitioner(npi)
    return Provider(npi=npi, last=found.last, first=found.first, taxonomy=found.taxonomy)


def _line(claim: Claim, line: Line, positions: Mapping[int, int]) -> ClaimLine:
    visit, draft = claim.draft.visit, claim.draft
    if line.service_from is None:
        raise ViewError("837P/2400/DTP03", "no date of service")
    elsewhere = line.place_of_service != draft.place_of_service
    other_provider = line.rendering_npi not in {claim.rendering_npi, visit.billing.npi}
    return ClaimLine(
        code=line.code,
        charge_cents=line.charge_cents,
        units=line.units,
        unit=line.unit,
        date_from=line.service_from,
        date_to=line.service_to if line.service_to != line.service_from else None,
        pointers=tuple(positions[sequence] for sequence in line.pointers if sequence in positions),
        line_control=line.control_number,
        modifiers=line.modifiers,
        place_of_service=line.place_of_service if elsewhere else "",
        drug=Drug(ndc=line.ndc, quantity=line.ndc_quantity or line.units, unit=line.ndc_unit or "UN")
        if line.ndc
        else None,
        rendering=_provider(visit, line.rendering_npi) if other_provider else None,
        ordering=_ordering(visit, line),
    )


def _ordering(visit: Visit, line: Line) -> Provider | None:
    """Loop 2420E, when the record has the name; a rendering provider who orders for themselves is not repeated."""
    if not line.ordering_npi or line.ordering_npi == line.rendering_npi:
        return None
    found = _provider(visit, line.ordering_npi)
    return found if found.last else None
