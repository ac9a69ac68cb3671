"""Persons over a real database: linked across feeds, asked about once, decided by people, and used by the line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from bus.timers import Timer
from engine_records import CLINIC, PAYER, encounter
from engine_world import World
from fhir_r4 import read
from interface_engine.entry_persons import identify_stored
from interface_engine.handlers.persons import decide
from interface_engine.model_persons import Pair, pair_key
from interface_engine.store.persons import Persons
from kernel.errors import Refused
from persons_people import FEED_B, SSN, coverage, named, numbered, person


@dataclass
class People:
    """A world, asked about persons."""

    world: World

    async def put(self, *patients: dict[str, Any]) -> list[Any]:
        """One after the other; the work items that came of it."""
        for patient in patients:
            answer = await self.world.send("PUT", f"/{patient['resourceType']}/{patient['id']}", patient)
            assert answer.status_code in (200, 201), answer.text
        return [fact for fact in await self.world.facts() if fact.type.startswith("work.")]

    async def person(self, patient: str) -> set[str]:
        """All Patients of the person that this one stands for."""
        async with self.world.database.unit(self.world.tenant) as unit:
            found = await Persons(unit).find([patient])
        own = found.records[patient].person
        return {one.patient for one in found.records.values() if one.person == own}

    async def pair(self, one: str, other: str) -> Pair | None:
        async with self.world.database.unit(self.world.tenant) as unit:
            return (await Persons(unit).find([one])).pairs.get(pair_key(one, other))

    async def decide(self, one: str, other: str, same: bool) -> Pair:
        async with self.world.database.unit(self.world.tenant) as unit:
            return await decide(Persons(unit), one, other, same, "clerk-7")

    async def work(self) -> list[tuple[str, str]]:
        facts = [fact for fact in await self.world.facts() if fact.type.startswith("work.")]
        return [(fact.type, getattr(fact.body, "outcome", "")) for fact in facts]


@pytest.fixture
async def people(world: World) -> AsyncIterator[People]:
    yield People(world)


ME = person("me")
SAME = person("twice", identifier=numbered((FEED_B, "77")))
DOUBTFUL = person("doubtful", identifier=numbered((FEED_B, "78")), telecom=None, address=None)


async def test_the_same_person_from_two_feeds_is_linked_and_stays_two_records(people: People) -> None:
    assert await people.put(ME, SAME) == []
    assert await people.person("me") == await people.person("twice") == {"me", "twice"}
    pair = await people.pair("me", "twice")
    assert pair is not None and (pair.state, pair.decided_by) == ("linked", "")
    assert {"birth-same", "family-same"} <= set(pair.fired)
    for one in (ME, SAME):
        stored = (await people.world.send("GET", f"/Patient/{one['id']}")).json()
        assert stored.pop("meta") and stored == one


async def test_nobody_alike_is_nobody(people: People) -> None:
    assert await people.put(ME, person("x", name=named("Otherwise", "Anders"), birthDate="1951-02-03")) == []
    assert await people.person("me") == {"me"}
    assert await people.world.count("person_pair") == 0


async def test_in_one_transaction_too(people: People) -> None:
    assert (await people.world.post(ME, SAME, DOUBTFUL)).status_code == 200
    assert await people.person("me") == {"me", "twice"}
    assert [fact.type for fact in await people.world.facts()] == ["work.opened"]  # one question, not one for each


async def test_another_tenants_patients_are_nobodys(people: People) -> None:
    await people.put(ME)
    answer = await people.world.send("PUT", "/Patient/twice", SAME, "stranger")
    assert answer.status_code == 201
    assert await people.person("me") == {"me"}


async def test_a_doubtful_pair_is_a_task_once(people: People) -> None:
    (opened,) = await people.put(ME, DOUBTFUL)
    assert (opened.type, opened.body.kind, opened.body.owner) == ("work.opened", "duplicate-patient", "front-desk")
    task = read(opened.body.task)
    assert {task["focus"]["reference"], task["for"]["reference"]} == {"Patient/me", "Patient/doubtful"}
    assert "Example" not in opened.body.task.decode() and "1980" not in opened.body.task.decode()
    assert await people.person("me") == {"me"}
    again = DOUBTFUL | {"maritalStatus": {"text": "x"}}
    renamed = again | {"name": named("Example-Moss", "Quillon", "Terrance")}
    assert await people.put(again, renamed, renamed) == []


async def test_a_question_ends_when_it_is_answered_by_what_is_told(people: People) -> None:
    (opened,) = await people.put(ME, DOUBTFUL)
    (closed,) = await people.put(DOUBTFUL | {"telecom": ME["telecom"]})
    assert (closed.body.work_id, closed.body.outcome) == (opened.body.work_id, "resolved")
    assert await people.person("me") == {"me", "doubtful"}
    (again,) = await people.put(DOUBTFUL)  # the phone was wrong: no link without it, and the same question
    assert (again.type, again.body.work_id) == ("work.opened", opened.body.work_id)
    assert await people.person("me") == {"me"}
    (closed,) = await people.put(DOUBTFUL | {"birthDate": "1931-01-09", "name": named("Otherwise", "Anders")})
    assert (closed.type, closed.body.outcome) == ("work.closed", "cancelled")


async def test_decided_different_is_not_asked_again_unless_more_speaks_for_it(people: People) -> None:
    (opened,) = await people.put(ME, DOUBTFUL)
    await people.decide("me", "doubtful", False)
    assert await people.work() == [("work.closed", "resolved")]
    assert await people.put(DOUBTFUL | {"maritalStatus": {"text": "x"}}, ME | {"active": True}) == []
    married = DOUBTFUL | {"name": named("Example-Mosz", "Quillon")}
    assert await people.put(married, DOUBTFUL) == []  # less speaks for it, then as much
    (again,) = await people.put(DOUBTFUL | {"telecom": ME["telecom"]})
    assert (again.type, again.body.work_id) == ("work.opened", opened.body.work_id)
    assert await people.person("me") == {"me"}  # more, but a person's word is taken back by a person


async def test_decided_the_same_stays_so_whatever_comes(people: People) -> None:
    await people.put(ME, DOUBTFUL)
    assert (await people.decide("doubtful", "me", True)).state == "same"
    assert await people.work() == [("work.closed", "resolved")]
    assert await people.put(DOUBTFUL | {"birthDate": "1931-01-09", "gender": "female"}) == []
    assert await people.person("me") == {"me", "doubtful"}
    await people.decide("me", "doubtful", False)
    assert await people.person("me") == {"me"}


async def test_a_link_that_turns_out_wrong_can_be_taken_apart_through_others(people: People) -> None:
    third = person("third", identifier=numbered((FEED_B + "/c", "1")))
    await people.put(ME, SAME, third)
    assert await people.person("third") == {"me", "twice", "third"}
    await people.decide("third", "me", False)
    assert "third" not in await people.person("me")
    before = await people.person("me")
    unreachable = person("third", identifier=third["identifier"], telecom=None)
    await people.put(third | {"active": True}, unreachable, third)
    assert await people.person("me") == before
    await people.decide("third", "me", True)
    assert "third" in await people.person("me")


async def test_two_persons_are_not_joined_by_a_third_record_when_told_apart(people: People) -> None:
    await people.put(ME, DOUBTFUL)
    await people.decide("me", "doubtful", False)
    await people.work()
    both = person("both", identifier=numbered((FEED_B + "/c", "1")), address=None)
    work = await people.put(both)
    assert await people.person("both") == {"both", "me"}
    assert [fact.type for fact in work] in ([], ["work.opened"])
    with pytest.raises(Refused, match="patients-told-apart"):
        await people.decide("both", "doubtful", True)


async def test_twins_stay_two_also_by_way_of_a_record_that_is_like_both(people: People) -> None:
    twin = person(
        "twin", name=named("Example-Moss", "Anders"), identifier=numbered((FEED_B, "1"), (SSN, "521-04-1235"))
    )
    me = ME | {"identifier": [*ME["identifier"], *numbered((SSN, "521-04-1234"))]}
    assert await people.put(me, twin) == []
    mixed = {"resourceType": "Patient", "id": "mixed", "identifier": numbered((SSN, "521-04-1234"), (FEED_B, "1"))}
    (opened,) = await people.put(mixed)
    assert opened.body.kind == "duplicate-patient"
    assert "twin" not in await people.person("me")


async def test_the_number_of_a_policy_counts_as_a_household_does(people: People) -> None:
    bare: dict[str, Any] = {"telecom": None, "address": None}
    await people.world.post(PAYER)
    twice = person("twice", identifier=SAME["identifier"], **bare)
    (opened,) = await people.put(person("me", **bare), twice)
    assert opened.body.reason == "likeness"
    await people.put(coverage("c1", "me"))
    (closed,) = await people.put(coverage("c2", "twice", "syn 777"))
    assert (closed.type, closed.body.outcome) == ("work.closed", "resolved")
    assert await people.person("me") == {"me", "twice"}
    (opened,) = await people.put(coverage("c2", "twice", "SYN-778"))
    assert await people.person("me") == {"me"}
    assert (await people.world.send("DELETE", "/Coverage/c1")).status_code == 204
    await people.put(coverage("c2", "twice"))
    assert await people.person("me") == {"me"}


async def test_a_deleted_patient_is_nobody_and_its_question_ends(people: People) -> None:
    await people.put(ME, DOUBTFUL, SAME)
    assert (await people.world.send("DELETE", "/Patient/me")).status_code == 204
    await people.world.facts()
    async with people.world.database.unit(people.world.tenant) as unit:
        assert "me" not in (await Persons(unit).find(["me", "twice"])).records
    await people.put(ME)
    assert "twice" in await people.person("me")


async def test_who_is_not_there_cannot_be_decided_about(people: People) -> None:
    await people.put(ME)
    for other in ("absent", "me"):
        with pytest.raises(Refused, match="patient-not-found"):
            await people.decide("me", other, True)


async def test_of_many_that_come_at_once_all_find_each_other(people: People) -> None:
    many = [person(f"m{number}", identifier=numbered((f"https://f{number}.example", "1"))) for number in range(8)]
    answers = await asyncio.gather(*(people.world.send("PUT", f"/Patient/{one['id']}", one) for one in many))
    assert {answer.status_code for answer in answers} == {201}
    assert await people.person("m0") == {one["id"] for one in many}


async def test_a_visit_is_covered_by_what_another_feed_knows_of_the_person(people: People) -> None:
    await people.world.post(CLINIC, PAYER, ME, SAME, coverage("c1", "twice"))
    fact = await _finished(people.world, "me")
    kinds = [entry["resource"]["resourceType"] for entry in json.loads(fact.body.facts.snapshot)["entry"]]
    assert kinds.count("Coverage") == 1 and kinds.count("Patient") == 1
    assert b'"payer"' in fact.body.facts.snapshot


async def test_a_patients_own_coverage_goes_before_and_strangers_lend_none(people: People) -> None:
    stranger = person("x", name=named("Otherwise", "Anders"), birthDate="1951-02-03", telecom=None, address=None)
    await people.world.post(CLINIC, PAYER, ME, SAME, stranger, coverage("c1", "twice"), coverage("own", "me", "SYN-1"))
    for patient, expected in (("me", ["own"]), ("x", [])):
        fact = await _finished(people.world, patient)
        entries = [entry["resource"] for entry in json.loads(fact.body.facts.snapshot)["entry"]]
        assert [one["id"] for one in entries if one["resourceType"] == "Coverage"] == expected


async def _finished(world: World, patient: str) -> Any:
    """What the line is told of a visit of this Patient."""
    visit = encounter(id=f"e-{patient}", subject={"reference": f"Patient/{patient}"})
    visit["identifier"] = [{"system": "https://ehr.example/visit", "value": patient}]
    del visit["participant"], visit["location"]
    await world.facts()
    assert (await world.send("PUT", f"/Encounter/{visit['id']}", visit)).status_code == 201
    return next(fact for fact in await world.facts() if fact.type == "encounter.finished")


async def test_patients_who_were_there_before_are_taken_in_behind_the_scenes(people: People) -> None:
    await people.world.post(PAYER, ME, SAME, coverage("c1", "me"))
    async with people.world.database.unit(people.world.tenant) as unit:
        for table in ("person_pair", "person_key", "person_record"):
            await unit.conn.execute(f"delete from {table}")
        timer = Timer(people.world.tenant, "persons.identify", "patient", people.world.clock.now(), b"", "", "", 0)
        await identify_stored(unit, timer, None)
    assert await people.person("me") == {"me", "twice"}
    async with people.world.database.unit(people.world.tenant) as unit:
        rows = await unit.conn.fetch("select kind from person_key where patient = 'me'")
        assert "member" in {row["kind"] for row in rows}
        await unit.conn.execute("delete from timer")
        await identify_stored(unit, timer, None)
        assert await unit.conn.fetchval("select count(*) from timer") == 0  # nobody waits any more
