"""Our claims and work items as FHIR R4: Claim (professional) and Task. Amounts are exact decimals."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from fhir_r4.compose import concept, money
from fhir_r4.work_task import work_task
from kernel.codes import CPT, HCPCS, ICD10CM, LINE, NDC, NPI, POS, icd10cm_dotted, is_cpt

from claims_gateway.model import Claim, Line, Practitioner

CONTROL_NUMBER = f"{LINE}/NamingSystem/patient-control-number"
LINE_CONTROL = f"{LINE}/NamingSystem/line-control-number"
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
        "type": concept(_CLAIM_TYPE, "professional"),
        "use": "claim",
        "patient": _reference(draft.visit.patient.reference, "unknown patient"),
        "billablePeriod": _period(claim),
        "created": created.date().isoformat(),
        "insurer": _reference(insurance.payer_reference if insurance else "", "unknown payer"),
        "provider": _reference(draft.visit.billing.reference, "unknown provider"),
        "priority": concept(_PRIORITY, "normal"),
        "careTeam": [_member(number, found) for number, found in enumerate(team, 1)],
        "diagnosis": [_diagnosis(row.sequence, row.code) for row in draft.diagnoses],
        "insurance": [_insurance(claim)],
        "item": [_item(number, line, team) | _visit(draft.encounter) for number, line in enumerate(draft.lines, 1)],
        "total": money(claim.total_cents),
    }
    return {name: value for name, value in resource.items() if value not in ([], {})}


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
    return {"sequence": number, "provider": provider, "responsible": True, "role": concept(_CARE_ROLE, "primary")}


def _diagnosis(sequence: int, code: str) -> dict[str, Any]:
    return {"sequence": sequence, "diagnosisCodeableConcept": concept(ICD10CM, icd10cm_dotted(code))}


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
        "modifier": [concept(_system(modifier), modifier) for modifier in line.modifiers],
        "servicedDate": line.service_from.isoformat() if line.service_from else "",
        "locationCodeableConcept": concept(POS, line.place_of_service) if line.place_of_service else {},
        "quantity": {"value": Decimal(line.units)} if line.units else {},
        "unitPrice": money(line.unit_charge_cents),
        "net": money(line.charge_cents),
        "detail": _detail(line),
    }
    if line.control_number:
        item["extension"] = [{"url": LINE_CONTROL, "valueString": line.control_number}]
    return {name: value for name, value in item.items() if value not in ([], {}, "")}


def _visit(encounter: str) -> dict[str, Any]:
    """So that a claim is found by its visit, and what led to the visit by the claim."""
    return {"encounter": [{"reference": encounter}]} if encounter.startswith("Encounter/") else {}


def _detail(line: Line) -> list[dict[str, Any]]:
    return [{"sequence": 1, "productOrService": concept(NDC, line.ndc)}] if line.ndc else []


def _product(code: str) -> dict[str, Any]:
    return concept(CPT if is_cpt(code) else HCPCS, code) if code else {"text": "no code"}


def _system(modifier: str) -> str:
    return CPT if modifier.isdigit() else HCPCS


def claim_task(
    work_id: str, kind: str, state: str, reason: str, claim: Claim, now: datetime, owner: str = ""
) -> dict[str, Any]:
    """FHIR R4 Task of a work item about a claim, due on the claim's filing deadline. `state` as in `work_task`."""
    return work_task(
        work_id,
        kind,
        state,
        now,
        focus=f"Claim/{claim.claim_id}",
        patient=claim.draft.visit.patient.reference,
        encounter=claim.draft.encounter,
        reason=reason,
        owner=owner,
        due_on=claim.filing_deadline,
        opened_at=now if state == "open" else None,
        dollars_cents=claim.total_cents,
    )
