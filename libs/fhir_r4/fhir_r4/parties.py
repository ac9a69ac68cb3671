"""Who a coverage is about: the people and the payer that Patient, Coverage and Organization name."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from kernel.codes import NAIC
from kernel.person import Person

from fhir_r4.elements import Element, identifier_of, read_day, reference_of, typed_identifier
from fhir_r4.references import contained

_GENDERS = {"male": "M", "female": "F"}
_NAME_USES = ("official", "usual")
_MEMBER_NUMBER = "MB"
_SELF = "self"
_DAY_LENGTH = len("2000-01-01")


def best_name(resource: Element) -> Element:
    """The official HumanName before the usual one before any other; empty when there is none."""
    names = [name for name in resource.get("name") or () if isinstance(name, Mapping)]
    ranked = [name for use in _NAME_USES for name in names if name.get("use") == use]
    return next(iter([*ranked, *names]), {})


def read_person(resource: Element, member_id: str = "") -> Person:
    """A Patient, RelatedPerson or Practitioner. A birth date of a year or month alone is none a payer could compare.

    Unreadable("date-format", "birthDate") when the day does not exist.
    """
    name, born = best_name(resource), resource.get("birthDate")
    is_day = isinstance(born, str) and len(born) == _DAY_LENGTH
    return Person(
        last=str(name.get("family", "")).strip(),
        first=str(next(iter(name.get("given") or ()), "")).strip(),
        birth_date=read_day(str(born), "birthDate") if is_day else None,
        gender=_GENDERS.get(str(resource.get("gender", "")), ""),
        member_id=member_id,
    )


def read_members(patient: dict[str, Any], coverage: dict[str, Any]) -> tuple[Person, Person | None]:
    """The subscriber, and the patient besides when the policy is somebody else's whose data came along.

    A patient on somebody else's policy of whom nothing came along is asked for as a subscriber: payers that number
    every member want it so, and the rest answer with a refusal that says what is missing.
    """
    number = str(coverage.get("subscriberId") or typed_identifier(coverage, _MEMBER_NUMBER)).strip()
    holder = contained(coverage, reference_of(coverage.get("subscriber")))
    if holder is None or relationship_of(coverage) in ("", _SELF):
        return read_person(patient, number), None
    return read_person(holder, number), read_person(patient)


def read_payer_id(payor: Element, coverage: Element, known: Container[str]) -> str:
    """The payer's NAIC id; failing that, whichever of its ids is `known`, else the first; "" when it has none."""
    if naic := identifier_of(payor, NAIC):
        return naic
    named = [reference["identifier"] for reference in coverage.get("payor", ()) if "identifier" in reference]
    ids = [str(item["value"]) for item in [*payor.get("identifier", ()), *named] if "value" in item]
    return next((value for value in ids if value in known), ids[0] if ids else "")


def relationship_of(coverage: Element) -> str:
    """The code of how the patient stands to the policyholder: self, spouse, child; "" when it is not said."""
    codings = (coverage.get("relationship") or {}).get("coding", ())
    return next((str(coding["code"]) for coding in codings if "code" in coding), "")
