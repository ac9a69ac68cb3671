"""Coding measured against a labelled set: every story of the EHR generator is coded as its label says."""

from __future__ import annotations

from datetime import date
from typing import Any

import fhir_r4
import pytest
from coding.handlers import code_visit
from coding.model import Coded
from coding.rules import Rules
from coding.wire.messages import decimal_text
from coding.wire.snapshot import read_visit
from rcm.engine.v1 import engine_pb2
from simulator.ehr import Story, stories

TODAY = date(2026, 11, 21)
HOLDS = ("coder-review", "unmapped-code")
LOCAL = "https://ehr.example/codes/"


def sent(story: Story) -> engine_pb2.EncounterFinished:
    """The newest of each resource that the story sends; codes of the EHR's own system are not in any map."""
    newest: dict[str, dict[str, Any]] = {}
    for bundle in story.bundles:
        for entry in fhir_r4.read(bundle)["entry"]:
            newest[entry["fullUrl"]] = {"fullUrl": entry["fullUrl"], "resource": entry["resource"]}
    procedures = [entry["resource"] for entry in newest.values() if entry["resource"]["resourceType"] == "Procedure"]
    body = engine_pb2.EncounterFinished(unmapped=[f"Procedure/{one['id']}" for one in procedures if is_local(one)])
    body.facts.encounter = body.facts.encounter_key = story.encounter
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": list(newest.values())}
    body.facts.snapshot = fhir_r4.write(bundle)
    return body


def is_local(procedure: dict[str, Any]) -> bool:
    return all(coding["system"].startswith(LOCAL) for coding in procedure["code"]["coding"])


def lines(coded: Coded) -> list[tuple[str, tuple[str, ...], str]]:
    return sorted((one.code, tuple(sorted(one.modifiers)), decimal_text(one.units)) for one in coded.lines)


@pytest.mark.parametrize("seed", [7, 11])
def test_every_story_is_coded_as_its_label_says(rules: Rules, seed: int) -> None:
    wrong, kinds = [], set()
    for story in stories(seed, 200, TODAY):
        coded = code_visit(read_visit(sent(story)), rules)
        ending = story.expected.ending
        kinds.add(story.kind)
        if ending in HOLDS:
            right = not coded.is_sure and coded.work_kind == ending
        else:
            told = {finding.rule_id for finding in coded.findings}
            labelled = sorted((one.code, tuple(sorted(one.modifiers)), one.units) for one in story.expected.lines)
            right = coded.is_sure and lines(coded) == labelled and told >= set(story.expected.warnings)
        if not right:
            wrong.append((story.story_id, story.kind, [finding.rule_id for finding in coded.findings]))
    assert wrong == []
    assert len(kinds) > 20
