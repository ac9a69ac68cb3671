"""Synthetic people for tests of who is who."""

from __future__ import annotations

from typing import Any

Resource = dict[str, Any]
FEED_A, FEED_B = "https://a.example/mrn", "https://b.example/mrn"
SSN = "http://hl7.org/fhir/sid/us-ssn"


def person(id: str, **more: Any) -> Resource:
    """A Patient who says much about themselves; `more` replaces elements, None leaves one out."""
    made = {
        "resourceType": "Patient",
        "id": id,
        "identifier": [{"system": FEED_A, "value": f"mrn-{id}"}],
        "name": [{"use": "official", "family": "Example-Moss", "given": ["Quillon", "Tar"]}],
        "gender": "male",
        "birthDate": "1980-05-16",
        "telecom": [{"system": "phone", "value": "(555) 010-4477"}],
        "address": [{"line": ["12 Sample Lane"], "city": "Testford", "postalCode": "01234-5678"}],
    } | more
    return {name: value for name, value in made.items() if value is not None}


def named(family: str, *given: str, **more: Any) -> list[Resource]:
    return [{"family": family, "given": list(given)} | more]


def numbered(*pairs: tuple[str, str]) -> list[Resource]:
    return [{"system": system, "value": value} for system, value in pairs]


def coverage(id: str, patient: str, member: str = "SYN-777", **more: Any) -> Resource:
    return {
        "resourceType": "Coverage",
        "id": id,
        "status": "active",
        "subscriberId": member,
        "beneficiary": {"reference": f"Patient/{patient}"},
        "payor": [{"reference": "Organization/payer"}],
    } | more
