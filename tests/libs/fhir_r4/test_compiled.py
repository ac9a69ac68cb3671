"""The compiled checks never change a finding: what they wave through has none, and what is good is nearly all of it."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from fhir_r4 import Issue, Resource, validate, validation
from fhir_r4.compiled import _acceptor, _Parts, flawless
from fhir_r4.scope import Scope
from fhir_r4.types import shape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

URN = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
# A property of one kind for every branch of the compiled checks: alone, beside others, in place of others.
NAMES = [
    "id", "extension", "contained", "_birthDate", "_given", "_status", "valueString", "valueCode", "value",
    "code", "system", "reference", "type", "status", "start", "end", "sequence", "meta", "banana", "_banana",
    "contentType", "total", "entry", "request", "fullUrl", "identifier", "text", "display", "servicedDate",
    "servicedPeriod",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, 0, 1, -1, 2**31, Decimal("1.50"), Decimal("1.505"), Decimal("NaN"), 1.5, "", " ", " a", "a b", "a\x00",
    "banana", "active", "2026-02-29", "2024-02-29", "1000", [], {}, [None], [{}], [[]], {"id": "a"}, "Patient/1",
    {"extension": [{"url": "a", "valueString": "b"}]}, {"reference": "Patient/1"}, {"reference": "#x"}, "urn:uuid:lost",
    {"reference": URN}, {"reference": "Practitioner/1/_history/2"}, {"reference": "Patient?identifier=a"}, "#", "#x",
    {"reference": "http://a.example/Patient/1", "type": "Group"}, {"reference": 1}, {"display": "a"}, "Group/9", URN,
    {"coding": [{"system": "a", "code": "b"}]}, {"start": "2026", "end": "2025"}, {"code": "a", "value": 1}, ["a"],
    {"resourceType": "Patient"}, [{"resourceType": "Organization", "id": "x", "name": "a"}], {"resourceType": "Banana"},
    [{"resourceType": "Organization", "id": "x"}], {"value": Decimal("1.005"), "currency": "KWD"}, {"resourceType": []},
]  # fmt: skip


def _walked(resource: Resource) -> list[Issue]:
    """The findings without the compiled checks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "flawless", lambda node, scope: False)
        return validate(resource)


def _damage(data: st.DataObject, resource: Resource) -> Resource:
    made = copy.deepcopy(resource)
    node: Any = made
    while True:
        key = data.draw(st.sampled_from(list(node) if isinstance(node, dict) else list(range(len(node)))))
        if not (isinstance(node[key], (dict, list)) and node[key] and data.draw(st.booleans())):
            break
        node = node[key]
    if data.draw(st.booleans()):
        del node[key]
    elif isinstance(node, dict) and data.draw(st.booleans()):
        node[data.draw(st.sampled_from(NAMES))] = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
    else:
        node[key] = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
    return made


def _in_bundle(data: st.DataObject, resource: Resource) -> Resource:
    kind = data.draw(st.sampled_from(["collection", "transaction", "searchset"]))
    entries: list[Resource] = [{"fullUrl": URN, "resource": {"resourceType": "Patient"}}, {"resource": resource}]
    for entry in entries if kind == "transaction" else ():
        entry["request"] = {"method": "POST", "url": "Patient"}
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_findings_are_the_same_without_the_compiled_checks(official: dict[str, Resource], data: st.DataObject) -> None:
    small = sorted(name for name, one in official.items() if len(str(one)) < 8_000)
    resource = _damage(data, official[data.draw(st.sampled_from(small))])
    if data.draw(st.booleans()):
        resource = _in_bundle(data, resource)
    assert validate(resource) == _walked(resource)


# An id and no extension beside a primitive: a form that the compiled checks leave to the walk.
LEFT_TO_THE_WALK = {"us-core/Patient-example-targeted-provenance.json"}


def test_good_samples_are_waved_through(samples: dict[str, Resource]) -> None:
    good = {name for name, resource in samples.items() if not _walked(resource)}
    waved = {name for name, resource in samples.items() if flawless(resource, Scope())}
    assert len(good) > 300
    assert waved <= good and good - waved == LEFT_TO_THE_WALK


def test_a_sound_bundle_is_waved_through_and_a_lost_urn_is_not() -> None:
    condition = {"resourceType": "Condition", "subject": {"reference": URN}}
    request = {"method": "POST", "url": "a"}
    entries = [
        {"fullUrl": URN, "resource": {"resourceType": "Patient"}, "request": request},
        {"resource": condition, "request": request},
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert flawless(bundle, Scope())
    assert not flawless(bundle | {"entry": entries[1:]}, Scope())
    assert not flawless(condition, Scope(full_urls={URN: "Device"})) and not flawless(condition, Scope(full_urls={}))
    assert flawless(condition, Scope()) and flawless(condition, Scope(full_urls={URN: "Patient"}))


def test_names_that_nobody_knows_are_not_remembered() -> None:
    parts = _Parts(shape("Patient"))
    before = len(parts)
    assert [parts[name]({}, Scope()) for name in ("banana", "_banana", "_name", "_", "")] == [False] * 5
    assert len(parts) == before
    assert parts["_birthDate"]({"extension": [{"url": "a", "valueCode": "b"}]}, Scope())
    assert len(parts) == before + 1


def test_a_type_is_compiled_once() -> None:
    assert _acceptor("Claim") is _acceptor("Claim")
