"""Our claims and work items as FHIR R4: Claim (professional) and Task. Amounts are exact decimals."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from kernel.codes import CPT, HCPCS, ICD10CM, NDC, NPI, POS, icd10cm_dotted, is_cpt
from kernel.money import from_cents

from claims_gateway.model import Claim, Line, Practitioner

CONTROL_NUMBER = "https://throughline.example/fhir/NamingSystem/patient-control-number"
LINE_CONTROL = "https://throughline.example/fhir/NamingSystem/line-control-number"
WORK_CODES = "https://throughline.example/fhir/CodeSystem/work"
REASON_CODES = "https://throughline.example/fhir/CodeSystem/work-reason"
STATE_CODES = "https://throughline.example/fhir/CodeSystem/claim-state"
DOLLARS = "https://throughline.example/fhir/StructureDefinition/dollars"
_CLAIM_TYPE = "http://terminology.hl7.org/CodeSystem/claim-type"
_PRIORITY = "http://terminology.hl7.org/CodeSystem/processpriority"
_CARE_ROLE = "http://terminology.hl7.org/CodeSystem/claimcareteamrole"
# A claim that can no longer be worked on.
_ENDED = {"voided", "closed", "replaced"}


def claim_resource(claim: Claim, created: datetime) -> dict[str, Any]:
    """FHIR R4 Claim. Patient, provider and insurer that the record lacks are said to be unknown."""
    draft, insurance = claim.draft, claim.draft.visit.insurance
    team = _care_team(claim)
    resource: dict[str, Any] = {
        "resourceType": "Claim",
        "id": claim.claim_id,
        "identifier": [{"system": CONTROL_NUMBER, "value": claim.control_number}],
        "status": "cancelled" if claim.state in _ENDED else "active",
        "type": _concept(_CLAIM_TYPE, "professional"),
        "use": "claim",
        "patient": _reference(draft.visit.patient.reference, "unknown patient"),
        "billablePeriod": _period(claim),
        "created": created.date().isoformat(),
        "insurer": _reference(insurance.payer_reference if insurance else "", "unknown payer"),
        "provider": _reference(draft.visit.billing.reference, "unknown provider"),
        "priority": _concept(_PRIORITY, "normal"),
        "careTeam": [_member(number, found) for number, found in enumerate(team, 1)],
        "diagnosis": [_diagnosis(row.sequence, row.code) for row in draft.diagnoses],
        "insurance": [_insurance(claim)],
        "item": [_item(number, line, team) for number, line in enumerate(draft.lines, 1)],
        "total": _money(claim.total_cents),
    }
    return {name: value for name, value in resource.items() if value not in ([], {})}


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _money(cents: int) -> dict[str, Any]:
    return {"value": Decimal(from_cents(cents)), "currency": "USD"}


def _reference(reference: str, otherwise: str) -> dict[str, str]:
    return {"reference": reference} if reference else {"display": otherwise}


def _period(claim: Claim) -> dict[str, str]:
    days = [day for line in claim.draft.lines for day in (line.service_from, line.service_to) if day]
    return {"start": min(days).isoformat(), "end": max(days).isoformat()} if days else {}


def _care_team(claim: Claim) -> list[Practitioner]:
    numbers = dict.fromkeys(line.rendering_npi for line in claim.draft.lines if line.rendering_npi)
    return [claim.draft.visit.practitioner(npi) for npi in numbers]


def _member(number: int, found: Practitioner) -> dict[str, Any]:
    provider: dict[str, Any] = {"identifier": {"system": NPI, "value": found.npi}}
    if found.reference:
        provider["reference"] = found.reference
    return {"sequence": number, "provider": provider, "responsible": True, "role": _concept(_CARE_ROLE, "primary")}


def _diagnosis(sequence: int, code: str) -> dict[str, Any]:
    return {"sequence": sequence, "diagnosisCodeableConcept": _concept(ICD10CM, icd10cm_dotted(code))}


def _insurance(claim: Claim) -> dict[str, Any]:
    insurance = claim.draft.visit.insurance
    row: dict[str, Any] = {
        "sequence": 1,
        "focal": True,
        "coverage": _reference(insurance.reference if insurance else "", "no coverage on file"),
    }
    if claim.authorization_number:
        row["preAuthRef"] = [claim.authorization_number]
    return row


def _item(number: int, line: Line, team: list[Practitioner]) -> dict[str, Any]:
    item: dict[str, Any] = {
        "sequence": number,
        "careTeamSequence": [n for n, found in enumerate(team, 1) if found.npi == line.rendering_npi],
        "diagnosisSequence": list(line.pointers),
        "productOrService": _product(line.code),
        "modifier": [_concept(_system(modifier), modifier) for modifier in line.modifiers],
        "servicedDate": line.service_from.isoformat() if line.service_from else "",
        "locationCodeableConcept": _concept(POS, line.place_of_service) if line.place_of_service else {},
        "quantity": {"value": _exact(line.units)} if line.units else {},
        "unitPrice": _money(line.unit_charge_cents),
        "net": _money(line.charge_cents),
        "detail": _detail(line),
    }
    if line.control_number:
        item["extension"] = [{"url": LINE_CONTROL, "valueString": line.control_number}]
    return {name: value for name, value in item.items() if value not in ([], {}, "")}


def _detail(line: Line) -> list[dict[str, Any]]:
    return [{"sequence": 1, "productOrService": _concept(NDC, line.ndc)}] if line.ndc else []


def _product(code: str) -> dict[str, Any]:
    return _concept(CPT if is_cpt(code) else HCPCS, code) if code else {"text": "no code"}


def _system(modifier: str) -> str:
    return CPT if modifier.isdigit() else HCPCS


def _exact(units: str) -> Decimal:
    return Decimal(units)


def task_resource(
    work_id: str, kind: str, reason: str, status: str, claim: Claim | None, opened: datetime
) -> dict[str, Any]:
    """FHIR R4 Task of a work item; about a claim, or about a file when there is none."""
    task: dict[str, Any] = {
        "resourceType": "Task",
        "id": work_id,
        "status": status,
        "intent": "order",
        "code": _concept(WORK_CODES, kind),
        "businessStatus": _concept(REASON_CODES, reason),
        "authoredOn": opened.isoformat(timespec="seconds"),
    }
    return task | (_about(claim) if claim else {})


def _about(claim: Claim) -> dict[str, Any]:
    about: dict[str, Any] = {
        "extension": [{"url": DOLLARS, "valueMoney": _money(claim.total_cents)}],
        "focus": {"reference": f"Claim/{claim.claim_id}"},
        "encounter": {"reference": claim.draft.encounter},
    }
    if claim.draft.visit.patient.reference:
        about["for"] = {"reference": claim.draft.visit.patient.reference}
    if claim.filing_deadline:
        about["restriction"] = {"period": {"end": _iso(claim.filing_deadline)}}
    return about


def _iso(day: date) -> str:
    return day.isoformat()
