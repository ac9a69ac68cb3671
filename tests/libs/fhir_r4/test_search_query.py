"""A query string reads as R4 says, and what it cannot mean is refused by name without repeating the value."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args

import pytest
from fhir_r4.search import (
    Include,
    Missing,
    Query,
    ReferenceValue,
    StringValue,
    Term,
    TokenValue,
    UriValue,
    Value,
    parameters,
    parse_query,
)
from fhir_r4.search.asked import Modifier
from fhir_r4.search.query import MAX_ALTERNATIVES, MAX_TERMS
from kernel.errors import Unreadable

SECRET = "Lovelace-1815"


def one(type_name: str, name: str, text: str) -> Term:
    (term,) = parse_query(type_name, [(name, text)]).terms
    return term


def values(type_name: str, name: str, text: str) -> tuple[Value, ...]:
    return one(type_name, name, text).alternatives


def refusal(type_name: str, *pairs: tuple[str, str], strict: bool = True) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        parse_query(type_name, pairs, strict=strict)
    return caught.value


def test_nothing_asked_is_everything() -> None:
    assert parse_query("Claim", []) == Query("Claim")


def test_repeated_is_and_and_comma_is_or() -> None:
    query = parse_query("Encounter", [("type", "a,b"), ("type", "c")])
    assert [term.alternatives for term in query.terms] == [
        (TokenValue(None, "a"), TokenValue(None, "b")),
        (TokenValue(None, "c"),),
    ]
    assert all(term.parameter == parameters("Encounter")["type"] for term in query.terms)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("v", TokenValue(None, "v")),
        ("urn:s|v", TokenValue("urn:s", "v")),
        ("|v", TokenValue("", "v")),
        ("urn:s|", TokenValue("urn:s", None)),
        (r"a\,b", TokenValue(None, "a,b")),
        (r"a\|b", TokenValue(None, "a|b")),
        (r"s\|t|a\$b", TokenValue("s|t", "a$b")),
        (r"a\\", TokenValue(None, "a\\")),
        ("a\\", TokenValue(None, "a\\")),
        (r"a\b", TokenValue(None, r"a\b")),
    ],
)
def test_tokens(text: str, value: TokenValue) -> None:
    assert values("Patient", "identifier", text) == (value,)


def test_an_escaped_comma_does_not_part_and_the_escape_of_a_backslash_does_not_hide_one() -> None:
    assert values("Patient", "identifier", r"a\,b,c") == (TokenValue(None, "a,b"), TokenValue(None, "c"))
    assert values("Patient", "identifier", r"a\\,c") == (TokenValue(None, "a\\"), TokenValue(None, "c"))


def test_a_system_says_nothing_about_an_element_that_has_none() -> None:
    assert values("Patient", "gender", "http://hl7.org/fhir/administrative-gender|female") == (
        TokenValue(None, "female"),
    )
    assert values("Patient", "active", "|true") == (TokenValue(None, "true"),)
    assert values("Encounter", "class", "urn:s|AMB") == (TokenValue("urn:s", "AMB"),)


def test_strings_are_folded_and_kept() -> None:
    assert values("Patient", "name", "Ångström, B") == (StringValue("angstrom", "Ångström"), StringValue("b", " B"))
    assert one("Patient", "family:exact", "Müller").modifier == "exact"
    assert one("Patient", "family:contains", "ll").alternatives == (StringValue("ll", "ll"),)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("patient", "1", ReferenceValue("Patient", "1")),
        ("subject", "1", ReferenceValue(None, "1")),
        ("subject", "Group/1", ReferenceValue("Group", "1")),
        ("subject", "Patient/1/_history/3", ReferenceValue("Patient", "1")),
        ("subject", "https://a.example/r4/Patient/1", ReferenceValue("Patient", "1", "https://a.example/r4/Patient/1")),
        ("subject", "urn:uuid:5", ReferenceValue(None, None, "urn:uuid:5")),
    ],
)
def test_references(name: str, text: str, value: ReferenceValue) -> None:
    assert values("Encounter", name, text) == (value,)


def test_a_type_as_modifier_narrows_the_reference() -> None:
    term = one("Encounter", "subject:Patient", "1")
    assert term.alternatives == (ReferenceValue("Patient", "1"),)
    assert (term.modifier, term.parameter.targets, term.parameter.paths) == ("", ("Patient",), ("subject",))
    assert refusal("Encounter", ("subject:Claim", "1")).code == "search_modifier"
    assert refusal("Encounter", ("subject:Patient", "Group/1")).code == "search_value"


def test_modifiers() -> None:
    assert one("Encounter", "status:not", "finished").modifier == "not"
    assert one("Encounter", "patient:missing", "true").alternatives == (Missing(True),)
    assert one("Encounter", "date:missing", "false").alternatives == (Missing(False),)
    term = one("Encounter", "patient:identifier", "urn:mrn|1")
    assert (term.modifier, term.alternatives) == ("identifier", (TokenValue("urn:mrn", "1"),))
    assert values("Subscription", "url", r"http://a.example/x\,y") == (UriValue("http://a.example/x,y"),)


def test_every_modifier_that_comes_out_is_a_declared_one() -> None:
    assert set(get_args(Modifier)) == {"", "exact", "contains", "not", "missing", "identifier"}


def test_a_chain_carries_where_it_ends() -> None:
    patient = parameters("Patient")
    term = one("Claim", "patient.identifier", "s|1")
    assert term.parameter == parameters("Claim")["patient"]
    assert term.chain == (("Patient", patient["identifier"]),)
    assert term.alternatives == (TokenValue("s", "1"),)
    assert not term.reverse
    assert one("Encounter", "subject:Patient.name:exact", "X").modifier == "exact"
    assert one("Encounter", "subject:Patient.name", "X").chain == (("Patient", patient["name"]),)
    assert one("Claim", "patient._id", "1").chain == (("Patient", patient["_id"]),)


def test_a_chain_over_several_types_ends_at_each_that_has_the_parameter() -> None:
    term = one("Claim", "provider.identifier", "npi|1")
    assert [target for target, _ in term.chain] == ["Organization", "Practitioner", "PractitionerRole"]
    assert [target for target, _ in one("Encounter", "subject.birthdate", "1980").chain] == ["Patient"]


def test_a_chain_reads_its_value_for_all_the_types_it_may_end_at() -> None:
    term = one("AuditEvent", "entity.patient", "Patient/1")
    assert term.alternatives == (ReferenceValue("Patient", "1"),)
    assert one("AuditEvent", "entity.part-of", "Task/1").alternatives == (ReferenceValue("Task", "1"),)
    assert one("AuditEvent", "entity.part-of", "Encounter/1").alternatives == (ReferenceValue("Encounter", "1"),)
    assert one("AuditEvent", "entity.type", "s|c").alternatives == (TokenValue("s", "c"),)
    assert refusal("AuditEvent", ("entity.patient", "Claim/1")).code == "search_value"


def test_a_chain_of_several_kinds_needs_a_type() -> None:
    assert refusal("AuditEvent", ("entity.source", "x")).code == "search_modifier"
    assert one("AuditEvent", "entity:MessageHeader.source", "x").chain[0][1].kind == "string"


def test_the_reverse_of_a_chain() -> None:
    term = one("Patient", "_has:Claim:patient:status", "active,draft")
    assert term.reverse
    assert term.parameter == parameters("Claim")["patient"]
    assert term.chain == (("Claim", parameters("Claim")["status"]),)
    assert term.alternatives == (TokenValue(None, "active"), TokenValue(None, "draft"))
    assert one("Patient", "_has:Claim:patient:status:not", "active").modifier == "not"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("_has", "search_parameter"),
        ("_has:Claim", "search_parameter"),
        ("_has:Claim:patient", "search_parameter"),
        ("_has:Banana:patient:status", "search_parameter"),
        ("_has:Claim:status:status", "search_parameter"),
        ("_has:Claim:insurer:status", "search_parameter"),
        ("_has:Claim:patient:banana", "search_parameter"),
        ("_has:Claim:patient:_has:Task:focus:status", "search_not_supported"),
        ("_has:Claim:patient:provider.name", "search_not_supported"),
        ("_has:Claim:patient:status:exact", "search_modifier"),
    ],
)
def test_reverses_that_are_refused(name: str, code: str) -> None:
    assert refusal("Patient", (name, SECRET)).code == code


@pytest.mark.parametrize(
    ("type_name", "name", "text", "code"),
    [
        ("Patient", "banana", SECRET, "search_parameter"),
        ("Patient", "", SECRET, "search_parameter"),
        ("Patient", "Name", SECRET, "search_parameter"),
        ("Patient", "identifier:exact", SECRET, "search_modifier"),
        ("Patient", "name:text", SECRET, "search_modifier"),
        ("Patient", "name:", "", "search_value"),
        ("Patient", "birthdate:not", "2026", "search_modifier"),
        ("Condition", "code:below", SECRET, "search_modifier"),
        ("Patient", "identifier", "", "search_value"),
        ("Patient", "identifier", f"{SECRET},", "search_value"),
        ("Patient", "identifier", f",{SECRET}", "search_value"),
        ("Patient", "identifier", "|", "search_value"),
        ("Patient", "identifier", f"a|{SECRET}|c", "search_value"),
        ("Patient", "identifier", f"{SECRET}\0", "search_value"),
        ("Patient", "name", "   ", "search_value"),
        ("Patient", "name:missing", SECRET, "search_value"),
        ("Patient", "name:missing", "True", "search_value"),
        ("Patient", "birthdate", SECRET, "search_value"),
        ("Patient", "birthdate", "2026-13", "search_value"),
        ("Patient", "birthdate", "xx2026", "search_value"),
        ("Patient", "birthdate", "gt", "search_value"),
        ("Patient", "birthdate", "2026-02-30", "search_value"),
        ("ChargeItem", "factor-override", SECRET, "search_value"),
        ("ChargeItem", "factor-override", "NaN", "search_value"),
        ("ChargeItem", "factor-override", "1_0", "search_value"),
        ("ChargeItem", "price-override", "5|usd", "search_value"),
        ("ChargeItem", "price-override", "|s|c", "search_value"),
        ("Encounter", "patient", "Group/1", "search_value"),
        ("Encounter", "patient", f"{SECRET} x", "search_value"),
        ("Encounter", "patient.banana", SECRET, "search_parameter"),
        ("Encounter", "status.name", SECRET, "search_parameter"),
        ("Encounter", "banana.name", SECRET, "search_parameter"),
        ("Encounter", "subject:Claim.status", SECRET, "search_modifier"),
        ("Encounter", "patient.organization.name", SECRET, "search_not_supported"),
        ("Encounter", "patient.name:not", SECRET, "search_modifier"),
        ("Encounter", "patient._has:Claim:patient:status", SECRET, "search_not_supported"),
        ("Encounter", "_text", SECRET, "search_not_supported"),
        ("Encounter", "_content", SECRET, "search_not_supported"),
        ("Encounter", "_filter", SECRET, "search_not_supported"),
        ("Encounter", "_contained", "true", "search_not_supported"),
        ("Encounter", "_count", "ten", "search_value"),
        ("Encounter", "_count", "-1", "search_value"),
        ("Encounter", "_count", "9" * 5000, "search_value"),
        ("Encounter", "_count:exact", "1", "search_modifier"),
        ("Encounter", "_total", "maybe", "search_value"),
        ("Encounter", "_summary", "", "search_value"),
        ("Encounter", "_elements", "banana", "search_value"),
        ("Encounter", "_elements", "", "search_value"),
        ("Encounter", "_sort", "banana", "search_value"),
        ("Encounter", "_sort", "", "search_value"),
        ("Encounter", "_sort:desc", "date", "search_modifier"),
        ("Encounter", "_include", "Encounter:banana", "search_include"),
        ("Encounter", "_include", "Encounter:status", "search_include"),
        ("Encounter", "_include", "Claim:patient", "search_include"),
        ("Encounter", "_include", "patient", "search_include"),
        ("Encounter", "_include", "Encounter:patient:Group", "search_include"),
        ("Encounter", "_include", "Encounter:patient:Patient:x", "search_include"),
        ("Encounter", "_include:recurse", "Encounter:patient", "search_modifier"),
        ("Encounter", "_revinclude", "Claim:patient", "search_include"),
        ("Encounter", "_revinclude", "Claim:encounter:Patient", "search_include"),
        ("Encounter", "_revinclude", "*", "search_include"),
        ("Banana", "_id", "1", "search_parameter"),
    ],
)
def test_what_is_refused(type_name: str, name: str, text: str, code: str) -> None:
    error = refusal(type_name, (name, text))
    assert error.code == code
    assert SECRET not in f"{error} {error.path} {error.reason}"


def test_the_refusal_names_the_parameter_when_it_looks_like_one() -> None:
    assert refusal("Encounter", ("date", "x")).path == "date"
    assert refusal("Encounter", ("patient.banana", "x")).path == "patient.banana"
    assert refusal("Encounter", ("Ada Lovelace", "x")).path == ""


def test_lenient_passes_by_what_is_unknown_and_nothing_else() -> None:
    pairs = [("banana", "1"), ("patient.banana", "2"), ("status", "finished")]
    query = parse_query("Encounter", pairs, strict=False)
    assert query.ignored == ("banana", "patient.banana")
    assert [term.parameter.name for term in query.terms] == ["status"]
    assert query.used == (("status", "finished"),)
    assert refusal("Encounter", ("status:banana", "x"), strict=False).code == "search_modifier"
    assert refusal("Encounter", ("date", "x"), strict=False).code == "search_value"
    assert refusal("Encounter", ("_include", "x"), strict=False).code == "search_include"


def test_controls() -> None:
    pairs = [
        ("_count", "20"), ("_total", "accurate"), ("_summary", "data"), ("_elements", "id,status,period"),
        ("_sort", "-date,_id"), ("_cursor", "abc"), ("_format", "json"), ("_pretty", "true"), ("_contained", "false"),
        ("_lastUpdated", "ge2026-01-01"),
    ]  # fmt: skip
    query = parse_query("Encounter", pairs)
    named = parameters("Encounter")
    assert (query.count, query.total, query.summary, query.page) == (20, "accurate", "data", "abc")
    assert query.elements == ("id", "status", "period")
    assert query.sort == ((named["date"], True), (named["_id"], False))
    assert [term.parameter.name for term in query.terms] == ["_lastUpdated"]
    assert [name for name, _ in query.used] == [
        "_count", "_total", "_summary", "_elements", "_sort", "_contained", "_lastUpdated",
    ]  # fmt: skip
    assert parse_query("Encounter", [("_count", "0")]).count == 0
    assert parse_query("Observation", [("_elements", "value,effectiveDateTime")]).elements == (
        "value",
        "effectiveDateTime",
    )


@pytest.mark.parametrize("name", ["_count", "_total", "_summary", "_elements", "_cursor"])
def test_a_control_is_said_once(name: str) -> None:
    text = {"_count": "1", "_total": "none", "_summary": "text", "_elements": "id", "_cursor": "x"}[name]
    assert refusal("Encounter", (name, text), (name, text)).code == "search_value"


def test_includes() -> None:
    named = parameters("Encounter")
    pairs = [
        ("_include", "Encounter:patient"), ("_include", "Encounter:subject:Group"), ("_include", "Encounter:*"),
        ("_include", "*"), ("_include:iterate", "Patient:general-practitioner"),
    ]  # fmt: skip
    plain, narrowed, every, star, further = parse_query("Encounter", pairs).include
    assert plain == Include("Encounter", (named["patient"],))
    assert narrowed == Include("Encounter", (named["subject"],), "Group")
    assert set(every.parameters) == {one for one in named.values() if one.kind == "reference"}
    assert star == every
    assert further == Include("Patient", (parameters("Patient")["general-practitioner"],), None, iterate=True)


def test_reverse_includes() -> None:
    pairs = [
        ("_revinclude", "Claim:encounter"),
        ("_revinclude", "Observation:*"),
        ("_revinclude", "Provenance:target:Encounter"),
    ]
    claim, observation, provenance = parse_query("Encounter", pairs).revinclude
    assert claim == Include("Claim", (parameters("Claim")["encounter"],))
    assert {one.name for one in observation.parameters} >= {"encounter"}
    assert "patient" not in {one.name for one in observation.parameters}
    assert provenance.target == "Encounter"


def test_sizes_are_bounded() -> None:
    assert len(parse_query("Encounter", [("status", "x")] * MAX_TERMS).terms) == MAX_TERMS
    assert refusal("Encounter", *[("status", "x")] * (MAX_TERMS + 1)).code == "search_size"
    assert len(values("Encounter", "_id", ",".join(["1"] * MAX_ALTERNATIVES))) == MAX_ALTERNATIVES
    assert refusal("Encounter", ("_id", ",".join(["1"] * (MAX_ALTERNATIVES + 1)))).code == "search_size"


def test_a_time_zone_whose_plus_was_lost_is_read() -> None:
    (value,) = values("Encounter", "date", "ge2026-01-31T10:00:00 02:00")
    assert value.low == datetime(2026, 1, 31, 8, tzinfo=UTC)  # type: ignore[union-attr]


def test_quantities_have_their_unit() -> None:
    (value,) = values("ChargeItem", "price-override", "gt100.50||USD")
    assert (value.prefix, value.low, value.system, value.code) == ("gt", Decimal("100.50"), None, "USD")  # type: ignore[union-attr]
    (value,) = values("Observation", "value-quantity", "5.4|http://unitsofmeasure.org|mg")
    assert (value.system, value.code) == ("http://unitsofmeasure.org", "mg")  # type: ignore[union-attr]
    assert (value.low, value.high) == (Decimal("5.35"), Decimal("5.45"))  # type: ignore[union-attr]
