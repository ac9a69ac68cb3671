"""Bundles that nobody here wrote: Synthea's transactions are taken in whole, and every visit of theirs is told."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from engine_world import World, synthea_bundles
from fhir_r4 import read, validate

pytestmark = pytest.mark.skipif(not synthea_bundles(), reason="the corpora are not there")


async def test_every_visit_of_every_bundle_is_told_once_and_every_resource_kept(world: World) -> None:
    sent: Counter[str] = Counter()
    for bundle in synthea_bundles():
        answer = await world.send("POST", "", bundle, token="synthea")
        assert answer.status_code == 200, answer.text[:500]
        entries = answer.json()["entry"]
        sent.update(entry["response"]["location"].split("/")[0] for entry in entries)
        assert len(entries) == len(json.loads(bundle)["entry"])
    facts = await world.facts()
    told = Counter(fact.type for fact in facts)
    assert told["encounter.finished"] == sent["Encounter"] == 181
    assert told["encounter.amended"] == told["encounter.cancelled"] == 0
    async with world.database.transaction(world.tenant) as conn:
        stored = {row["type"]: row["n"] for row in await conn.fetch("select type, count(*) n from resource group by 1")}
    assert stored == dict(sent)
    finished = [fact for fact in facts if fact.type == "encounter.finished"]
    assert len({fact.journey_id for fact in finished}) == len({fact.ordering_key for fact in finished}) == 181
    unmapped = Counter(bool(fact.body.unmapped) for fact in finished)
    assert unmapped[False] > 160 and unmapped[True] > 5
    for fact in finished:
        snapshot = read(fact.body.facts.snapshot)
        assert validate(snapshot) == []
        kinds = {entry["resource"]["resourceType"] for entry in snapshot["entry"]}
        visit = snapshot["entry"][0]["resource"]
        assert (visit["resourceType"], "Patient" in kinds) == ("Encounter", True)
        assert ("Organization" in kinds, "Practitioner" in kinds) == (
            "serviceProvider" in visit,
            "participant" in visit,
        )
        assert not kinds & {"Claim", "ExplanationOfBenefit"}


async def test_mapped_codes_stand_beside_the_senders_own(world: World) -> None:
    await world.send("POST", "", synthea_bundles()[0], token="synthea")
    seen: Counter[str] = Counter()
    for fact in await world.facts():
        if fact.type != "encounter.finished":
            continue
        for entry in read(fact.body.facts.snapshot)["entry"]:
            resource = entry["resource"]
            if resource["resourceType"] == "Immunization":
                systems = [coding["system"] for coding in resource["vaccineCode"]["coding"]]
                assert systems == ["http://hl7.org/fhir/sid/cvx", "http://www.ama-assn.org/go/cpt"]
                seen["Immunization"] += 1
            if resource["resourceType"] == "Condition":
                seen[resource["code"]["coding"][-1]["system"]] += 1
    assert seen["Immunization"] > 3 and seen["http://hl7.org/fhir/sid/icd-10-cm"] >= 1


async def test_the_same_bundle_again_gets_the_same_answer_and_tells_nothing(world: World) -> None:
    first = await world.send("POST", "", synthea_bundles()[-1], token="synthea")
    await world.facts()
    again = await world.send("POST", "", synthea_bundles()[-1], token="synthea")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert await world.facts() == []
