"""The EHR's stories: the same again for the same seed, valid FHIR, and outcomes that the payers' own rules confirm."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import simple_icd_10_cm as icd
from fhir_r4 import read, validate
from kernel import codes as systems
from kernel.identifiers import npi_valid
from kernel.period import Period
from simulator.adjudicate import adjudicate
from simulator.codes import diagnoses, prices
from simulator.ehr import Story, encounters, stories
from simulator.ehr.kinds import CLEAN, WRONG, story_of
from simulator.ehr.table_visits import LEFT, Done, Visit
from simulator.people import find_person
from simulator_world import RULES, TODAY, Memory, a_case, a_claim, a_line
from x12.views.claim import Drug

KINDS = sorted({kind.name for kind in CLEAN + WRONG})
CORPORA = Path(os.environ.get("RCM_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))
PTP = CORPORA / "reference" / "cms-2024" / "ncci_ptp_practitioner.csv.gz"
OUTDATED = {price.code for price in prices().values() if price.kind == "outdated"}


def resources(story: Story) -> list[dict[str, Any]]:
    return [entry["resource"] for bundle in story.bundles for entry in json.loads(bundle)["entry"]]


def of_type(story: Story, kind: str) -> list[dict[str, Any]]:
    return [resource for resource in resources(story) if resource["resourceType"] == kind]


def codings(value: Any) -> list[tuple[str, str]]:
    """Every system and code anywhere below."""
    if isinstance(value, list):
        return [found for item in value for found in codings(item)]
    if not isinstance(value, dict):
        return []
    own = [(value["system"], value["code"])] if {"system", "code"} <= value.keys() else []
    return own + [found for item in value.values() for found in codings(item)]


def member_of(story: Story) -> str:
    return of_type(story, "Coverage")[0]["subscriberId"]


def test_the_same_seed_tells_the_same_and_another_does_not() -> None:
    assert list(stories(7, 30, TODAY)) == list(stories(7, 30, TODAY))
    assert list(encounters(7, 5, TODAY)) != list(encounters(8, 5, TODAY))


def test_a_story_does_not_depend_on_how_many_are_told() -> None:
    assert list(stories(7, 40, TODAY))[:10] == list(stories(7, 10, TODAY))


def test_about_one_in_five_goes_wrong_and_every_kind_comes() -> None:
    told = Counter(story.kind for story in stories(7, 3000, TODAY))
    wrong = sum(told[kind.name] for kind in {kind.name: kind for kind in WRONG}.values())
    assert 0.17 < wrong / 3000 < 0.23
    assert sorted(told) == KINDS
    assert {story.kind for story in stories(7, 200, TODAY, wrong_share=0.0)} <= {kind.name for kind in CLEAN}


@pytest.mark.parametrize("kind", KINDS)
def test_every_bundle_is_valid_fhir(kind: str) -> None:
    for index in range(6):
        for bundle in story_of(kind, 3, index, TODAY).bundles:
            assert [issue for issue in validate(read(bundle)) if issue.severity == "error"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_is_in_its_own_bundle(kind: str) -> None:
    for bundle in story_of(kind, 3, 1, TODAY).bundles:
        entries = json.loads(bundle)["entry"]
        names = [entry["request"]["url"] for entry in entries]
        assert len(names) == len(set(names))
        assert set(_references(entries)) <= set(names)


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in _references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["reference"]] if isinstance(value.get("reference"), str) else []
    return own + [found for item in value.values() for found in _references(item)]


def test_codes_are_known_and_in_force_unless_the_story_is_about_that() -> None:
    for story in stories(11, 400, TODAY):
        found = codings(resources(story))
        procedures = {code for system, code in found if system in (systems.CPT, systems.HCPCS)}
        assert procedures <= prices().keys()
        assert bool(procedures & OUTDATED) is (story.kind == "outdated-code")
        billable = all(icd.is_leaf(code) for system, code in found if system == systems.ICD10CM)
        assert billable is (story.kind != "unbillable-diagnosis")
        local = any(system.startswith("https://ehr.example/codes") for system, _ in found)
        assert local is (story.kind == "unmapped-code")


def test_the_tables_hold_enough_codes_and_only_good_ones() -> None:
    used = {pair for story in stories(7, 3000, TODAY) for pair in codings(resources(story))}
    billing = [code for system, code in used if system in (systems.CPT, systems.HCPCS, systems.ICD10CM)]
    assert len(billing) >= 200
    assert all(systems.is_procedure_code(code) and price.charge_cents > 0 for code, price in prices().items())
    for code, kind in diagnoses().items():
        assert icd.is_valid_item(code) and icd.is_leaf(code) is (kind != "unbillable")


def test_everybody_has_a_valid_npi_and_dates_are_not_in_the_future() -> None:
    for story in stories(13, 150, TODAY):
        npis = [
            item["value"]
            for resource in resources(story)
            for item in resource.get("identifier", ())
            if item.get("system") == systems.NPI
        ]
        assert npis and all(map(npi_valid, npis))
        day = of_type(story, "Encounter")[-1]["period"]["start"][:10]
        oldest = 240 if story.kind == "late-filing" else 10
        assert TODAY - timedelta(days=oldest) <= date.fromisoformat(day) <= TODAY


def test_the_payers_know_everyone_whom_they_should() -> None:
    for story in stories(17, 300, TODAY):
        if story.kind in ("no-coverage", "unknown-payer"):
            continue
        person = find_person(member_of(story), RULES.payers[story.payer_id].letter)
        patient = of_type(story, "Patient")[0]
        assert person is not None
        same = (person.birth_date.isoformat(), person.last) == (patient["birthDate"], patient["name"][0]["family"])
        assert same is (story.kind != "demographic-mismatch")
        assert (person.plan.end is not None) is (story.kind == "coverage-inactive")


def test_what_each_wrong_record_lacks_or_has_too_much() -> None:
    def tell(kind: str) -> Story:
        return story_of(kind, 5, 2, TODAY)

    assert of_type(tell("no-coverage"), "Coverage") == [] and tell("no-coverage").payer_id == ""
    assert tell("unknown-payer").payer_id == "SYNPZ"
    twice = tell("duplicate-submission").bundles
    assert twice[-1] == twice[-2]
    assert of_type(tell("missing-authorization"), "ServiceRequest") == []
    uncharged = of_type(tell("missing-charge"), "ServiceRequest")
    assert [{system for system, _ in codings(order["code"])} for order in uncharged] == [{systems.LOINC}]
    assert {order["status"] for order in uncharged} == {"completed"}


def test_an_authorized_service_is_ordered_first_and_performed_on_that_order() -> None:
    story = story_of("imaging-authorized", 5, 4, TODAY)
    first, last = (json.loads(story.bundles[at])["entry"] for at in (0, -1))
    (placed,) = [e["resource"] for e in first if e["resource"]["resourceType"] == "ServiceRequest"]
    assert placed["status"] == "active" and "encounter" not in placed
    (done,) = [e["resource"] for e in last if e["resource"]["resourceType"] == "Procedure"]
    assert done["basedOn"] == [{"reference": f"ServiceRequest/{placed['id']}"}]
    assert len(story.expected.lines) == 1


def test_expected_modifiers_come_from_the_context() -> None:
    from simulator.ehr.expect import expected_lines

    def lines(visit: Visit) -> dict[str, tuple[str, ...]]:
        return {line.code: line.modifiers for line in expected_lines(visit)}

    assert lines(Visit("99213", ("M17.12",), (Done("20610", side=LEFT),))) == {"99213": ("25",), "20610": ("LT",)}
    assert lines(Visit("99213", ("I10",), labs=("80053",))) == {"99213": (), "80053": ()}
    assert lines(Visit("99213", ("I10",), where="VR")) == {"99213": ("95",)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_payers_decide_as_the_story_says(kind: str) -> None:
    """The expected lines as a claim, before the payers' rules: the amounts of the story come out."""
    for index in range(12):
        story = story_of(kind, 19, index, TODAY)
        if story.expected.ending not in ("paid", "partly-paid", "denied"):
            assert (story.expected.paid_cents, story.expected.patient_cents) == (0, 0)
            continue
        payment = _adjudicated(story)
        expected = story.expected
        amounts = (payment.charge_cents, payment.paid_cents, payment.patient_responsibility_cents)
        assert amounts == (expected.billed_cents, expected.paid_cents, expected.patient_cents)
        denied = [bool(line.allowed_cents) is False for line in payment.lines]
        assert {"paid": not any(denied), "denied": all(denied), "partly-paid": denied.count(True) == 1}[expected.ending]


