"""Codes of charges and diagnoses: which system they are of, what a map makes of them, and what nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fhir_r4.compose import own_extension
from kernel import codes

from interface_engine.model import Resource
from interface_engine.wire.hl7 import datatypes as types
from interface_engine.wire.hl7.job import Job
from interface_engine.wire.hl7.outcome import Unmapped
from interface_engine.wire.hl7.scope import Part

_SERVICE = frozenset({codes.CPT, codes.HCPCS})
_DIAGNOSIS = frozenset({codes.ICD10CM})
_WANTED = {"Condition": _DIAGNOSIS, "Procedure": _SERVICE, "ChargeItem": _SERVICE}


@dataclass(frozen=True, slots=True)
class Coded:
    """A concept, its first code, where it stood, and what became of it: bill, hold, pass or not-billable."""

    concept: Resource
    code: str
    system: str
    path: str
    fate: str = "bill"


def code_of_parts(
    job: Job, parts: Sequence[Part], type_name: str, path: str, system_name: str = "", on: date | None = None
) -> Coded | None:
    """The concept of a field that is a code; None when there is none. `type_name` "" asks no map.

    `system_name` is what stands beside a code that does not say its own system (DG1-2).
    """
    for part in parts:
        if part.is_null:
            continue
        concept = types.codeable(part, job.channel)
        if concept is not None and concept.get("coding"):
            return coded(job, concept, type_name, path, system_name, on)
    return None


def coded(
    job: Job, concept: Resource, type_name: str, path: str, system_name: str = "", on: date | None = None
) -> Coded:
    """The concept with each coding's system told, in the form that claims compare, and its fate by the code maps."""
    wanted = _WANTED.get(type_name, _SERVICE)
    codings = [_settled(job, coding, type_name, system_name) for coding in concept["coding"]]
    claimed = [one for one in codings if one.get("system") in wanted and _good(one)]
    ordered = [*claimed, *(one for one in codings if one not in claimed)]
    first = ordered[0]
    fate = "bill" if claimed or not type_name else _fate(job, codings, type_name, on)
    if fate in ("hold", "pass"):
        job.unmapped.append(Unmapped(path, str(first.get("system", "")), first["code"]))
    return Coded(concept | {"coding": ordered}, first["code"], str(first.get("system", "")), path, fate)


def _settled(job: Job, coding: Resource, type_name: str, system_name: str) -> Resource:
    """A coding that says no system has the one that the channel says, else the one whose codes look like it."""
    code, system = coding["code"], coding.get("system", "")
    if not system:
        charges = job.channel.charges
        told = (charges.diagnosis_system if type_name == "Condition" else charges.system) if charges is not None else ""
        told = told if told != "shape" else ""
        system = told or types.coding_system(job.channel, system_name) or _shape(code, type_name)
        system = system or f"{job.channel.identity.base}/codes"
    if system == codes.ICD10CM and codes.is_icd10cm(code.upper()):
        code = codes.icd10cm_dotted(code.upper())
    return {**coding, "system": system, "code": code}


def _shape(code: str, type_name: str) -> str:
    if type_name == "Condition":
        return codes.ICD10CM if codes.is_icd10cm(code.upper()) else ""
    if codes.is_cpt(code):
        return codes.CPT
    return codes.HCPCS if codes.is_hcpcs(code) else ""


def _good(coding: Resource) -> bool:
    checks = {codes.CPT: codes.is_procedure_code, codes.HCPCS: codes.is_procedure_code, codes.ICD10CM: codes.is_icd10cm}
    return checks[coding["system"]](coding["code"])


def _fate(job: Job, codings: Sequence[Resource], type_name: str, on: date | None) -> str:
    source = job.channel.source
    rows = [row for one in codings for row in source.rows(one["system"], one["code"], on)]
    if any(row.billable and row.target_system in _WANTED[type_name] for row in rows):
        return "bill"
    if any(not row.billable for row in rows):
        return "not-billable"
    if source.default(type_name) is not None:
        return "bill"
    return "hold" if source.holds(type_name) else "pass"


def modifiers_in(job: Job, texts: Sequence[str], path: str) -> list[str]:
    """Modifiers in the order of the message, each once; what has not the shape of one is a flaw."""
    found: list[str] = []
    for text in texts:
        code = text.strip().upper()
        if not code:
            continue
        if codes.is_modifier(code):
            found.append(code)
        else:
            job.scope.flaw(path, "modifier-unreadable")
    return list(dict.fromkeys(found))


def modifier_extensions(modifiers: Sequence[str]) -> list[Resource]:
    return [
        own_extension(
            "procedure-modifier", "Coding", {"system": codes.CPT if code.isdigit() else codes.HCPCS, "code": code}
        )
        for code in modifiers
    ]
