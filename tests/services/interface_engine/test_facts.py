"""What the line is told of visits, orders and appointments, and with what."""

from __future__ import annotations

from engine_records import (
    BASICS,
    CONDITION,
    DOCTOR,
    LOCAL,
    SECOND,
    appointment,
    encounter,
    order,
    procedure,
)
from engine_world import World, synthea_bundles
from fhir_r4 import read, validate


async def test_a_finished_visit_is_told_with_all_that_bills(world: World) -> None:
    answer = await world.post(*BASICS, SECOND, encounter(), CONDITION, procedure())
    assert answer.status_code == 200, answer.text
    (fact,) = await world.facts()
    assert (fact.type, fact.ordering_key, fact.version) == ("encounter.finished", "Encounter/e1", 1)
    snapshot = read(fact.body.facts.snapshot)
    assert validate(snapshot) == []
    kinds = [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in snapshot["entry"]]
    assert kinds[:4] == ["Encounter/e1", "Patient/p1", "Coverage/c1", "Coverage/a-second"]
    assert sorted(kinds[4:]) == [
        "Condition/d1",
        "Location/room",
        "Organization/clinic",
        "Organization/payer",
        "Practitioner/doctor",
        "Procedure/s1",
    ]
    assert fact.body.unmapped == []
    assert fact.body.facts.source == "default" and len(fact.body.facts.encounter_key) == 40
    assert len(fact.journey_id) == 32
