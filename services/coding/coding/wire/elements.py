"""What a coder looks for in any resource: billing codes, modifiers, units, and the NPI behind a reference."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from fhir_r4.elements import code_in, extension_values, identifier_of, reference_of
from fhir_r4.references import Index
from kernel import codes

Resource = dict[str, Any]

_BILLING_SYSTEMS = (codes.CPT, codes.HCPCS)


def billing_code(concept: Resource | None) -> str:
    """CPT or HCPCS level II."""
    return code_in(concept, _BILLING_SYSTEMS)


def modifiers_of(resource: Resource) -> tuple[str, ...]:
    """Modifiers that the record names itself; never dropped, in the record's order."""
    found = (str(value["code"]) for value in extension_values(resource, "procedure-modifier") if value.get("code"))
    return tuple(dict.fromkeys(found))


def units_of(resource: Resource) -> Decimal:
    """The count of our units extension (a decimal or a Quantity); 1 when there is none."""
    value = next(extension_values(resource, "units"), 1)
    return Decimal(value["value"] if isinstance(value, dict) else value)


def target(index: Index, reference: str) -> Resource | None:
    """The snapshot's resource that the reference names."""
    return index.resolve(reference) if reference else None


def same(index: Index, reference: str, resource: Resource) -> bool:
    return target(index, reference) is resource


def npi_of(index: Index, reference: str) -> str:
    """The NPI behind a reference to a Practitioner, PractitionerRole or Organization; "" when it has none."""
    actor = target(index, reference)
    if actor is not None and actor["resourceType"] == "PractitionerRole":
        actor = target(index, reference_of(actor.get("practitioner")))
    return identifier_of(actor, codes.NPI)


def first_npi(index: Index, references: Collection[str]) -> str:
    return next(filter(None, (npi_of(index, reference) for reference in references)), "")


def performer_npi(index: Index, resource: Resource) -> str:
    """The first NPI among those who performed."""
    return first_npi(index, [reference_of(one.get("actor")) for one in resource.get("performer", ())])
