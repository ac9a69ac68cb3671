"""References are found, read, resolved and rewritten, and nothing that only looks like one is touched."""

from __future__ import annotations

import copy

import pytest
from fhir_r4 import Resource
from fhir_r4.references import Index, Target, contained, parse, reference_id, references, rewrite

URN = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
OTHER_URN = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("Patient/1", Target("relative", "Patient", "1")),
        ("Patient/1/_history/2", Target("relative", "Patient", "1", "2")),
        ("http://a.example/fhir/Patient/1", Target("absolute", "Patient", "1", base="http://a.example/fhir")),
        (
            "https://a.example/Patient/1/_history/2",
            Target("absolute", "Patient", "1", "2", base="https://a.example"),
        ),
        ("#p", Target("contained", id="p")),
        ("#", Target("contained", id="")),
        (URN, Target("urn")),
        ("urn:oid:1.2.3", Target("urn")),
        ("Patient?identifier=a|b", Target("conditional", "Patient", query="identifier=a|b")),
        ("http://a.example/page", Target("other")),
        ("Patient", Target("other")),
        ("patient/1", Target("other")),
        ("Patient/a_b", Target("other")),
        ("", Target("other")),
    ],
)
def test_parse(value: str, target: Target) -> None:
    assert parse(value) == target


def test_reference_id() -> None:
    assert reference_id({"reference": "Patient/1"}, "Patient") == "1"
    assert reference_id({"reference": "https://a.example/Patient/1/_history/3"}, "Patient") == "1"
    for none in ({"reference": "Group/1"}, {"reference": URN}, {"reference": "#1"}, {"display": "a"}, {}, None):
        assert reference_id(none, "Patient") is None


BUNDLE: Resource = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "fullUrl": URN,
            "resource": {"resourceType": "Patient", "identifier": [{"system": "a", "value": "1"}, {"value": "bare"}]},
        },
        {
            "fullUrl": "https://a.example/fhir/Patient/p",
            "resource": {"resourceType": "Patient", "id": "p", "meta": {"versionId": "3"}, "birthDate": "2001"},
        },
        {
            "fullUrl": "https://b.example/fhir/Patient/p",
            "resource": {"resourceType": "Patient", "id": "p", "birthDate": "2002"},
        },
        {
            "fullUrl": "https://b.example/fhir/Claim/c",
            "resource": {
                "resourceType": "Claim",
                "id": "c",
                "contained": [{"resourceType": "Organization", "id": "o"}],
                "patient": {"reference": URN},
                "insurer": {"reference": "#o"},
                "item": [{"encounter": [{"reference": "Encounter/e"}, {"display": "no literal reference"}]}],
            },
        },
    ],
}


def test_references_are_found_with_their_paths() -> None:
    assert [(one.path, one.value) for one in references(BUNDLE)] == [
        ("Bundle.entry[3].resource.patient", URN),
        ("Bundle.entry[3].resource.insurer", "#o"),
        ("Bundle.entry[3].resource.item[0].encounter[0]", "Encounter/e"),
    ]
    assert next(references(BUNDLE)).node is BUNDLE["entry"][3]["resource"]["patient"]


def test_resolving_within_a_bundle() -> None:
    index, entries = Index(BUNDLE), BUNDLE["entry"]
    claim_url = entries[3]["fullUrl"]
    assert index.resolve(URN) is entries[0]["resource"]
    assert index.resolve("https://a.example/fhir/Patient/p") is entries[1]["resource"]
    assert index.resolve("Patient/p", claim_url) is entries[2]["resource"]
    assert index.resolve("Patient/p") is entries[1]["resource"]
    assert index.resolve("Patient/p/_history/3") is entries[1]["resource"]
    assert index.resolve("Patient?identifier=a|1") is entries[0]["resource"]
    assert index.resolve("Patient?identifier=bare") is entries[0]["resource"]
    assert index.resolve("Patient?identifier=|bare") is entries[0]["resource"]


@pytest.mark.parametrize(
    "value",
    [
        OTHER_URN,
        "Patient/q",
        "Claim/p",
        "https://c.example/fhir/Patient/p",
        "Patient/p/_history/4",
        "Patient?identifier=b|1",
        "Patient?identifier=|1",
        "Patient?name=a",
        "Claim?identifier=a|1",
        "#o",
        "other",
    ],
)
def test_what_is_not_in_the_bundle_is_not_resolved(value: str) -> None:
    assert Index(BUNDLE).resolve(value) is None


def test_two_matches_are_no_match() -> None:
    twice = copy.deepcopy(BUNDLE)
    twice["entry"][1]["resource"]["identifier"] = [{"system": "a", "value": "1"}]
    assert Index(twice).resolve("Patient?identifier=a|1") is None


def test_contained() -> None:
    claim = BUNDLE["entry"][3]["resource"]
    assert contained(claim, "#o") is claim["contained"][0]
    assert contained(claim, "#p") is None and contained({"resourceType": "Claim"}, "#o") is None


def test_rewrite_replaces_references_addresses_and_links_only() -> None:
    resource = {
        "resourceType": "DocumentReference",
        "text": {"status": "generated", "div": f'<div><a href="{URN}">{URN}</a></div>'},
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": URN}],
        "subject": {"reference": URN, "display": URN},
        "description": URN,
        "content": [{"attachment": {"url": URN, "title": URN}}],
        "extension": [{"url": "http://a.example", "valueUri": URN}, {"url": "http://a.example", "valueString": URN}],
        "contained": [{"resourceType": "Encounter", "id": "e", "subject": {"reference": URN}}],
    }
    before = copy.deepcopy(resource)
    made = rewrite(resource, {URN: "Patient/1"})
    assert resource == before
    assert made["text"]["div"] == f'<div><a href="Patient/1">{URN}</a></div>'
    assert made["subject"] == {"reference": "Patient/1", "display": URN}
    assert made["content"] == [{"attachment": {"url": "Patient/1", "title": URN}}]
    assert [one.get("valueUri", one.get("valueString")) for one in made["extension"]] == ["Patient/1", URN]
    assert made["contained"][0]["subject"] == {"reference": "Patient/1"}
    assert (made["identifier"], made["description"]) == (resource["identifier"], URN)


def test_rewrite_without_a_match_changes_nothing(samples: dict[str, Resource]) -> None:
    for name, resource in samples.items():
        assert rewrite(resource, {URN: "Patient/1"}) == resource, name
