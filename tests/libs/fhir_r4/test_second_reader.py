"""The second opinion: said in our form, never louder than ours, blind to amounts, silent about values."""

from __future__ import annotations

import copy
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from fhir_r4 import Issue, Resource, read, second_opinion, validate
from fhir_r4.second_reader import RULE_ID, fhirpath_of

CLAIM = read(b"""{
  "resourceType": "Claim", "status": "active", "use": "claim", "created": "2026-03-01",
  "type": {"text": "professional"}, "patient": {"reference": "Patient/p1"}, "priority": {"text": "normal"},
  "provider": {"reference": "Organization/o1"},
  "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"code": "I10"}]}}],
  "insurance": [{"sequence": 1, "focal": true, "coverage": {"reference": "Coverage/v1"}}],
  "item": [{"sequence": 1, "servicedDate": "2026-02-27", "productOrService": {"text": "a visit"},
            "net": {"value": 125.00, "currency": "USD"}}]
}""")
BUNDLE: Resource = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": CLAIM}]}


def _said(issues: list[Issue]) -> list[tuple[str, str, str]]:
    return [(issue.severity, issue.code, issue.fhirpath) for issue in issues]


def _damaged(base: Resource, *way: str | int, value: object = None) -> Resource:
    made = copy.deepcopy(base)
    node: Any = made
    for step in way[:-1]:
        node = node[step]
    if value is None:
        del node[way[-1]]
    else:
        node[way[-1]] = value
    return made


def test_nothing_is_said_of_what_both_accept(samples: dict[str, Resource]) -> None:
    assert second_opinion(CLAIM) == []
    assert all(second_opinion(one) == [] for name, one in samples.items() if name.startswith("us-core/"))


AGREED: list[tuple[Resource, tuple[str | int, ...], object, str, str]] = [
    (CLAIM, ("status",), None, "required", "Claim.status"),
    (CLAIM, ("patient",), None, "required", "Claim.patient"),
    (CLAIM, ("item", 0, "net", "value"), "much", "value", "Claim.item[0].net.value"),
    (CLAIM, ("item", 0, "servicedDate"), "soon", "value", "Claim.item[0].serviced.ofType(date)"),
    (CLAIM, ("item", 0, "servicedPeriod"), {"start": "2026"}, "value", "Claim.item[0]"),
    (CLAIM, ("diagnosis", 0, "diagnosisCodeableConcept"), None, "value", "Claim.diagnosis[0]"),
    (CLAIM, ("item", 0, "surprise"), 1, "structure", "Claim.item[0]"),
    (CLAIM, ("item",), {"sequence": 1}, "structure", "Claim.item"),
    (CLAIM, ("_created",), {"surprise": 1}, "value", "Claim.created"),
    (BUNDLE, ("entry", 0, "resource", "item", 0, "sequence"), None, "required",
     "Bundle.entry[0].resource.item[0].sequence"),
    (BUNDLE, ("entry", 0, "resource"), {"resourceType": "Banana"}, "value", "Bundle"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "way", "value", "code", "path"), AGREED)
def test_where_both_object_it_is_information_at_the_same_place(
    base: Resource, way: tuple[str | int, ...], value: object, code: str, path: str
) -> None:
    issues = second_opinion(_damaged(base, *way, value=value))
    assert ("information", code, path) in _said(issues)
    assert {issue.rule_id for issue in issues} == {RULE_ID}


def test_where_only_ours_objects_that_is_said_too() -> None:
    assert _said(second_opinion(_damaged(CLAIM, "status", value="banana"))) == [
        ("information", "informational", "Claim")
    ]


def test_where_only_the_other_objects_it_is_a_warning() -> None:
    """R4 lets an extension hold Meta; the models of the other reader do not."""
    held = _damaged(CLAIM, "extension", value=[{"url": "http://a.example", "valueMeta": {"source": "a"}}])
    assert validate(held) == []
    assert [severity for severity, _, _ in _said(second_opinion(held))] == ["warning"]


@pytest.mark.parametrize("thing", [{}, {"resourceType": "Banana"}, {"resourceType": ["Claim"]}])
def test_it_has_no_opinion_on_unknown_types(thing: Resource) -> None:
    assert second_opinion(thing) == []


def test_the_resource_is_untouched_and_its_amounts_exact() -> None:
    before = copy.deepcopy(CLAIM)
    second_opinion(CLAIM)
    assert before == CLAIM
    assert str(CLAIM["item"][0]["net"]["value"]) == "125.00" and type(CLAIM["item"][0]["net"]["value"]) is Decimal


def test_it_repeats_no_value_and_no_unknown_name() -> None:
    canary = "Zebulon1980"
    for way in (("status",), ("created",), ("item", 0, "sequence"), ("item", 0, "net"), ("patient",), ("insurance",)):
        issues = second_opinion(_damaged(CLAIM, *way, value=canary))
        assert issues and canary not in repr(issues)
    assert canary not in repr(second_opinion(_damaged(CLAIM, "item", 0, canary, value=1)))


def test_a_flood_ends() -> None:
    flood = _damaged(CLAIM, "item", value=[{"sequence": "x"}] * 500)
    assert 0 < len(second_opinion(flood)) <= 100


def test_places_that_are_no_elements_end_the_path() -> None:
    assert fhirpath_of(CLAIM, ("item", 7, "sequence")) == "Claim.item[7].sequence"
    assert fhirpath_of(CLAIM, ("banana", 1, "status")) == "Claim"
    assert fhirpath_of(BUNDLE, ("entry", 0, "resource", "banana")) == "Bundle.entry[0].resource"
    assert fhirpath_of({"resourceType": "Bundle", "entry": 1}, ("entry", 0, "resource", "id")) == (
        "Bundle.entry[0].resource.id"
    )


def test_the_models_are_not_loaded_by_the_library_itself() -> None:
    code = (
        "import sys, fhir_r4; fhir_r4.validate({'resourceType': 'Patient'}); sys.exit('fhir.resources' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
