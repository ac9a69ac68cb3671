"""Speed of libs/fhir_r4 beside fhir.resources, on the same made-up resources in one run.

Each measurement is a process of its own: the CPU seconds of the fastest of many short rounds, since the machine is
shared and only ever slows things down, and the median beside it. fhir.resources is the one of the product, R4B.
Options: `--rounds N`, `--entries N` for the size of the Bundle.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Resource = dict[str, Any]
MARKS = {("Claim", "validate"): "mark: 5 times fhir.resources, well under 100 us"}


# ---- the resources ----


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def _dollars(text: str) -> Resource:
    """The amount is written as a text with a mark, and becomes a number with its digits in `as_bytes`."""
    return {"value": f"@{text}", "currency": "USD"}


def make_patient(number: int) -> Resource:
    """A patient with two identifiers, a name, telecom and an address."""
    return {
        "resourceType": "Patient",
        "identifier": [
            {"type": _coded("http://terminology.hl7.org/CodeSystem/v2-0203", "MR"), "system": "http://a.example/mrn",
             "value": f"M{number:06d}"},
            {"use": "usual", "system": "http://payer.example/member", "value": f"W{number:06d}"},
        ],
        "active": True,
        "name": [{"use": "official", "family": "Orchard", "given": ["Alma", "Vera"]}],
        "telecom": [{"system": "phone", "value": "217-555-0100", "use": "home"}],
        "gender": "female",
        "birthDate": "1980-02-21",
        "address": [{"use": "home", "line": ["1 Elm St"], "city": "Springfield", "state": "IL", "postalCode": "62701"}],
    }  # fmt: skip


def make_encounter(patient: str, condition: str) -> Resource:
    """An office visit of twenty minutes with one diagnosis."""
    period = {"start": "2026-02-27T09:00:00-06:00", "end": "2026-02-27T09:20:00-06:00"}
    return {
        "resourceType": "Encounter",
        "identifier": [{"system": "http://a.example/visits", "value": "V1"}],
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [{**_coded("http://snomed.info/sct", "185349003"), "text": "visit"}],
        "subject": {"reference": patient},
        "participant": [{"individual": {"reference": "Practitioner/d1"}, "period": period}],
        "period": period,
        "diagnosis": [{"condition": {"reference": condition}, "rank": 1}],
        "location": [{"location": {"reference": "Location/l1"}}],
        "serviceProvider": {"reference": "Organization/o1"},
    }


def make_condition(patient: str) -> Resource:
    """An active condition in ICD-10-CM."""
    return {
        "resourceType": "Condition",
        "clinicalStatus": _coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
        "code": _coded("http://hl7.org/fhir/sid/icd-10-cm", "I10"),
        "subject": {"reference": patient},
        "onsetDateTime": "2025-01-05",
    }


def make_item(sequence: int, code: str) -> Resource:
    """A line of a professional claim."""
    place = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
    return {
        "sequence": sequence,
        "careTeamSequence": [1],
        "diagnosisSequence": [1, 2],
        "productOrService": _coded("http://www.ama-assn.org/go/cpt", code),
        "modifier": [_coded("http://www.ama-assn.org/go/cpt", "25")],
        "servicedDate": "2026-02-27",
        "locationCodeableConcept": _coded(place, "11"),
        "quantity": {"value": 1},
        "unitPrice": _dollars("125.00"),
        "net": _dollars("125.00"),
    }


def make_claim(patient: str) -> Resource:
    """A professional claim: three lines, two diagnoses, one insurance."""
    icd = "http://hl7.org/fhir/sid/icd-10-cm"
    return {
        "resourceType": "Claim",
        "identifier": [{"system": "http://a.example/claims", "value": "C-1001"}],
        "status": "active",
        "type": _coded("http://terminology.hl7.org/CodeSystem/claim-type", "professional"),
        "use": "claim",
        "patient": {"reference": patient},
        "billablePeriod": {"start": "2026-02-27", "end": "2026-02-27"},
        "created": "2026-03-01",
        "insurer": {"reference": "Organization/payer"},
        "provider": {"reference": "Organization/o1"},
        "priority": _coded("http://terminology.hl7.org/CodeSystem/processpriority", "normal"),
        "facility": {"reference": "Location/l1"},
        "careTeam": [{"sequence": 1, "provider": {"reference": "Practitioner/d1"}, "responsible": True}],
        "diagnosis": [
            {"sequence": number, "diagnosisCodeableConcept": _coded(icd, code)}
            for number, code in ((1, "E11.9"), (2, "I10"))
        ],
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/v1"}}],
        "item": [make_item(1, "99213"), make_item(2, "80053"), make_item(3, "36415")],
        "total": _dollars("375.00"),
    }


def make_bundle(entries: int) -> Resource:
    """A transaction of patients, each with an encounter, a condition and a claim that refer to each other by urn."""
    made: list[Resource] = []
    for number in range(0, entries, 4):
        urns = [f"urn:uuid:00000000-0000-4000-8000-{number + at:012d}" for at in range(4)]
        visit = [make_patient(number), make_encounter(urns[0], urns[2]), make_condition(urns[0]), make_claim(urns[0])]
        made += [
            {"fullUrl": urn, "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
            for urn, one in zip(urns, visit, strict=True)
        ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": made[:entries]}


def as_bytes(resource: Resource) -> bytes:
    """JSON with the amounts as numbers that keep their digits."""
    return re.sub(r'"@([0-9.]+)"', r"\1", json.dumps(resource)).encode()


def make(name: str, entries: int) -> bytes:
    """The text of one of the resources that are measured."""
    makers: dict[str, Callable[[], Resource]] = {
        "Patient": lambda: make_patient(1),
        "Encounter": lambda: make_encounter("Patient/p1", "Condition/k1"),
        "Claim": lambda: make_claim("Patient/p1"),
        "Bundle": lambda: make_bundle(entries),
    }
    return as_bytes(makers[name]())


# ---- what is measured, each in a process of its own ----


def own_validate(data: bytes) -> Callable[[], object]:
    """The findings of a resource that has been read."""
    import fhir_r4

    resource = fhir_r4.read(data)
    if fhir_r4.validate(resource):
        raise SystemExit("the resource that is measured is not sound")
    return lambda: fhir_r4.validate(resource)


def own_read(data: bytes) -> Callable[[], object]:
    """Text to a resource with exact decimals."""
    import fhir_r4

    return lambda: fhir_r4.read(data)


def own_write(data: bytes) -> Callable[[], object]:
    """A resource to text."""
    import fhir_r4

    resource = fhir_r4.read(data)
    return lambda: fhir_r4.write(resource)


def own_both(data: bytes) -> Callable[[], object]:
    """What the line does with a resource that comes in."""
    import fhir_r4

    return lambda: fhir_r4.validate(fhir_r4.read(data))


def _model(data: bytes) -> Any:
    import importlib

    name = json.loads(data)["resourceType"]
    return getattr(importlib.import_module(f"fhir.resources.R4B.{name.lower()}"), name)


def peer_validate(data: bytes) -> Callable[[], object]:
    """A model made of decoded JSON, which is how it validates."""
    model, decoded = _model(data), json.loads(data)
    return lambda: model.model_validate(decoded)


def peer_read(data: bytes) -> Callable[[], object]:
    """A model made of text: read and validated are one step there."""
    model = _model(data)
    return lambda: model.model_validate_json(data)


def peer_write(data: bytes) -> Callable[[], object]:
    """A model to text."""
    made = _model(data).model_validate_json(data)
    return lambda: made.model_dump_json()


def plain_read(data: bytes) -> Callable[[], object]:
    """The floor: the standard library, with floats and without any check."""
    return lambda: json.loads(data)


WORKERS: dict[str, dict[str, Callable[[bytes], Callable[[], object]]]] = {
    "validate": {"fhir_r4": own_validate, "fhir.resources": peer_validate},
    "read": {"fhir_r4": own_read, "fhir.resources": peer_read, "json": plain_read},
    "read and validate": {"fhir_r4": own_both, "fhir.resources": peer_read},
    "write": {"fhir_r4": own_write, "fhir.resources": peer_write},
}


def work(step: str, reader: str, name: str, entries: int, rounds: int) -> None:
    """The body of a measuring process; the first call, which compiles or loads what it needs, is not counted."""
    call = WORKERS[step][reader](make(name, entries))
    call()
    calls = 1 if name == "Bundle" else 20
    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(calls):
            call()
        seconds.append((time.process_time() - started) / calls)
    print(json.dumps({"best": min(seconds), "median": statistics.median(seconds)}))


# ---- the run ----


def measure(step: str, reader: str, name: str, options: argparse.Namespace) -> dict[str, float]:
    """One measuring process."""
    command = [sys.executable, str(Path(__file__).resolve()), "--worker", step, reader, name]
    command += ["--rounds", str(options.rounds), "--entries", str(options.entries)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    seconds: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def report(step: str, name: str, options: argparse.Namespace) -> None:
    """One line for each reader."""
    found = {reader: measure(step, reader, name, options) for reader in WORKERS[step]}
    mark = MARKS.get((name, step))
    print(f"  {step}" + (f" ({mark})" if mark else ""))
    for reader, seconds in found.items():
        times = seconds["best"] / found["fhir_r4"]["best"]
        beside = "" if reader == "fhir_r4" else f"   {times:.1f} times fhir_r4"
        print(f"    {reader:<15} {seconds['best'] * 1e6:>10,.1f} us (median {seconds['median'] * 1e6:,.1f}){beside}")


def main() -> None:
    """Measure every step for every resource."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--entries", type=int, default=296)
    parser.add_argument("--worker", nargs=3, metavar=("STEP", "READER", "NAME"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        step, reader, name = options.worker
        work(step, reader, name, options.entries, options.rounds)
        return
    print(f"Python {platform.python_version()}, {platform.machine()}; CPU time of one core for one resource")
    for name in ("Patient", "Encounter", "Claim", "Bundle"):
        size = len(make(name, options.entries))
        entries = f" of {options.entries} entries" if name == "Bundle" else ""
        print(f"{name}{entries}, {size:,} bytes")
        for step in WORKERS:
            report(step, name, options)


if __name__ == "__main__":
    main()