def _adjudicated(story: Story):
    member = find_person(member_of(story), RULES.payers[story.payer_id].letter)
    assert member is not None
    memory = Memory()
    numbers = [
        memory.grant(story.payer_id, member.member_id, line.code, Period(TODAY - timedelta(days=30), TODAY)).number
        for line in story.expected.lines
        if line.code in RULES.payers[story.payer_id].authorization_codes
    ]
    lines = [
        a_line(
            line.code,
            line.charge_cents,
            units=line.units,
            modifiers=line.modifiers,
            drug=Drug(ndc="99999000001", quantity="1", unit="UN") if line.code.startswith("J") else None,
        )
        for line in story.expected.lines
    ]
    claim = a_claim(
        *lines,
        letter=story.payer_id[-1],
        subscriber=member.as_member(),
        prior_authorization=numbers[0] if numbers else "",
    )
    return adjudicate(a_case(claim, memory), "X1").payment


@pytest.mark.skipif(not PTP.is_file(), reason="needs the reference corpora")
def test_no_good_visit_has_an_ncci_conflict_that_its_modifiers_do_not_resolve() -> None:
    visits = [visit for kind in CLEAN for visit in kind.visits]
    together = {frozenset(pair) for visit in visits for pair in permutations(_codes(visit), 2)}
    with gzip.open(PTP, "rt", encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        active = [row for row in rows if not row[3] and frozenset(row[:2]) in together]
    found = {(column2, column1): indicator for column1, column2, _, _, indicator, _ in active}
    assert found, "the table was not read"
    for (evaluation, other), indicator in found.items():
        assert indicator == "1" and prices()[evaluation].kind.startswith(("office", "emergency")), (evaluation, other)


def _codes(visit: Visit) -> list[str]:
    done = [item.code for item in visit.done + visit.drugs]
    return [code for code in (visit.evaluation, *done, *visit.labs, *visit.vaccines) if code]


def test_the_command_writes_a_file_per_bundle_and_a_row_per_story(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulator.ehr", "--seed", "7", "--count", "6", "--out", str(tmp_path)]
    subprocess.run([*command, "--today", "2026-06-15"], check=True, timeout=60)
    rows = [json.loads(line) for line in (tmp_path / "stories.jsonl").read_text().splitlines()]
    told = list(stories(7, 6, TODAY))
    assert [row["kind"] for row in rows] == [story.kind for story in told]
    for row, story in zip(rows, told, strict=True):
        assert tuple((tmp_path / name).read_bytes() for name in row["bundles"]) == story.bundles
