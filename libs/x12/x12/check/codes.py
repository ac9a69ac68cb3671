"""SNIP 5: codes that somebody else gives out, checked by form and by the closed lists that we carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from x12.tables.table_codes import HCPCS, ICD10CM, PLACES_OF_SERVICE, STATES, is_carc, is_npi
from x12.tree import Segment


class CodeFault(NamedTuple):
    """A code that cannot exist."""

    rule: str
    element: int
    component: int
    expected: str


def code_faults(segment: Segment, component: str) -> Iterator[CodeFault]:
    """The faults of one segment."""
    check = _CHECKS.get(segment.id)
    return check(segment, component) if check else iter(())


def _name(segment: Segment, component: str) -> Iterator[CodeFault]:
    if segment.get(8) == "XX" and not is_npi(segment.get(9)):
        yield CodeFault("code.npi", 9, 0, "an NPI with its check digit")


def _payee(segment: Segment, component: str) -> Iterator[CodeFault]:
    if segment.get(3) == "XX" and not is_npi(segment.get(4)):
        yield CodeFault("code.npi", 4, 0, "an NPI with its check digit")


def _city(segment: Segment, component: str) -> Iterator[CodeFault]:
    if segment.get(2) and segment.get(4) in ("", "US", "CA") and segment.get(2) not in STATES:
        yield CodeFault("code.state", 2, 0, "a state or province")


def _claim(segment: Segment, component: str) -> Iterator[CodeFault]:
    place, _, rest = segment.get(5).partition(component)
    if rest.startswith("B") and place not in PLACES_OF_SERVICE:
        yield CodeFault("code.place-of-service", 5, 1, "a place of service")


def _professional(segment: Segment, component: str) -> Iterator[CodeFault]:
    yield from _procedure(segment.get(1), component, 1)
    if segment.get(5) and segment.get(5) not in PLACES_OF_SERVICE:
        yield CodeFault("code.place-of-service", 5, 0, "a place of service")


def _payment(segment: Segment, component: str) -> Iterator[CodeFault]:
    yield from _procedure(segment.get(1), component, 1)


def _procedure(text: str, component: str, element: int) -> Iterator[CodeFault]:
    parts = text.split(component)
    if len(parts) > 1 and parts[0] == "HC" and not HCPCS.fullmatch(parts[1]):
        yield CodeFault("code.procedure", element, 2, "a code of the form of HCPCS or CPT")


def _diagnoses(segment: Segment, component: str) -> Iterator[CodeFault]:
    for at, text in enumerate(segment.elements, 1):
        parts = text.split(component)
        if len(parts) > 1 and parts[0] in ("ABK", "ABF", "ABJ") and not ICD10CM.fullmatch(parts[1]):
            yield CodeFault("code.diagnosis", at, 2, "a code of the form of ICD-10-CM")


def _adjustment(segment: Segment, component: str) -> Iterator[CodeFault]:
    for at in range(2, len(segment.elements) + 1, 3):
        if segment.get(at) and not is_carc(segment.get(at)):
            yield CodeFault("code.carc", at, 0, "a claim adjustment reason code")


_CHECKS = {
    "NM1": _name,
    "N1": _payee,
    "N4": _city,
    "CLM": _claim,
    "SV1": _professional,
    "SVC": _payment,
    "HI": _diagnoses,
    "CAS": _adjustment,
}
