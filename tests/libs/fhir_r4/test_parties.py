"""Members and payers: who is asked for as a subscriber, and by which id a payer is known."""

from datetime import date

import pytest
from fhir_r4.parties import best_name, read_members, read_payer_id, read_person
from kernel.codes import NAIC
from kernel.errors import Unreadable
from kernel.person import Person

PATIENT = {
    "resourceType": "Patient",
    "name": [{"use": "old", "family": "Oak"}, {"use": "official", "family": " Alder ", "given": ["Nora", "Mae"]}],
    "birthDate": "2015-05-17",
    "gender": "female",
}
CHILD = Person("Alder", "Nora", date(2015, 5, 17), "F")
HOLDER = {"resourceType": "RelatedPerson", "id": "h", "name": [{"family": "Alder", "given": ["Sam"]}]}


@pytest.mark.parametrize(
    ("uses", "wanted"),
    [(["old", "usual", "official"], "official"), (["old", "usual"], "usual"), (["old", "nickname"], "old"), ([], None)],
)
def test_the_official_name_stands_before_the_usual_one_before_any_other(uses, wanted):
    assert best_name({"name": [{"use": use} for use in uses]}).get("use") == wanted


def test_an_organisations_name_is_no_persons_name():
    assert best_name({"name": "Sample Clinic"}) == {}


def test_a_person_is_read_without_guessing():
    assert read_person(PATIENT, "M1") == Person("Alder", "Nora", date(2015, 5, 17), "F", "M1")
    assert read_person({"birthDate": "2015-05", "gender": "other"}) == Person()
    with pytest.raises(Unreadable, match="date-format"):
        read_person({"birthDate": "2015-02-30"})


def coverage(relationship="child", **changes):
    base = {"subscriberId": " M1 ", "subscriber": {"reference": "#h"}, "contained": [HOLDER]}
    return base | {"relationship": {"coding": [{"code": relationship}]}} | changes


def test_the_policyholder_is_the_subscriber_when_the_policy_is_somebody_elses():
    assert read_members(PATIENT, coverage()) == (Person("Alder", "Sam", member_id="M1"), CHILD)


@pytest.mark.parametrize(
    "own",
    [
        coverage("self"),
        coverage(""),
        coverage(contained=[]),
        coverage(subscriber={"reference": "Patient/9"}),
        coverage(subscriber={}),
    ],
)
def test_a_patient_is_the_subscriber_otherwise(own):
    subscriber, dependent = read_members(PATIENT, own)
    assert (subscriber.first, subscriber.member_id, dependent) == ("Nora", "M1", None)


def test_the_member_number_may_be_a_typed_identifier():
    typed = {"identifier": [{"type": {"coding": [{"code": "MB"}]}, "value": "M2"}]}
    assert read_members(PATIENT, typed)[0].member_id == "M2"
    assert read_members(PATIENT, {})[0].member_id == ""


@pytest.mark.parametrize(
    ("payor", "named", "wanted"),
    [
        ({"identifier": [{"value": "known"}, {"system": NAIC, "value": "naic"}]}, "", "naic"),
        ({"identifier": [{"value": "first"}, {"value": "known"}]}, "", "known"),
        ({"identifier": [{"value": "first"}, {"system": "urn:x"}]}, "other", "first"),
        ({"identifier": [{"value": "first"}]}, "known", "known"),
        ({}, "other", "other"),
        ({}, "", ""),
    ],
)
def test_a_payer_is_known_by_its_naic_id_or_by_one_in_the_table(payor, named, wanted):
    payors = [{"identifier": {"value": named}}] if named else [{"reference": "Organization/1"}]
    assert read_payer_id(payor, {"payor": payors}, {"known"}) == wanted
