"""What the line is told of visits, orders and appointments, and with what."""

from __future__ import annotations

from engine_records import (
    BASICS,
    CLINIC,
    CONDITION,
    COVERAGE,
    DOCTOR,
    LOCAL,
    PATIENT,
    SECOND,
    appointment,
    encounter,
    order,
    procedure,
)
from engine_world import World, reference
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


def types(facts):  # type: ignore[no-untyped-def]
    return [fact.type for fact in facts]


async def test_the_texts_of_the_snapshot_are_the_senders_own_bytes(world: World) -> None:
    text = b'{ "resourceType":"ChargeItem", "id":"x1","status":"billable","code":{"text":"x"},  "subject":{"reference":'
    text += b'"Patient/p1"},"context":{"reference":"Encounter/e1"},"priceOverride":{"value":100.10,"currency":"USD"}}'
    await world.post(*BASICS, encounter("in-progress"))
    assert (await world.send("PUT", "/ChargeItem/x1", text)).status_code == 201
    await world.facts()
    await world.post(encounter())
    (fact,) = await world.facts()
    assert text in fact.body.facts.snapshot
    whole = (await world.send("GET", "/ChargeItem/x1")).content
    assert text[1:] in whole and b'"versionId":"1"' in whole


async def test_started_once_then_finished_then_amended_with_what_came_late(world: World) -> None:
    await world.post(*BASICS, encounter("planned"))
    assert await world.facts() == []
    await world.post(encounter("arrived"))
    (started,) = await world.facts()
    assert (started.type, started.body.encounter, started.body.date) == (
        "encounter.started",
        "Encounter/e1",
        "2026-03-16",
    )
    assert read(started.body.coverage_json)["id"] == "c1" and read(started.body.payor_json)["id"] == "payer"
    assert read(started.body.provider_json)["id"] == "clinic" and read(started.body.patient_json)["id"] == "p1"
    await world.post(encounter("in-progress"))
    assert await world.facts() == []
    await world.post(encounter(), CONDITION)
    (finished,) = await world.facts()
    assert finished.type == "encounter.finished" and finished.journey_id == started.journey_id
    await world.post(procedure(), procedure("s2"))
    (amended,) = await world.facts()
    assert (amended.type, list(amended.body.changed)) == ("encounter.amended", ["Procedure/s1", "Procedure/s2"])
    assert amended.version > finished.version > started.version
    assert amended.ordering_key == "Encounter/e1" and amended.journey_id == started.journey_id
    assert b'"id": "s2"' in amended.body.facts.snapshot
    await world.post(procedure(), procedure("s2", status="entered-in-error"))
    (again,) = await world.facts()
    assert list(again.body.changed) == ["Procedure/s2"] and again.version > amended.version


async def test_a_finished_visit_that_changes_is_amended_and_a_cancelled_one_told_once(world: World) -> None:
    await world.post(*BASICS, encounter())
    await world.facts()
    await world.post(encounter(type=[]) | {"type": [{"coding": [{"code": "99214", "system": "urn:x"}]}]})
    (amended,) = await world.facts()
    assert (amended.type, list(amended.body.changed)) == ("encounter.amended", ["Encounter/e1"])
    await world.post(encounter("entered-in-error"))
    (cancelled,) = await world.facts()
    assert (cancelled.type, cancelled.body.encounter) == ("encounter.cancelled", "Encounter/e1")
    assert cancelled.version > amended.version
    assert cancelled.body.encounter_key == amended.body.facts.encounter_key
    await world.post(encounter("cancelled"), procedure())
    assert await world.facts() == []


async def test_a_diagnosis_that_only_the_visit_names_amends_it_when_it_changes(world: World) -> None:
    bare = {key: value for key, value in CONDITION.items() if key != "encounter"}
    await world.post(*BASICS, bare, encounter(diagnosis=[{"condition": reference(CONDITION)}]))
    (finished,) = await world.facts()
    assert b'"J30.9"' in finished.body.facts.snapshot
    await world.post(bare | {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}})
    (amended,) = await world.facts()
    assert (amended.type, list(amended.body.changed)) == ("encounter.amended", ["Condition/d1"])
    assert list(amended.body.unmapped) == ["Condition/d1"]
    await world.post(bare | {"id": "unnamed"})
    assert await world.facts() == []


async def test_documentation_that_comes_late_does_not_amend(world: World) -> None:
    await world.post(*BASICS, encounter())
    await world.facts()
    note = {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "x"}}
    await world.post(note | {"subject": reference(PATIENT), "encounter": {"reference": "Encounter/e1"}}, CLINIC)
    assert await world.facts() == []


