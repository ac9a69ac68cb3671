"""The office visit of gateway_world as a FHIR Claim that its sender has made, and the services that are asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import fhir_r4
import grpc
from gateway_world import resources
from rcm.claims.v1.claims_pb2 import SubmitFhirRequest
from rcm.eligibility.v1 import eligibility_pb2
from rcm.eligibility.v1.eligibility_pb2_grpc import EligibilityServiceServicer, add_EligibilityServiceServicer_to_server
from rcm.priorauth.v1 import priorauth_pb2
from rcm.priorauth.v1.priorauth_pb2_grpc import PriorAuthServiceServicer, add_PriorAuthServiceServicer_to_server

CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
NDC = "http://hl7.org/fhir/sid/ndc"
POS = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ROLES = "http://terminology.hl7.org/CodeSystem/claimcareteamrole"


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def money(text: str) -> dict[str, Any]:
    return {"value": Decimal(text), "currency": "USD"}


def item(sequence: int, code: str, net: str, served: str = "2026-03-16", **changed: Any) -> dict[str, Any]:
    system = CPT if code[0].isdigit() else HCPCS
    made = {
        "sequence": sequence,
        "careTeamSequence": [1],
        "diagnosisSequence": [1],
        "productOrService": concept(system, code),
        "servicedDate": served,
        "locationCodeableConcept": concept(POS, "11"),
        "quantity": {"value": 1},
        "net": money(net),
    }
    return {name: value for name, value in (made | changed).items() if value is not None}


def claim(served: str = "2026-03-16", **changed: Any) -> dict[str, Any]:
    """99213 and a laboratory test of 215.00 in all; a value of None leaves an element out."""
    made = {
        "resourceType": "Claim",
        "id": "sent-1",
        "identifier": [{"system": "https://clinic.example/claims", "value": "C-1"}],
        "status": "active",
        "type": concept("http://terminology.hl7.org/CodeSystem/claim-type", "professional"),
        "use": "claim",
        "patient": {"reference": "Patient/p1"},
        "created": "2026-03-20",
        "insurer": {"reference": "Organization/payer"},
        "provider": {"reference": "Organization/clinic"},
        "priority": concept("http://terminology.hl7.org/CodeSystem/processpriority", "normal"),
        "careTeam": [
            {"sequence": 1, "provider": {"reference": "Practitioner/dr1"}, "role": concept(ROLES, "primary")},
            {"sequence": 2, "provider": {"reference": "Practitioner/dr2"}, "role": concept(ROLES, "referring")},
        ],
        "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": concept(ICD10CM, "E11.9")}],
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/c1"}}],
        "item": [
            item(4, "99213", "155.00", served),
            item(7, "80053", "60.00", served, careTeamSequence=[1, 2]),
        ],
        "total": money("215.00"),
    }
    return {name: value for name, value in (made | changed).items() if value is not None}


def context(record: dict[str, dict[str, Any]] | None = None) -> bytes:
    found = (record or resources()).values()
    entries = [{"fullUrl": f"https://line.example/fhir/{r['resourceType']}/{r['id']}", "resource": r} for r in found]
    return fhir_r4.write({"resourceType": "Bundle", "type": "collection", "entry": entries})


def request(
    content: dict[str, Any] | None = None, record: dict[str, dict[str, Any]] | None = None, **fields: Any
) -> SubmitFhirRequest:
    values = {"client_id": "client-1"} | fields
    return SubmitFhirRequest(resource=fhir_r4.write(content or claim()), context=context(record), **values)


@dataclass
class Others(EligibilityServiceServicer, PriorAuthServiceServicer):  # type: ignore[misc]
    """Eligibility and prior-auth behind one port: every coverage is active, nothing needs an authorization."""

    def GetCoverageOn(self, request: Any, context: Any) -> Any:
        active = eligibility_pb2.COVERAGE_STATUS_ACTIVE
        verification = eligibility_pb2.CoverageVerification(status=active, date=request.date, payer_id="SYNPA")
        return eligibility_pb2.GetCoverageOnResponse(verification=verification)

    def FindAuthorization(self, request: Any, context: Any) -> Any:
        none = priorauth_pb2.REQUIREMENT_NOT_REQUIRED
        rows = [priorauth_pb2.Authorization(code=code, requirement=none) for code in request.codes]
        return priorauth_pb2.FindAuthorizationResponse(authorizations=rows)


@contextmanager
def running_others() -> Any:
    """The port at which they answer."""
    servicer, server = Others(), grpc.server(ThreadPoolExecutor(4))
    add_EligibilityServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]
    add_PriorAuthServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None)
