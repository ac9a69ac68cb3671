"""Transactions: the order of work, the identities, and every way in which a Bundle must be refused."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from fhir_r4 import Resource, validate
from fhir_r4.bundle import (
    Step,
    assign_ids,
    failed_entry,
    plan,
    resources_of,
    response_bundle,
    response_entry,
    searchset,
)
from fhir_r4.references import references, rewrite
from hypothesis import given
from hypothesis import strategies as st
from kernel.errors import Unreadable

URNS = [f"urn:uuid:c757873d-ec9a-4326-a141-55{number:010d}" for number in range(9)]


def _entry(
    method: str, url: str, resource: Resource | None = None, full_url: str | None = None, **more: str
) -> Resource:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **more}}
    if resource is not None:
        made["resource"] = resource
    if full_url is not None:
        made["fullUrl"] = full_url
    return made


def _bundle(*entries: Resource, kind: str = "transaction") -> Resource:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


PATIENT = {"resourceType": "Patient"}
MIXED = (
    _entry("GET", "Patient?name=a"),
    _entry("PUT", "Patient/2", {"resourceType": "Patient", "id": "2"}),
    _entry("POST", "Patient", PATIENT, URNS[0], ifNoneExist="identifier=a|1"),
    _entry("DELETE", "Patient/3", ifMatch='W/"2"'),
    _entry("PATCH", "Patient/4", {"resourceType": "Parameters"}),
    _entry("POST", "Patient", PATIENT, URNS[1]),
)


def test_a_transaction_is_worked_off_in_the_order_of_the_specification() -> None:
    assert [step.method for step in plan(_bundle(*MIXED))] == ["DELETE", "POST", "POST", "PUT", "PATCH", "GET"]
    assert [step.index for step in plan(_bundle(*MIXED))] == [3, 2, 5, 1, 4, 0]


def test_a_batch_keeps_its_order() -> None:
    assert [step.index for step in plan(_bundle(*MIXED, kind="batch"))] == [0, 1, 2, 3, 4, 5]


@given(st.permutations(range(len(MIXED))))
def test_the_order_of_entries_does_not_matter(order: list[int]) -> None:
    methods = [step.method for step in plan(_bundle(*(MIXED[index] for index in order)))]
    assert methods[:3] == ["DELETE", "POST", "POST"] and sorted(methods[3:5]) == ["PATCH", "PUT"]
    assert methods[5] == "GET"


@pytest.mark.parametrize(
    ("entry", "step"),
    [
        (
            _entry("POST", "Patient", PATIENT, URNS[0], ifNoneExist="identifier=a"),
            Step(0, "POST", "Patient", if_none_exist="identifier=a", full_url=URNS[0], resource=PATIENT),
        ),
        (_entry("GET", "/Patient/1/_history/2"), Step(0, "GET", "Patient", id="1", rest="/_history/2")),
        (_entry("GET", "metadata"), Step(0, "GET", None, rest="/metadata")),
        (_entry("GET", "Patient?name=a&_count=2"), Step(0, "GET", "Patient", query="name=a&_count=2")),
        (_entry("POST", "Claim/$submit", PATIENT), Step(0, "POST", "Claim", rest="/$submit", resource=PATIENT)),
        (_entry("DELETE", "Patient?identifier=a"), Step(0, "DELETE", "Patient", query="identifier=a")),
        (
            _entry("PUT", "Patient?identifier=a", PATIENT),
            Step(0, "PUT", "Patient", query="identifier=a", resource=PATIENT),
        ),
    ],
)
def test_steps(entry: Resource, step: Step) -> None:
    assert plan(_bundle(entry)) == [step]


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"request": "POST"},
        _entry("COPY", "Patient"),
        _entry("POST", "Patient"),
        _entry("PUT", "Patient/1"),
        _entry("POST", "Patient/1", PATIENT),
        _entry("POST", "Claim", PATIENT),
        _entry("POST", "", PATIENT),
        _entry("PUT", "Patient", PATIENT),
        _entry("PUT", "Patient/1", {"resourceType": "Patient", "id": "2"}),
        _entry("PUT", "Patient/1", PATIENT),
        _entry("DELETE", "Patient"),
        _entry("DELETE", ""),
    ],
)
def test_entries_that_cannot_be_carried_out(entry: Resource) -> None:
    with pytest.raises(Unreadable) as caught:
        plan(_bundle(_entry("GET", "Patient/1"), entry))
    assert caught.value.code == "bundle_entry"
    assert caught.value.path.startswith("Bundle.entry[1]")


@pytest.mark.parametrize("kind", ["collection", "searchset", "document", "history", None])
def test_other_bundles_are_no_plan(kind: str | None) -> None:
    with pytest.raises(Unreadable) as caught:
        plan({"resourceType": "Bundle", "type": kind, "entry": []})
    assert caught.value.code == "bundle_type"


def test_two_entries_must_not_share_a_full_url() -> None:
    with pytest.raises(Unreadable) as caught:
        plan(_bundle(_entry("POST", "Patient", PATIENT, URNS[0]), _entry("POST", "Patient", PATIENT, URNS[0])))
    assert (caught.value.code, caught.value.path) == ("bundle_full_url", "Bundle.entry[1].fullUrl")


def _numbers() -> Any:
    numbers = count(1)
    return lambda: f"n{next(numbers)}"


def test_identities_and_their_rewriting() -> None:
    coverage = {"resourceType": "Coverage", "beneficiary": {"reference": URNS[0]}, "payor": [{"reference": URNS[2]}]}
    steps = plan(
        _bundle(
            _entry("POST", "Coverage", coverage, URNS[1]),
            _entry("POST", "Patient", PATIENT, URNS[0], ifNoneExist="identifier=a"),
            _entry("PUT", "Organization/o", {"resourceType": "Organization", "id": "o"}, URNS[2]),
            _entry("DELETE", "Patient/gone"),
        )
    )
    assigned = assign_ids(steps, _numbers(), matched={1: "known"})
    assert assigned.ids == {0: "n1", 1: "known", 2: "o", 3: "gone"}
    assert assigned.mapping == {URNS[0]: "Patient/known", URNS[1]: "Coverage/n1", URNS[2]: "Organization/o"}
    stored = rewrite(coverage, assigned.mapping)
    assert [one.value for one in references(stored)] == ["Patient/known", "Organization/o"]


@pytest.mark.parametrize(
    "entries",
    [
        [_entry("DELETE", "Patient/1"), _entry("PUT", "Patient/1", {"resourceType": "Patient", "id": "1"})],
        [_entry("PUT", "Patient/1", {"resourceType": "Patient", "id": "1"})] * 2,
        [_entry("PUT", "Patient?identifier=a", PATIENT), _entry("DELETE", "Patient/m")],
        [_entry("POST", "Patient", PATIENT, ifNoneExist="identifier=b")] * 2,
    ],
)
def test_two_writers_of_one_resource_are_refused(entries: list[Resource]) -> None:
    steps = plan(_bundle(*entries))
    conditional = {step.index: "m" for step in steps if step.query is not None}
    with pytest.raises(Unreadable) as caught:
        assign_ids(steps, _numbers(), conditional)
    assert caught.value.code == "bundle_overlap"


def test_two_conditional_creates_may_find_the_same_resource() -> None:
    entry = _entry("POST", "Patient", PATIENT, ifNoneExist="identifier=b")
    assert assign_ids(plan(_bundle(entry, entry)), _numbers(), {0: "m", 1: "m"}).ids == {0: "m", 1: "m"}


def test_reads_and_unmatched_deletes_get_no_identity() -> None:
    steps = plan(_bundle(_entry("GET", "Patient/1"), _entry("DELETE", "Patient?identifier=a")))
    assert assign_ids(steps, _numbers()).ids == {}


def test_answers_are_valid_bundles() -> None:
    done = response_entry(
        "201 Created", location="Patient/1/_history/1", etag='W/"1"', last_modified="2026-01-01T00:00:00Z"
    )
    answer = response_bundle("batch-response", [done, failed_entry("404 Not Found", "not-found", "no such resource")])
    assert validate(answer) == []
    assert "location" not in answer["entry"][1]["response"]
    match = {"fullUrl": "https://a.example/Patient/1", "resource": {**PATIENT, "id": "1"}, "search": {"mode": "match"}}
    page = searchset([match], 1, {"self": "https://a.example/Patient"})
    assert validate(page) == [] and page["total"] == 1
    assert validate(searchset([], 0, {})) == []


def test_published_transactions_plan_and_resolve(samples: dict[str, Resource]) -> None:
    bundles = [one for one in samples.values() if one.get("type") == "transaction"]
    assert len(bundles) == 8
    for bundle in bundles:
        steps = plan(bundle)
        assigned = assign_ids(steps, _numbers())
        assert len(assigned.mapping) == len(steps) == len(bundle["entry"])
        for step in steps:
            stored = rewrite(step.resource or {}, assigned.mapping)
            assert not [one for one in references(stored) if one.value.startswith("urn:")]


def test_the_resources_of_a_bundle_are_those_of_its_entries() -> None:
    patient = {"resourceType": "Patient"}
    assert resources_of(_bundle(_entry("DELETE", "Patient/1"), _entry("POST", "Patient", patient))) == [patient]
    assert resources_of({"resourceType": "Bundle"}) == []
