"""A submitted request is read once, in one way: its references, its ids, its digest, its days and its money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from fhir_r4 import validate, write
from fhir_r4.submission import Submission, cents_of, period_days, read_submission, serviced
from kernel.errors import Unreadable

PATIENT = {"resourceType": "Patient", "id": "p1"}
CLINIC = {"resourceType": "Organization", "id": "o1", "name": "Sample Clinic"}
DOCTOR = {"resourceType": "Practitioner", "id": "d1"}
ROLE = {
    "resourceType": "PractitionerRole",
    "id": "r1",
    "organization": {"reference": "Organization/o1"},
    "practitioner": {"reference": "Practitioner/d1"},
}
REQUEST = {
    "resourceType": "CoverageEligibilityRequest",
    "status": "active",
    "purpose": ["benefits"],
    "patient": {"reference": "Patient/p1"},
    "created": "2026-03-10",
    "insurer": {"reference": "Organization/o1"},
}
KIND = "CoverageEligibilityRequest"


def context(*resources: dict[str, Any]) -> bytes:
    entries = [
        {"fullUrl": f"https://line.example/fhir/{r['resourceType']}/{r['id']}", "resource": r} for r in resources
    ]
    return write({"resourceType": "Bundle", "type": "collection", "entry": entries})


def alone(request: dict[str, Any] = REQUEST, *known: dict[str, Any], client: str = "c1") -> Submission:
    return read_submission(write(request), context(*(known or (PATIENT, CLINIC, DOCTOR, ROLE))), KIND, client)


def bundle(*resources: dict[str, Any], **changes: Any) -> dict[str, Any]:
    entries = [{"fullUrl": f"https://ehr.example/{number}", "resource": one} for number, one in enumerate(resources)]
    made = {
        "resourceType": "Bundle",
        "identifier": {"value": "b"},
        "type": "collection",
        "timestamp": "2026-03-10T00:00:00Z",
        "entry": entries,
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def whole(content: dict[str, Any], client: str = "c1", **options: Any) -> Submission:
    return read_submission(write(content), context(PATIENT), KIND, client, **options)


@pytest.mark.parametrize("value", ["Patient/p1", "https://line.example/fhir/Patient/p1"])
def test_a_reference_leads_to_what_the_repository_sent_along(value: str) -> None:
    assert alone().needed({"reference": value}, "patient") == PATIENT


@pytest.mark.parametrize("value", ["Patient/p2", "https://elsewhere.example/Patient/p1", "#p1", "urn:uuid:1"])
def test_a_reference_that_leads_nowhere_names_its_place(value: str) -> None:
    assert alone().at({"reference": value}) == {}
    with pytest.raises(Unreadable) as unreadable:
        alone().needed({"reference": value}, "patient")
    assert (unreadable.value.code, unreadable.value.path) == ("reference-unresolved", f"{KIND}.patient")


def test_no_reference_is_no_error_and_an_identifier_is_as_much_as_is_known() -> None:
    assert alone().needed(None, "provider") == {}
    named = {"type": "Organization", "identifier": {"system": "s", "value": "v"}}
    assert alone().needed(named, "insurer") == {
        "resourceType": "Organization",
        "identifier": [{"system": "s", "value": "v"}],
    }


def test_a_role_leads_to_both() -> None:
    assert alone().provider({"reference": "PractitionerRole/r1"}, "provider") == (CLINIC, DOCTOR)
    assert alone().provider({"reference": "Practitioner/d1"}, "provider") == ({}, DOCTOR)
    assert alone().provider({"reference": "Organization/o1"}, "provider") == (CLINIC, {})
    with pytest.raises(Unreadable):
        alone(REQUEST, PATIENT, ROLE).provider({"reference": "PractitionerRole/r1"}, "provider")


def test_what_a_bundle_brings_has_ids_of_its_own_and_answers_lead_back() -> None:
    content = bundle(REQUEST, PATIENT, CLINIC)
    submission = whole(content)
    found = submission.at(REQUEST["patient"])
    assert found["id"] != "p1"
    assert submission.at(REQUEST["patient"]) == found
    assert whole(content, "c2").at(REQUEST["patient"])["id"] != found["id"]
    answer = {"resourceType": "Basic", "subject": {"reference": f"Patient/{found['id']}"}}
    assert submission.as_sent(answer)["subject"] == {"reference": "Patient/p1"}


def test_two_people_of_one_bundle_stay_two_even_without_ids() -> None:
    nameless = [{"resourceType": "Patient", "gender": gender} for gender in ("male", "female")]
    submission = whole(bundle(REQUEST | {"patient": {"reference": "https://ehr.example/1"}}, *nameless))
    ids = {submission.at({"reference": f"https://ehr.example/{number}"})["id"] for number in (1, 2)}
    assert len(ids) == 2


def test_contained_people_come_back_with_the_answer() -> None:
    inner = {"resourceType": "Patient", "id": "me"}
    submission = alone(REQUEST | {"contained": [inner], "patient": {"reference": "#me"}})
    assert submission.at({"reference": "#me"})["id"] != "me"
    answer = {"resourceType": "Task", "status": "requested", "intent": "order", "for": {"reference": "#me"}}
    assert submission.as_sent(answer)["contained"] == [inner]
    assert validate(submission.as_sent(answer)) == []
    assert "contained" not in submission.as_sent({"resourceType": "Task", "status": "requested", "intent": "order"})


def test_the_digest_is_that_of_the_content() -> None:
    one = alone().digest
    assert alone(REQUEST | {"id": "x", "meta": {"versionId": "2"}}).digest == one
    assert alone(dict(reversed(REQUEST.items()))).digest == one
    assert alone(REQUEST | {"created": "2026-03-11"}).digest != one
    stamped = whole(bundle(REQUEST, PATIENT, CLINIC, timestamp="2026-03-11T00:00:00Z", identifier={"value": "other"}))
    assert stamped.digest == whole(bundle(REQUEST, PATIENT, CLINIC)).digest
    assert alone(REQUEST, PATIENT).context_digest != alone(REQUEST, PATIENT | {"gender": "male"}).context_digest
    assert (
        alone(REQUEST, PATIENT).context_digest == alone(REQUEST, PATIENT | {"meta": {"versionId": "3"}}).context_digest
    )


def test_a_policyholder_is_put_where_members_are_read() -> None:
    holder = {"resourceType": "Patient", "id": "p9"}
    coverage = {
        "resourceType": "Coverage",
        "id": "c1",
        "subscriber": {"reference": "Patient/p9"},
        "relationship": {"coding": [{"code": "child"}]},
        "payor": [{"reference": "Organization/none"}, {"reference": "Organization/o1"}],
    }
    submission = alone(REQUEST, PATIENT, CLINIC, holder, coverage)
    found = submission.coverage({"reference": "Coverage/c1"}, "insurance[0].coverage")
    assert found["contained"] == [{"resourceType": "Patient", "id": "holder"}]
    assert submission.payor(found) == CLINIC
    own = coverage | {"relationship": {"coding": [{"code": "self"}]}}
    assert alone(REQUEST, PATIENT, holder, own).coverage({"reference": "Coverage/c1"}, "x") == own


@pytest.mark.parametrize(
    ("content", "code", "path"),
    [
        (bundle(PATIENT, REQUEST), "entry-first", "Bundle.entry[0]"),
        (bundle(entry=None), "entry-first", "Bundle.entry[0]"),
        (bundle(REQUEST, type="searchset"), "submit-type", "Bundle.type"),
        (bundle(REQUEST, identifier=None), "bundle-identifier", "Bundle.identifier"),
        (bundle(REQUEST, timestamp=None), "bundle-timestamp", "Bundle.timestamp"),
        (bundle(REQUEST, entry=[{"resource": REQUEST}]), "bundle-full-url", "Bundle.entry[0]"),
        (PATIENT, "submit-type", "Patient"),
        (REQUEST | {"status": "banana"}, "fhir-binding", f"{KIND}.status"),
        (REQUEST | {"implicitRules": "https://x.example"}, "modifier-extension", f"{KIND}.implicitRules"),
        (
            REQUEST | {"item": [{"modifierExtension": [{"url": "https://x.example", "valueBoolean": True}]}]},
            "modifier-extension",
            f"{KIND}.item[0].modifierExtension",
        ),
    ],
)
def test_what_is_no_such_request_is_refused_with_its_place(content: dict[str, Any], code: str, path: str) -> None:
    with pytest.raises(Unreadable) as unreadable:
        whole(content)
    assert (unreadable.value.code, unreadable.value.path) == (code, path)


def test_where_no_bundles_are_taken_one_is_refused() -> None:
    with pytest.raises(Unreadable) as unreadable:
        whole(bundle(REQUEST, PATIENT, CLINIC), bundles=False)
    assert unreadable.value.code == "submit-type"


def test_days_are_whole_days() -> None:
    assert serviced({}, "x") is None
    assert serviced({"servicedDate": "2026-03-10"}, "x") == (date(2026, 3, 10), date(2026, 3, 10))
    period = {"start": "2026-03-10T23:00:00-08:00", "end": "2026-03-12"}
    assert serviced({"servicedPeriod": period}, "x") == (date(2026, 3, 10), date(2026, 3, 12))
    assert period_days({"start": "2026-03-10"}, "x") == (date(2026, 3, 10), date(2026, 3, 10))
    assert period_days({"end": "2026-03-10"}, "x") is None
    for element, code, path in (
        ({"servicedDate": "2026-03"}, "date-partial", "x.servicedDate"),
        ({"servicedDate": "2026-02-30"}, "date-format", "x.servicedDate"),
        ({"servicedPeriod": {"start": "2026-03-10", "end": "2026"}}, "date-partial", "x.servicedPeriod.end"),
        ({"servicedPeriod": {"start": "2026-03-10", "end": "2026-03-09"}}, "date-order", "x.servicedPeriod"),
    ):
        with pytest.raises(Unreadable) as unreadable:
            serviced(element, "x")
        assert (unreadable.value.code, unreadable.value.path) == (code, path)


def test_money_is_exact_dollars() -> None:
    assert (cents_of(None, "x"), cents_of({"currency": "USD"}, "x")) == (None, None)
    assert cents_of({"value": Decimal("100.10"), "currency": "USD"}, "x") == 10010
    assert cents_of({"value": 7}, "x") == 700
    for money, code in (
        ({"value": 1, "currency": "EUR"}, "currency"),
        ({"value": -1}, "amount-negative"),
        ({"value": Decimal("0.001")}, "amount_format"),
        ({"value": Decimal("1E+2")}, "amount_format"),
    ):
        with pytest.raises(Unreadable) as unreadable:
            cents_of(money, "x")
        assert unreadable.value.code == code
