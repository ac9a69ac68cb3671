"""A coded visit to charge, and the shipped charge master."""

from __future__ import annotations

from typing import Any

import fhir_r4
import pytest
from charge_capture.model import Visit
from charge_capture.rules import ChargeMaster, load_site_charges
from charge_capture.wire.visit import read_visit
from kernel import codes
from rcm.billing.v1 import billing_pb2
from rcm.coding.v1 import coding_pb2


class CodedVisit:
    """What coding hands on: lines, and a snapshot in which orders and what was done can be put."""

    def __init__(self) -> None:
        patient = {"resourceType": "Patient", "id": "p1"}
        encounter = {"resourceType": "Encounter", "id": "e1", "subject": {"reference": "Patient/p1"}}
        self.resources: list[dict[str, Any]] = [patient, encounter]
        self.lines: list[billing_pb2.ServiceLine] = []
        self.reviewed = False

    def line(self, code: str, source: str = "", **more: Any) -> CodedVisit:
        source = source or f"Procedure/{len(self.lines)}"
        values: dict[str, Any] = {"line_id": f"line-{source}", "code": code, "source": source, "units": "1"}
        values |= {"service_from": "2026-02-10", "service_to": "2026-02-10", "pointers": [1], "place_of_service": "11"}
        self.lines.append(billing_pb2.ServiceLine(**(values | {"rendering_npi": "1000000012"} | more)))
        return self

    def add(self, kind: str, id: str, status: str = "completed", code: str = "", **more: Any) -> str:
        system = codes.CPT if codes.is_cpt(code) else codes.LOINC
        concept = {"coding": [{"system": system, "code": code}]}
        self.resources.append({"resourceType": kind, "id": id, "status": status, "code": concept, **more})
        return f"{kind}/{id}"

    def message(self) -> coding_pb2.EncounterCoded:
        body = coding_pb2.EncounterCoded(
            lines=self.lines, diagnoses=[billing_pb2.Diagnosis(sequence=1, icd10cm="I10")], reviewed=self.reviewed
        )
        body.facts.encounter, body.facts.encounter_key = "Encounter/e1", "key-1"
        base = "https://ehr.example/fhir"
        entries = [{"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one} for one in self.resources]
        body.facts.snapshot = fhir_r4.write({"resourceType": "Bundle", "type": "collection", "entry": entries})
        return body

    def read(self) -> Visit:
        return read_visit(self.message())


@pytest.fixture
def coded() -> CodedVisit:
    return CodedVisit()


@pytest.fixture(scope="session")
def master() -> ChargeMaster:
    return load_site_charges(None)
