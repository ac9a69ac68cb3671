"""What is indexed of a resource: the right rows, folded and in UTC, and none of what is malformed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from fhir_r4 import Resource
from fhir_r4.references import references
from fhir_r4.search import EARLIEST, LATEST, Indexed, fold, index, parameters
from fhir_r4.search.rows import MAX_ROWS
from hypothesis import given
from hypothesis import strategies as st

ENCOUNTER: Resource = {
    "resourceType": "Encounter",
    "id": "e1",
    "meta": {
        "lastUpdated": "2026-01-31T10:00:00.123Z",
        "tag": [{"system": "s", "code": "t"}],
        "profile": ["http://p|1"],
    },
    "identifier": [{"system": "urn:x", "value": "V1"}, {"value": "V2"}],
    "status": "finished",
    "class": {"system": "urn:act", "code": "AMB"},
    "type": [{"coding": [{"system": "urn:cpt", "code": "99213"}, {"code": "local"}], "text": "visit"}],
    "subject": {"reference": "Patient/p1", "identifier": {"system": "urn:mrn", "value": "M1"}},
    "period": {"start": "2026-01-31T08:00:00-05:00", "end": "2026-01-31T09:00:00-05:00"},
    "length": {"value": Decimal("60.0"), "unit": "minutes", "system": "http://unitsofmeasure.org", "code": "min"},
    "hospitalization": {"dischargeDisposition": {"coding": [{"code": "01"}]}},
    "location": [{"location": {"reference": "Location/1"}, "period": {"start": "2026-01-31"}}],
}


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_an_encounter_makes_exactly_these_rows() -> None:
    found = index(ENCOUNTER)
    assert set(found.tokens) == {
        ("_id", "", "e1"),
        ("_tag", "s", "t"),
        ("identifier", "urn:x", "V1"),
        ("identifier", "", "V2"),
        ("status", "", "finished"),
        ("class", "urn:act", "AMB"),
        ("type", "urn:cpt", "99213"),
        ("type", "", "local"),
        ("patient:identifier", "urn:mrn", "M1"),
        ("subject:identifier", "urn:mrn", "M1"),
        ("discharge-disposition", "", "01"),
    }
    assert found.strings == ()
    assert set(found.dates) == {
        ("_lastUpdated", at(2026, 1, 31, 10, 0, 0, 123000), at(2026, 1, 31, 10, 0, 0, 124000)),
        ("date", at(2026, 1, 31, 13), at(2026, 1, 31, 14, 0, 1)),
        ("location-period", at(2026, 1, 31), LATEST),
    }
    assert set(found.numbers) == {
        ("length", Decimal(60), "http://unitsofmeasure.org", "min"),
        ("length", Decimal(60), "", "minutes"),
    }
    assert set(found.uris) == {("_profile", "http://p|1"), ("_profile", "http://p")}


def test_names_and_addresses_are_folded_and_kept_for_exact() -> None:
    found = index(
        {
            "resourceType": "Patient",
            "name": [{"family": "Müller-Lüdenscheidt", "given": ["José  María", None, 7]}],
            "address": [{"line": ["1 Main St."], "postalCode": "02134"}],
        }
    )
    assert ("family", "muller-ludenscheidt") in found.strings
    assert ("given", "jose maria") in found.strings
    assert ("name", "jose maria") in found.strings
    assert ("address", "1 main st.") in found.strings
    assert ("address-postalcode", "02134") in found.strings
    assert ("family:exact", "", "Müller-Lüdenscheidt") in found.tokens
    assert ("given:exact", "", "José  María") in found.tokens
    assert ("family", "jose maria") not in found.strings


def test_telecoms_go_by_their_system() -> None:
    telecom = [{"system": "phone", "value": "555"}, {"system": "email", "value": "a@b.example"}, {"value": "?"}]
    found = index({"resourceType": "Patient", "telecom": telecom}).tokens
    assert ("phone", "phone", "555") in found
    assert ("email", "email", "a@b.example") in found
    assert ("telecom", "", "?") in found
    assert not {("phone", "email", "a@b.example"), ("email", "phone", "555"), ("phone", "", "?")} & set(found)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({}, "false"),
        ({"deceasedBoolean": False}, "false"),
        ({"deceasedBoolean": True}, "true"),
        ({"deceasedDateTime": "2020"}, "true"),
    ],
)
def test_deceased_is_said_of_every_patient(held: Resource, expected: str) -> None:
    tokens = index({"resourceType": "Patient", **held}).tokens
    assert [value for name, _, value in tokens if name == "deceased"] == [expected]


def test_us_core_extensions_are_found_by_their_address() -> None:
    base = "http://hl7.org/fhir/us/core/StructureDefinition/"
    coded = {"url": "ombCategory", "valueCoding": {"system": "urn:oid:1", "code": "2106-3"}}
    found = index(
        {"resourceType": "Patient", "extension": [{"url": f"{base}us-core-race", "extension": [coded]}, {"url": 5}]}
    ).tokens
    assert ("race", "urn:oid:1", "2106-3") in found
    assert not [row for row in found if row[0] == "ethnicity"]


def test_choices_go_to_the_parameter_of_their_kind() -> None:
    base: Resource = {"resourceType": "Condition"}
    assert index(base | {"onsetDateTime": "2026-02"}).dates == (("onset-date", at(2026, 2, 1), at(2026, 3, 1)),)
    assert index(base | {"onsetAge": {"value": 4, "code": "a"}}).numbers == (("onset-age", Decimal(4), "", "a"),)
    assert index(base | {"onsetString": "As a Child"}).strings == (("onset-info", "as a child"),)
    assert index(base | {"onsetRange": {"low": {"value": 1}, "high": {"value": 3}}}).numbers == (
        ("onset-age", Decimal(1), "", ""),
        ("onset-age", Decimal(3), "", ""),
    )


def test_money_is_in_its_currency() -> None:
    found = index({"resourceType": "Invoice", "totalNet": {"value": Decimal("48.00"), "currency": "USD"}}).numbers
    assert found == (("totalnet", Decimal("48.00"), "urn:iso:std:iso:4217", "USD"),)


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ({"start": "2026-01-01"}, (at(2026, 1, 1), LATEST)),
        ({"end": "2026-01-01"}, (EARLIEST, at(2026, 1, 2))),
        ({"start": "2026", "end": "2026"}, (at(2026, 1, 1), at(2027, 1, 1))),
    ],
)
def test_periods_may_be_open(period: Resource, expected: tuple[datetime, datetime]) -> None:
    assert index({"resourceType": "Account", "servicePeriod": period}).dates == (("period", *expected),)


BACKWARDS = {"start": "2026-02-01", "end": "2026-01-01"}


@pytest.mark.parametrize("period", [{}, {"start": "x"}, BACKWARDS, {"start": 5}, {"end": [1]}, "2026", 5, None, [[]]])
def test_malformed_periods_make_no_row(period: object) -> None:
    assert index({"resourceType": "Account", "servicePeriod": period}).dates == ()


def test_a_timing_is_the_range_of_what_it_says() -> None:
    timing = {"event": ["2026-01-05", "2026-01-03", "bad"], "repeat": {"boundsPeriod": {"end": "2026-02"}}}
    resource = {"resourceType": "ServiceRequest", "occurrenceTiming": timing}
    assert index(resource).dates == (("occurrence", EARLIEST, at(2026, 3, 1)),)
    assert index({"resourceType": "ServiceRequest", "occurrenceTiming": {"repeat": {"count": 3}}}).dates == ()


def test_rows_are_not_doubled_and_are_bounded() -> None:
    same = {"system": "s", "code": "c"}
    assert index({"resourceType": "Basic", "code": {"coding": [same, dict(same)]}}).tokens == (("code", "s", "c"),)
    many = [{"system": "s", "value": str(number)} for number in range(MAX_ROWS + 10)]
    assert len(index({"resourceType": "Basic", "identifier": many}).tokens) == MAX_ROWS


@pytest.mark.parametrize("value", ["", "x" * 501, "a\0b", "\ud800", 5, True, None, {}, []])
def test_a_value_that_cannot_be_stored_makes_no_row(value: object) -> None:
    assert index({"resourceType": "Basic", "identifier": [{"system": "s", "value": value}]}).tokens == ()
    assert index({"resourceType": "Subscription", "channel": {"endpoint": value}}).uris == ()


def test_a_long_text_is_cut_and_a_huge_number_left_out() -> None:
    found = index({"resourceType": "List", "title": "A" * 900})
    assert found.strings == (("title", "a" * 500),)
    for value in (Decimal("1E+900000"), 10**60, Decimal("NaN"), Decimal("Infinity"), True, "1"):
        assert index({"resourceType": "ChargeItem", "factorOverride": value}).numbers == ()
    assert index({"resourceType": "ChargeItem", "factorOverride": 2}).numbers == (
        ("factor-override", Decimal(2), "", ""),
    )


def test_a_logical_reference_to_another_type_is_not_the_patient() -> None:
    def actor(said: str) -> Indexed:
        reference = {"type": said, "identifier": {"system": "s", "value": "1"}}
        return index({"resourceType": "Appointment", "participant": [{"actor": reference}]})

    assert ("patient:identifier", "s", "1") in actor("Patient").tokens
    assert ("patient:identifier", "s", "1") not in actor("Practitioner").tokens
    assert ("practitioner:identifier", "s", "1") in actor("Practitioner").tokens
    assert ("actor:identifier", "s", "1") in actor("Practitioner").tokens


@pytest.mark.parametrize(
    "resource", [{}, {"resourceType": "Banana", "id": "1"}, {"resourceType": 5}, {"resourceType": ["Claim"]}]
)
def test_an_unknown_type_is_not_indexed(resource: Resource) -> None:
    assert index(resource) == Indexed()


SCRAPS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=4) | st.just("2026-01-01"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "coding",
                    "code",
                    "system",
                    "value",
                    "start",
                    "end",
                    "event",
                    "repeat",
                    "identifier",
                    "type",
                    "url",
                    "low",
                )
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KEYS = ("id", "meta", "identifier", "status", "class", "type", "subject", "period", "length", "location", "extension")


@given(st.dictionaries(st.sampled_from(KEYS), SCRAPS), st.sampled_from(("Encounter", "Patient", "Claim", "Account")))
def test_nothing_malformed_raises(elements: Resource, type_name: str) -> None:
    found = index({**elements, "resourceType": type_name})
    assert all(isinstance(part, str) for row in found.tokens for part in row)
    assert all(low < high for _, low, high in found.dates)


def resources(samples: dict[str, Resource]) -> Iterator[Resource]:
    for resource in samples.values():
        yield resource
        yield from (entry["resource"] for entry in resource.get("entry", ()) if "resource" in entry)


def test_published_samples_make_rows_that_their_parameters_allow(samples: dict[str, Resource]) -> None:
    seen = set()
    for resource in resources(samples):
        found, named = index(resource), parameters(resource["resourceType"])
        if "id" in resource:
            assert ("_id", "", resource["id"]) in found.tokens
        for name, *_ in found.tokens:
            base, _, suffix = name.partition(":")
            assert named[base].kind == {"": "token", "exact": "string", "identifier": "reference"}[suffix]
        assert all(named[name].kind == "string" and fold(text) == text for name, text in found.strings)
        assert all(named[name].kind == "date" and low < high for name, low, high in found.dates)
        assert all(named[name].kind in ("number", "quantity") for name, *_ in found.numbers)
        assert all(named[name].kind == "uri" for name, _ in found.uris)
        seen |= {(resource["resourceType"], row[0]) for row in (*found.tokens, *found.dates, *found.numbers)}
    wanted = {
        ("Claim", "created"), ("Claim", "identifier"), ("Encounter", "date"), ("Encounter", "class"),
        ("ExplanationOfBenefit", "created"), ("Observation", "value-quantity"), ("Condition", "onset-date"),
        ("Coverage", "type"), ("ChargeItem", "price-override"), ("PaymentReconciliation", "status"),
    }  # fmt: skip
    assert wanted <= seen


def bare(path: str) -> str:
    return ".".join(step.partition("[")[0] for step in path.split("."))


def test_paths_of_references_are_those_of_the_reference_walk(samples: dict[str, Resource]) -> None:
    met: set[str] = set()
    for resource in resources(samples):
        if resource["resourceType"] != "Bundle":
            met |= {bare(found.path) for found in references(resource)}
    paths = {f"{name}.{path}" for name in ("Claim", "Encounter", "ExplanationOfBenefit", "Observation", "Condition",
             "Procedure", "MedicationRequest", "Immunization", "DiagnosticReport")
             for one in parameters(name).values() if one.kind == "reference" for path in one.paths}  # fmt: skip
    expected = {"Claim.patient", "Claim.provider", "Claim.item.encounter", "Encounter.subject", "Condition.subject",
                "Encounter.participant.individual", "ExplanationOfBenefit.insurance.coverage", "Observation.encounter",
                "DiagnosticReport.result"}  # fmt: skip
    assert expected <= met & paths
