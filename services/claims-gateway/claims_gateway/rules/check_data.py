"""Predicates of the minimum data set: what a clean claim must have at all, one finding for each element."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation

from kernel.codes import is_modifier, is_procedure_code
from kernel.identifiers import npi_valid

from claims_gateway.model import Claim, Line
from claims_gateway.rules.book import World

_MOST_DIAGNOSES = 12
_MOST_MODIFIERS = 4
_MOST_POINTERS = 4


def _lines(claim: Claim, name: str, wrong: Callable[[Line], bool]) -> Iterator[str]:
    for number, line in enumerate(claim.draft.lines):
        if wrong(line):
            yield f"lines[{number}].{name}"


def no_patient_name(claim: Claim, world: World) -> Iterator[str]:
    if not claim.draft.visit.patient.last:
        yield "patient.name"


def no_birth_date(claim: Claim, world: World) -> Iterator[str]:
    if claim.draft.visit.patient.birth_date is None:
        yield "patient.birth_date"


def no_patient_address(claim: Claim, world: World) -> Iterator[str]:
    if not claim.draft.visit.patient.address.complete:
        yield "patient.address"


def no_member_id(claim: Claim, world: World) -> Iterator[str]:
    insurance = claim.draft.visit.insurance
    if insurance is None or not insurance.member_id:
        yield "insurance.member_id"


def no_subscriber(claim: Claim, world: World) -> Iterator[str]:
    visit = claim.draft.visit
    depends = visit.insurance is not None and visit.insurance.relationship != "self"
    if depends and (visit.subscriber is None or not visit.subscriber.last):
        yield "subscriber.name"


def no_payer(claim: Claim, world: World) -> Iterator[str]:
    if not claim.payer_id:
        yield "insurance.payer"


def no_secondary_payer(claim: Claim, world: World) -> Iterator[str]:
    for number, other in enumerate(claim.draft.visit.other_insurance):
        if not other.payer_id:
            yield f"other_insurance[{number}].payer"


def no_billing_provider(claim: Claim, world: World) -> Iterator[str]:
    billing = claim.draft.visit.billing
    if not npi_valid(billing.npi):
        yield "billing.npi"
    if not (billing.tax_id.isascii() and billing.tax_id.isdigit() and len(billing.tax_id) == 9):
        yield "billing.tax_id"
    if not billing.name:
        yield "billing.name"
    if not billing.address.complete:
        yield "billing.address"


def no_rendering_npi(claim: Claim, world: World) -> Iterator[str]:
    yield from _lines(claim, "rendering_npi", lambda line: not npi_valid(line.rendering_npi))


def no_place_of_service(claim: Claim, world: World) -> Iterator[str]:
    yield from _lines(claim, "place_of_service", lambda line: not line.place_of_service)


def no_service_date(claim: Claim, world: World) -> Iterator[str]:
    yield from _lines(claim, "service_from", lambda line: line.service_from is None)


def no_diagnosis(claim: Claim, world: World) -> Iterator[str]:
    if not 1 <= len(claim.draft.diagnoses) <= _MOST_DIAGNOSES:
        yield "diagnoses"


def no_procedure(claim: Claim, world: World) -> Iterator[str]:
    yield from _lines(claim, "code", lambda line: not is_procedure_code(line.code))


def modifier_unreadable(claim: Claim, world: World) -> Iterator[str]:
    yield from _lines(claim, "modifiers", _modifiers_wrong)


def _modifiers_wrong(line: Line) -> bool:
    return len(line.modifiers) > _MOST_MODIFIERS or not all(map(is_modifier, line.modifiers))


def no_units(claim: Claim, world: World) -> Iterator[str]:
    yield from _lines(claim, "units", lambda line: not _positive(line.units))


def _positive(text: str) -> bool:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    return value.is_finite() and value > 0


def no_charge(claim: Claim, world: World) -> Iterator[str]:
    yield from _lines(claim, "charge", lambda line: line.charge_cents <= 0)
    if claim.total_cents <= 0:
        yield "total"


def no_pointer(claim: Claim, world: World) -> Iterator[str]:
    known = {diagnosis.sequence for diagnosis in claim.draft.diagnoses}
    yield from _lines(
        claim, "pointers", lambda line: not 1 <= len(line.pointers) <= _MOST_POINTERS or not set(line.pointers) <= known
    )


CHECKS = (
    no_patient_name,
    no_birth_date,
    no_patient_address,
    no_member_id,
    no_subscriber,
    no_payer,
    no_secondary_payer,
    no_billing_provider,
    no_rendering_npi,
    no_place_of_service,
    no_service_date,
    no_diagnosis,
    no_procedure,
    modifier_unreadable,
    no_units,
    no_charge,
    no_pointer,
)
