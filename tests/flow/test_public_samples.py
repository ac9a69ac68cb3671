"""Files that nobody here wrote, through `throughline submit`'s own code: every Encounter in them ends under a name."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import httpx
import pytest
from cli.client import Line
from cli.demo import wait_settled
from cli.submit import Outcome, content_of, files_in, submit_file
from fhir_r4 import read
from flow_types import Line200
from stack import quiet

CORPORA = Path(os.environ.get("RCM_CORPORA", Path(__file__).parents[3] / "shared" / "corpora")) / "fhir"
needs_corpora = pytest.mark.skipif(not CORPORA.is_dir(), reason="public sample files are not here (RCM_CORPORA)")


async def submit_all(line: Line200, folder: Path, source: str) -> list[Outcome]:
    place = line.place
    async with httpx.AsyncClient(timeout=120) as http:
        client = place.fhir(http, source)
        return [await submit_file(client, file) for file in files_in([folder])]


@needs_corpora
async def test_every_synthea_encounter_ends_as_a_claim_a_hold_or_a_named_refusal(line: Line200) -> None:
    sent = sum(
        entry["resource"]["resourceType"] == "Encounter"
        for file in files_in([CORPORA / "synthea"])
        for entry in read(content_of(file))["entry"]
    )
    outcomes = await submit_all(line, CORPORA / "synthea", "synthea")
    assert [outcome.problem for outcome in outcomes if outcome.problem] == []
    encounters = {encounter for outcome in outcomes for encounter in outcome.encounters}
    assert len(encounters) == sent > 100
    client = Line(line.place)
    journeys = await wait_settled(client, encounters, 90, quiet)
    await client.close()
    assert {journey.encounter for journey in journeys} == encounters
    assert [journey.encounter for journey in journeys if journey.state == "waiting" and not journey.reason] == []
    reasons = Counter((journey.outcome, journey.reason) for journey in journeys)
    assert sum(reasons.values()) == sent
    assert all(reason for (outcome, reason) in reasons if outcome != "paid"), reasons


@needs_corpora
async def test_the_same_file_again_makes_nothing_new(line: Line200) -> None:
    first = await submit_all(line, CORPORA / "synthea", "synthea")
    again = await submit_all(line, CORPORA / "synthea", "synthea")
    assert [outcome.encounters for outcome in again] == [outcome.encounters for outcome in first]


@needs_corpora
async def test_every_official_example_is_taken_in_or_refused_for_a_reason_with_a_place(line: Line200) -> None:
    outcomes = await submit_all(line, CORPORA / "r4-examples", "default")
    assert len(outcomes) > 200
    taken = [outcome for outcome in outcomes if not outcome.problem]
    refused = [outcome for outcome in outcomes if outcome.problem]
    assert len(taken) > 10
    written_by_us = [outcome for outcome in refused if outcome.status == 405]
    assert {outcome.file.name.partition("-")[0] for outcome in written_by_us} == {"AuditEvent"}
    for outcome in refused:
        if outcome in written_by_us:
            continue  # the record of accesses is nobody's to write but ours
        assert outcome.status in (400, 422), (outcome.file.name, outcome.problem)
        assert "." in outcome.problem or "Bundle" in outcome.problem, (outcome.file.name, outcome.problem)


async def test_what_is_not_fhir_is_said_to_be_none(line: Line200, tmp_path: Path) -> None:
    (tmp_path / "noise.json").write_bytes(b"\x00\xff not json")
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "torn.json.gz").write_bytes(b"\x1f\x8b nothing")
    outcomes = await submit_all(line, tmp_path, "default")
    assert [outcome.status for outcome in outcomes] == [0, 0, 0]
    assert all(outcome.problem.startswith("not a FHIR file") for outcome in outcomes)
