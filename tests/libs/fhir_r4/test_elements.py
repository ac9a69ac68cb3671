"""Small elements: what is found, however it is written, and what must not be found."""

from datetime import UTC, date, datetime

import pytest
from fhir_r4.elements import (
    code_in,
    codes_in,
    day_of,
    extension_values,
    has_code,
    identifier_of,
    identity,
    moment_of,
    read_day,
    reference_of,
    references_of,
    typed_identifier,
    when,
)
from kernel.codes import CPT, HCPCS, LINE, NAIC, NPI
from kernel.errors import Unreadable

IMAGING = {"coding": [{"system": "http://loinc.org", "code": "24590-2"}, {"system": CPT, "code": "70553"}]}
CLINIC = {
    "resourceType": "Organization",
    "id": "clinic",
    "identifier": [
        {"system": NAIC, "value": "SYNPA"},
        {"system": NPI},
        {"system": "urn:oid:2.16.840.1.113883.4.6", "value": "1234567893"},
        {"type": {"coding": [{"code": "MB"}]}, "value": "M1"},
    ],
}


@pytest.mark.parametrize(
    ("resource", "wanted"),
    [(CLINIC, "Organization/clinic"), ({}, ""), ({"resourceType": "Patient"}, ""), ({"id": "1"}, "")],
)
def test_identity(resource, wanted):
    assert identity(resource) == wanted


@pytest.mark.parametrize("nothing", [None, {}, {"display": "somebody"}])
def test_a_reference_without_a_literal_is_none(nothing):
    assert reference_of(nothing) == ""
    assert references_of({"payor": nothing and [nothing]}, "payor") == ()


def test_references_of_elements_that_repeat_and_that_do_not():
    one, other = {"reference": "Patient/1"}, {"reference": "Patient/2"}
    assert reference_of(one) == "Patient/1"
    assert references_of({"subject": one}, "subject") == ("Patient/1",)
    assert references_of({"payor": [one, {"display": "x"}, other]}, "payor") == ("Patient/1", "Patient/2")
    assert references_of({"payor": [one]}, "subject") == ()


def test_codes_are_found_by_their_system_however_it_is_written():
    assert code_in(IMAGING, (CPT, HCPCS)) == "70553"
    assert code_in(IMAGING, (HCPCS,)) == ""
    assert code_in(None, (CPT,)) == ""
    assert code_in({"coding": [{"system": "urn:oid:2.16.840.1.113883.6.12", "code": "70553"}]}, (CPT,)) == "70553"
    assert [*codes_in([IMAGING, {"text": "free"}, None, {"coding": [{"system": CPT}]}, IMAGING], (CPT,))] == [
        "70553",
        "70553",
    ]


def test_has_code_looks_at_every_system():
    assert has_code(IMAGING, ("24590-2",))
    assert not has_code(IMAGING, ("1",))
    assert not has_code(None, ("1",))


def test_identifiers_are_found_by_system_and_by_type():
    assert identifier_of(CLINIC, NPI) == "1234567893"
    assert identifier_of(CLINIC, NAIC) == "SYNPA"
    assert identifier_of(CLINIC, "urn:other") == ""
    assert identifier_of(None, NPI) == ""
    assert typed_identifier(CLINIC, "MB") == "M1"
    assert typed_identifier(CLINIC, "MR") == ""


def test_only_our_own_extensions_have_values_for_us():
    extensions = [
        {"url": f"{LINE}/StructureDefinition/units", "valueDecimal": 2},
        {"url": "https://other.example/StructureDefinition/units", "valueDecimal": 3},
    ]
    assert [*extension_values({"extension": extensions}, "units")] == [2]
    assert [*extension_values({}, "units")] == []


def test_when_reads_either_choice():
    assert when({"performedDateTime": "2026-01-02"}, "performed") == ("2026-01-02", "2026-01-02")
    period = {"performedPeriod": {"start": "2026-01-02", "end": "2026-01-03"}}
    assert when(period, "performed") == ("2026-01-02", "2026-01-03")
    assert when(period, "effective") == ("", "")


def test_days_and_moments_are_none_when_the_text_says_less():
    assert day_of("2026-01-31T23:00:00-05:00") == date(2026, 1, 31)
    assert day_of("2026-01") is None
    assert moment_of("2026-01-31T10:00:00Z") == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert moment_of("2026-01-31") is None


def test_a_day_that_is_none_is_refused_with_its_path_and_without_its_value():
    assert read_day("2026-01-31", "date") == date(2026, 1, 31)
    with pytest.raises(Unreadable) as refused:
        read_day("31.01.2026", "date")
    assert (refused.value.code, refused.value.path) == ("date-format", "date")
    assert "31.01" not in str(refused.value)
