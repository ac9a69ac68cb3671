"""The record of accesses as FHIR AuditEvents, as IHE's Basic Audit Log Patterns want them of a FHIR server."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Any

from interface_engine.model import Resource
from interface_engine.wire.text import instant

_TYPE = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}
_INTERACTION = "http://hl7.org/fhir/restful-interaction"
_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ENTITY_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_PARTICIPATION = "http://dicom.nema.org/resources/ontology/DCM"
# audit-event-outcome by HTTP status, the last one not included.
OUTCOMES = {"0": (0, 400), "4": (400, 500), "8": (500, 1000)}
_SOURCE, _DESTINATION = "110153", "110152"


def audit_event(identity: str, at: datetime, row: dict[str, Any]) -> Resource:
    """A row of the record (client, action, interaction, type, resource_id, status, query, trace) as an AuditEvent."""
    return {
        "resourceType": "AuditEvent",
        "id": identity,
        "type": _TYPE,
        "subtype": [{"system": _INTERACTION, "code": row["interaction"]}],
        "action": row["action"],
        "recorded": instant(at),
        "outcome": outcome_code(row["status"]),
        "agent": [
            {
                "type": _coded(_PARTICIPATION, _SOURCE),
                "who": {"identifier": {"value": row["client"]}},
                "name": row["client"],
                "requestor": True,
            },
            {"type": _coded(_PARTICIPATION, _DESTINATION), "who": {"display": "Throughline"}, "requestor": False},
        ],
        "source": {"observer": {"display": "Throughline"}},
        **({"entity": entities} if (entities := _entities(row)) else {}),
    }


def outcome_code(status: int) -> str:
    """FHIR's audit-event-outcome of an HTTP status: done, the caller's fault, ours."""
    return next(code for code, (low, high) in OUTCOMES.items() if low <= status < high)


def _entities(row: dict[str, Any]) -> list[Resource]:
    found: list[Resource] = []
    if row["type"] and row["resource_id"]:
        found.append(
            {
                "what": {"reference": f"{row['type']}/{row['resource_id']}"},
                "type": {"system": _ENTITY_TYPE, "code": "2"},
                "role": {"system": _ENTITY_ROLE, "code": "4"},
            }
        )
    if row["query"]:
        found.append(
            {
                "type": {"system": _ENTITY_TYPE, "code": "2"},
                "role": {"system": _ENTITY_ROLE, "code": "24"},
                "query": b64encode(row["query"].encode()).decode(),
            }
        )
    if row["trace"]:
        found.append(
            {
                "what": {"identifier": {"value": row["trace"]}},
                "type": {"system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
                         "code": "XrequestId"},
            }
        )  # fmt: skip
    return found


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}
