"""The CapabilityStatement: what is served, said from the table that serves it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fhir_r4.search import includes, parameters, revincludes
from fhir_r4.types import known_types

from interface_engine.model import Resource
from interface_engine.model_notices import topics
from interface_engine.wire.answers import FHIR_JSON
from interface_engine.wire.notices import TOPIC_EXTENSION
from interface_engine.wire.patching import PATCH_FORMATS
from interface_engine.wire.text import instant

FORMATS = (FHIR_JSON, "application/json", "json")
_SYSTEM_INTERACTIONS = frozenset({"transaction", "batch", "search-system", "history-system"})
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SECURITY_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_PARAMETER_URL = "http://hl7.org/fhir/SearchParameter"
# Where operations are defined; those of R4 itself are by their type and name.
_DEFINITIONS = {
    "$everything": "http://hl7.org/fhir/OperationDefinition/{type}-everything",
    "$validate": "http://hl7.org/fhir/OperationDefinition/Resource-validate",
    "$submit": "http://hl7.org/fhir/OperationDefinition/{type}-submit",
    "$inquire": "http://hl7.org/fhir/us/davinci-pas/OperationDefinition/Claim-inquiry",
    "$export": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export",
}


@dataclass(frozen=True, slots=True)
class Serving:
    """One row of what is served: FHIR's code or the operation's name, at a type or `everywhere` but at those `without`;
    neither means the whole system."""

    interaction: str
    type: str = ""
    everywhere: bool = False
    without: frozenset[str] = frozenset()

    def at(self, type_name: str) -> bool:
        return self.type == type_name or (self.everywhere and type_name not in self.without)


def capability(rows: Iterable[Serving], base_url: str, token_url: str, now: datetime) -> Resource:
    """The statement of an engine that serves these rows."""
    listed = list(rows)
    system = [one.interaction for one in listed if one.interaction in _SYSTEM_INTERACTIONS]
    statement: Resource = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(now),
        "kind": "instance",
        "software": {"name": "Throughline"},
        "implementation": {"description": "Throughline FHIR R4 endpoint", "url": base_url},
        "fhirVersion": "4.0.1",
        "format": list(FORMATS),
        "patchFormat": list(PATCH_FORMATS),
        "rest": [
            {
                "mode": "server",
                "security": _security(token_url),
                "resource": [_resource(name, listed) for name in sorted(known_types())],
                "interaction": [{"code": code} for code in dict.fromkeys(system)],
            }
        ],
    }
    operations = _operations(one for one in listed if not one.type and not one.everywhere)
    statement["rest"][0] |= {"operation": operations} if operations else {}
    return statement


def _security(token_url: str) -> Resource:
    text = "SMART Backend Services: a bearer token of a registered client"
    service = {"coding": [{"system": _SECURITY_SERVICE, "code": "SMART-on-FHIR"}]}
    found: Resource = {"cors": False, "service": [service], "description": text}
    if token_url:
        uris = [{"url": "token", "valueUri": token_url}]
        found = {"extension": [{"url": _OAUTH_URIS, "extension": uris}]} | found
    return found


def _resource(type_name: str, rows: Sequence[Serving]) -> Resource:
    own = [one for one in rows if one.at(type_name)]
    codes = {one.interaction for one in own if not one.interaction.startswith("$")}
    found: Resource = {
        "type": type_name,
        "interaction": [{"code": code} for code in sorted(codes)],
        "versioning": "versioned-update",
        "readHistory": "vread" in codes,
        "updateCreate": "update" in codes,
        "conditionalCreate": "create" in codes,
        "conditionalRead": "full-support",
        "conditionalUpdate": "update" in codes,
        "conditionalDelete": "single" if "delete" in codes else "not-supported",
        "referencePolicy": ["literal", "local", "enforced", "resolves"],
        "searchInclude": list(includes(type_name)),
        "searchRevInclude": list(revincludes(type_name)),
        "searchParam": [_parameter(type_name, name) for name in sorted(parameters(type_name))],
    }
    shown = _topics() if type_name == "Subscription" and any(one.interaction == "$events" for one in own) else []
    found |= {"operation": _operations(own), "extension": shown}
    return {name: value for name, value in found.items() if value != []}


def _topics() -> list[Resource]:
    """What can be listened to."""
    return [{"url": TOPIC_EXTENSION, "valueCanonical": one.canonical} for one in topics(known_types())]


def _parameter(type_name: str, name: str) -> Resource:
    found = parameters(type_name)[name]
    owner = "Resource" if name.startswith("_") else type_name
    said = {"name": name, "definition": f"{_PARAMETER_URL}/{owner}-{name.lstrip('_')}", "type": found.kind}
    return said | {"documentation": _documentation(found.paths, found.targets)}


def _documentation(paths: Sequence[str], targets: Sequence[str]) -> str:
    where = ", ".join(paths) or "the resource itself"
    return f"On {where}" + (f"; leads to {', '.join(targets)}" if targets else "")


def _operations(rows: Iterable[Serving]) -> list[Resource]:
    named = dict.fromkeys((one.interaction, one.type) for one in rows if one.interaction.startswith("$"))
    return [
        {
            "name": name.removeprefix("$"),
            "definition": _DEFINITIONS.get(name, "").format(type=type_name)
            or f"https://throughline.example/fhir/OperationDefinition/{name.removeprefix('$')}",
        }
        for name, type_name in named
    ]