async def test_orders_are_told_placed_and_then_performed_before_the_end_of_the_visit(world: World) -> None:
    await world.post(*BASICS, order())
    (placed,) = await world.facts()
    assert (placed.type, placed.ordering_key, placed.body.encounter) == ("order.placed", "ServiceRequest/r1", "")
    assert read(placed.body.requester_json)["id"] == DOCTOR["id"]
    assert read(placed.body.coverage_json)["id"] == COVERAGE["id"]
    assert read(placed.body.provider_json)["id"] == CLINIC["id"]
    done = order("completed", encounter={"reference": "Encounter/e1"})
    await world.post(encounter(), done, procedure(basedOn=[reference(done)]), CONDITION)
    performed, finished = await world.facts()
    assert types((performed, finished)) == ["order.performed", "encounter.finished"]
    assert performed.ordering_key == finished.ordering_key == performed.body.encounter == "Encounter/e1"
    assert performed.journey_id == finished.journey_id == placed.journey_id
    assert b'"ServiceRequest"' in finished.body.facts.snapshot
    await world.post(done | {"status": "revoked"})
    assert types(await world.facts()) == ["encounter.amended"]


async def test_an_order_that_names_a_visit_by_its_identifier_begins_that_visits_journey(world: World) -> None:
    named = {"identifier": {"system": "https://ehr.example/visit", "value": "V1"}}
    await world.post(*BASICS, order(encounter=named))
    (placed,) = await world.facts()
    await world.post(encounter())
    (finished,) = await world.facts()
    assert placed.journey_id == finished.journey_id


async def test_an_appointment_is_booked_changed_and_begins_the_journey_of_its_visit(world: World) -> None:
    await world.post(*BASICS, appointment("proposed"))
    assert await world.facts() == []
    await world.post(appointment())
    (booked,) = await world.facts()
    assert (booked.type, booked.body.date, booked.ordering_key) == (
        "appointment.booked",
        "2026-03-16",
        "Appointment/a1",
    )
    assert read(booked.body.coverage_json)["id"] == "c1" and read(booked.body.provider_json)["id"] == "clinic"
    await world.post(appointment("cancelled"))
    (changed,) = await world.facts()
    assert (changed.type, changed.journey_id) == ("appointment.changed", booked.journey_id)
    assert changed.version > booked.version
    await world.post(encounter("in-progress", appointment=[{"reference": "Appointment/a1"}]))
    (started,) = await world.facts()
    assert started.journey_id == booked.journey_id


async def test_the_same_visit_under_another_id_has_the_same_key_and_journey_and_is_not_finished_twice(
    world: World,
) -> None:
    await world.post(*BASICS, encounter())
    await world.post(encounter() | {"id": "another"})
    await world.post(encounter() | {"id": "third", "identifier": [{"value": "V2"}]})
    first, same, other = await world.facts()
    assert types((first, same, other)) == ["encounter.finished", "encounter.amended", "encounter.finished"]
    assert first.body.facts.encounter_key == same.body.facts.encounter_key != other.body.facts.encounter_key
    assert first.journey_id == same.journey_id != other.journey_id
    assert same.body.facts.encounter == "Encounter/another"


async def test_the_key_differs_by_source_and_says_nothing(world: World) -> None:
    await world.post(*BASICS, encounter())
    await world.post(encounter() | {"id": "e2"}, token="synthea")
    first, second = await world.facts()
    assert first.body.facts.encounter_key != second.body.facts.encounter_key
    assert (first.body.facts.source, second.body.facts.source) == ("default", "synthea")
    assert "V1" not in first.body.facts.encounter_key


async def test_what_no_code_of_a_claim_is_known_for_is_listed(world: World) -> None:
    local = procedure("local", "LOC-1", LOCAL)
    undone = procedure("undone", "LOC-1", LOCAL, status="in-progress")
    snomed = CONDITION | {"id": "d2", "code": {"coding": [{"system": "http://snomed.info/sct", "code": "44465007"}]}}
    await world.post(*BASICS, encounter(), CONDITION, procedure(), local, undone, snomed)
    (fact,) = await world.facts()
    assert sorted(fact.body.unmapped) == ["Condition/d2", "Procedure/local"]


async def test_a_mapped_code_is_added_in_the_snapshot_and_the_stored_resource_stays(world: World) -> None:
    snomed = CONDITION | {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "44465007"}]}}
    notes = procedure("notes", "428191000124101", "http://snomed.info/sct")
    await world.post(*BASICS, encounter(), snomed, notes, token="synthea")
    (fact,) = await world.facts()
    assert fact.body.unmapped == []
    kept = {entry["resource"]["id"]: entry["resource"] for entry in read(fact.body.facts.snapshot)["entry"]}
    assert [coding["code"] for coding in kept["d1"]["code"]["coding"]] == ["44465007", "S93.409A"]
    assert len(kept["notes"]["code"]["coding"]) == 1
    stored = (await world.send("GET", "/Condition/d1")).json()
    assert len(stored["code"]["coding"]) == 1


async def test_records_that_bill_nothing_tell_nothing(world: World) -> None:
    await world.post(*BASICS)
    assert await world.facts() == []
