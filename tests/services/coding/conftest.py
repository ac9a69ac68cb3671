"""A synthetic chart to build visits from, and the shipped rules."""

from __future__ import annotations

from typing import Any

import fhir_r4
import pytest
from coding.handlers import code_visit
from coding.model import Coded, Visit
from coding.rules import Rules, load_site_rules
from coding.wire.snapshot import read_visit
from kernel import codes
from rcm.engine.v1 import engine_pb2

LINE = "https://throughline.example/fhir"
BASE = "https://ehr.example/fhir"


def concept(system: str, *found: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for code in found]}


class Chart:
    """One encounter's record. Each method adds a resource and returns its reference."""

    def __init__(self) -> None:
        self.encounter: dict[str, Any] = {
            "resourceType": "Encounter",
            "id": "e1",
            "status": "finished",
            "class": {"system": codes.ENCOUNTER_CLASS, "code": "AMB"},
            "subject": {"reference": "Patient/p1"},
            "participant": [{"individual": {"reference": "Practitioner/d1"}}],
            "period": {"start": "2026-02-10T23:30:00-06:00"},
        }
        patient = {"resourceType": "Patient", "id": "p1"}
        doctor = {
            "resourceType": "Practitioner",
            "id": "d1",
            "identifier": [{"system": codes.NPI, "value": "1000000012"}],
        }
        self.resources: list[dict[str, Any]] = [self.encounter, patient, doctor]
        self.unmapped: list[str] = []

    def add(self, kind: str, **elements: Any) -> str:
        resource = {"resourceType": kind, "id": f"{kind.lower()}-{len(self.resources)}", **elements}
        self.resources.append(resource)
        return f"{kind}/{resource['id']}"

    def visit(self, *found: str) -> Chart:
        self.encounter["type"] = [concept(codes.CPT, code) for code in found]
        return self

    def diagnosis(self, code: str, **more: Any) -> str:
        mine = {"encounter": {"reference": "Encounter/e1"}, "subject": {"reference": "Patient/p1"}}
        return self.add("Condition", **({"code": concept(codes.ICD10CM, code)} | mine | more))

    def procedure(self, code: str, side: str = "", /, **more: Any) -> str:
        system = codes.CPT if codes.is_cpt(code) else codes.HCPCS
        done = {"status": "completed", "code": concept(system, code), "subject": {"reference": "Patient/p1"}}
        if side:
            done["bodySite"] = [concept(codes.SNOMED, side)]
        return self.add("Procedure", **(done | more))

    def order(self, code: str, system: str = codes.CPT, status: str = "completed", **more: Any) -> str:
        request = {"status": status, "intent": "order", "code": concept(system, code)}
        return self.add("ServiceRequest", **(request | {"requester": {"reference": "Practitioner/d1"}} | more))

    def drug(self, code: str, value: Any, unit: str, ndc: str = "99999-0897-01", **more: Any) -> str:
        coding = concept(codes.HCPCS, code)["coding"] + concept(codes.NDC, ndc)["coding"]
        given = {"status": "completed", "medicationCodeableConcept": {"coding": coding}}
        given |= {"dosage": {"dose": {"value": value, "unit": unit}}, "effectiveDateTime": "2026-02-10"}
        return self.add("MedicationAdministration", **(given | more))

    def note(self, problems: str = "", data: str = "", risk: str = "", minutes: int = 0) -> Chart:
        words = {"problems": problems, "data": data, "risk": risk}
        for element, word in words.items():
            if word:
                self._observe(element, {"valueCodeableConcept": concept(f"{LINE}/CodeSystem/em", word)})
        if minutes:
            self._observe("total-minutes", {"valueQuantity": {"value": minutes, "unit": "min"}})
        return self

    def _observe(self, element: str, value: dict[str, Any]) -> None:
        code = {"code": concept(f"{LINE}/CodeSystem/em", element), "encounter": {"reference": "Encounter/e1"}}
        self.add("Observation", status="final", **code, **value)

    def message(self) -> engine_pb2.EncounterFinished:
        entries = [{"fullUrl": f"{BASE}/{one['resourceType']}/{one['id']}", "resource": one} for one in self.resources]
        body = engine_pb2.EncounterFinished(unmapped=self.unmapped)
        body.facts.encounter = "Encounter/e1"
        body.facts.encounter_key = "key-1"
        body.facts.source = "test"
        body.facts.snapshot = fhir_r4.write({"resourceType": "Bundle", "type": "collection", "entry": entries})
        return body

    def read(self) -> Visit:
        return read_visit(self.message())

    def code(self, rules: Rules) -> Coded:
        return code_visit(self.read(), rules)


@pytest.fixture(scope="session")
def rules() -> Rules:
    return load_site_rules(None)


@pytest.fixture
def chart() -> Chart:
    return Chart()


@pytest.fixture
def office(chart: Chart) -> Chart:
    """An ordinary office visit: one diagnosis, one E/M code, documentation that supports it."""
    chart.diagnosis("I10")
    return chart.visit("99213").note("low", "limited", "low", 20)
