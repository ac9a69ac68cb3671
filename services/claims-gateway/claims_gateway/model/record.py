"""Who, where and what, as the record of the encounter says it. Dates are days; None or "" means that it does not say.

Money is integer cents.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Address:
    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""

    @property
    def complete(self) -> bool:
        return bool(self.line1 and self.city and self.state and self.postal_code)


@dataclass(frozen=True, slots=True)
class Person:
    """Patient or subscriber. `gender` is F, M or U; `reference` is the FHIR reference."""

    reference: str = ""
    last: str = ""
    first: str = ""
    middle: str = ""
    birth_date: date | None = None
    gender: str = "U"
    address: Address = Address()


@dataclass(frozen=True, slots=True)
class Organization:
    """The billing provider."""

    reference: str = ""
    name: str = ""
    npi: str = ""
    tax_id: str = ""
    taxonomy: str = ""
    phone: str = ""
    address: Address = Address()


@dataclass(frozen=True, slots=True)
class Practitioner:
    reference: str = ""
    npi: str = ""
    last: str = ""
    first: str = ""
    taxonomy: str = ""


@dataclass(frozen=True, slots=True)
class Insurance:
    """One coverage. `relationship` is the patient's to the subscriber: self, spouse, child or other."""

    reference: str = ""
    member_id: str = ""
    payer_id: str = ""
    payer_name: str = ""
    payer_reference: str = ""
    relationship: str = "self"
    group_number: str = ""
    order: int = 1


@dataclass(frozen=True, slots=True)
class PriorLine:
    """What an earlier payer did to a line: billed - adjusted = paid, or it does not balance."""

    payer_id: str
    paid_cents: int
    adjusted_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One service line. `units` is exact decimal text; `pointers` are diagnosis sequences."""

    line_id: str
    code: str = ""
    charge_cents: int = 0
    units: str = ""
    unit: str = "UN"
    modifiers: tuple[str, ...] = ()
    pointers: tuple[int, ...] = ()
    service_from: date | None = None
    service_to: date | None = None
    place_of_service: str = ""
    rendering_npi: str = ""
    ordering_npi: str = ""
    ndc: str = ""
    ndc_quantity: str = ""
    ndc_unit: str = ""
    unit_charge_cents: int = 0
    charge_item_id: str = ""
    control_number: str = ""
    source: str = ""
    order: str = ""
    prior: PriorLine | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """ICD-10-CM without the dot."""

    sequence: int
    code: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who and where, as the record of the encounter says it."""

    patient: Person = Person()
    subscriber: Person | None = None
    insurance: Insurance | None = None
    other_insurance: tuple[Insurance, ...] = ()
    billing: Organization = Organization()
    practitioners: tuple[Practitioner, ...] = ()
    started_on: date | None = None
    ended_on: date | None = None

    def practitioner(self, npi: str) -> Practitioner:
        """The practitioner of this NPI; one without a name when the record does not have them."""
        known = (found for found in self.practitioners if found.npi == npi)
        return next(known, Practitioner(npi=npi))
