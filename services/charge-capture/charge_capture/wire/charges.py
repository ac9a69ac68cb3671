"""Charges as the body of charges.captured, with a FHIR R4 ChargeItem for each line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import fhir_r4
from fhir_r4.compose import concept, money, own_extension
from kernel import codes
from rcm.billing.v1 import billing_pb2
from rcm.charge.v1 import charge_pb2
from rcm.coding.v1 import coding_pb2

from charge_capture.model import Charge, Reckoning, Visit

# What a ChargeItem.service may point to (FHIR R4).
_SERVICE_TYPES = ("Immunization", "MedicationAdministration", "Procedure", "DiagnosticReport", "Observation")


def charges_captured(visit: Visit, found: Reckoning, now: datetime) -> charge_pb2.ChargesCaptured:
    """The coded visit goes on with every line priced; nothing else of it changes."""
    coded = coding_pb2.EncounterCoded.FromString(visit.coded)
    return charge_pb2.ChargesCaptured(
        facts=coded.facts,
        diagnoses=coded.diagnoses,
        lines=map(priced_line, found.charges),
        total_cents=found.total_cents,
        charge_items=[fhir_r4.write(charge_item(charge, visit, now)) for charge in found.charges],
    )


def priced_line(charge: Charge) -> billing_pb2.ServiceLine:
    """The line as it came, with its price and the id of its ChargeItem."""
    line = billing_pb2.ServiceLine.FromString(charge.line.original)
    line.unit_charge_cents = charge.unit_cents
    line.charge_cents = charge.cents
    line.charge_item_id = charge.charge_item_id
    return line


def charge_item(charge: Charge, visit: Visit, now: datetime) -> dict[str, Any]:
    """A FHIR R4 ChargeItem; its price is that of the whole line."""
    line = billing_pb2.ServiceLine.FromString(charge.line.original)
    system = codes.CPT if codes.is_cpt(charge.line.code) else codes.HCPCS
    item: dict[str, Any] = {
        "resourceType": "ChargeItem",
        "id": charge.charge_item_id,
        "extension": [_modifier(modifier) for modifier in charge.line.modifiers],
        "identifier": [{"system": f"{codes.LINE}/charge-line", "value": charge.line.line_id}],
        "status": "billable",
        "code": concept(system, charge.line.code),
        "subject": {"reference": visit.patient},
        "context": {"reference": visit.encounter},
        "quantity": {"value": charge.line.units},
        "priceOverride": money(charge.cents),
        "enteredDate": now.isoformat(),
        **_occurrence(line),
        **_performer(line),
        **_service(charge.line.source),
    }
    return {name: value for name, value in item.items() if value}


def _modifier(modifier: str) -> dict[str, Any]:
    system = codes.CPT if modifier.isdigit() else codes.HCPCS
    return own_extension("procedure-modifier", "Coding", {"system": system, "code": modifier})


def _occurrence(line: billing_pb2.ServiceLine) -> dict[str, Any]:
    if line.service_to in ("", line.service_from):
        return {"occurrenceDateTime": line.service_from}
    return {"occurrencePeriod": {"start": line.service_from, "end": line.service_to}}


def _performer(line: billing_pb2.ServiceLine) -> dict[str, Any]:
    if not line.rendering_npi:
        return {}
    actor = {"type": "Practitioner", "identifier": {"system": codes.NPI, "value": line.rendering_npi}}
    return {"performer": [{"actor": actor}]}


def _service(source: str) -> dict[str, Any]:
    kind = source.partition("/")[0]
    return {"service": [{"reference": source}]} if kind in _SERVICE_TYPES else {}
