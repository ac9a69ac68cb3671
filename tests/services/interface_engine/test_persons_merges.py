"""Merges of Patients: what refers to the one goes to the other, and every change can be taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from copy import deepcopy
from typing import Any, TypeVar

import hl7v2
import pytest
from engine_world import World
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from interface_engine.entry_persons import keep_persons
from interface_engine.handlers.channels import arrivals_of
from interface_engine.handlers.intake import keep_arrivals
from interface_engine.handlers.merging import apply_merges, merges_of, undo_merge
from interface_engine.handlers.persons import rejoin
from interface_engine.model import Client
from interface_engine.model_persons import Merge
from interface_engine.store import Repository
from interface_engine.store.channels import Known
from interface_engine.store.merges import Merges
from interface_engine.store.persons import Persons
from interface_engine.wire.hl7 import Mapped, map_message
from kernel.errors import Refused
from kernel.identifiers import uuid7
from message_feed import feed
from persons_ledger import NOW, Ledger
from persons_people import coverage, named, numbered, person

T = TypeVar("T")
CLIENT = Client("tester", "", "default")
NAMES = ("a", "b", "c", "d")
Resource = dict[str, Any]


def run(what: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(what)


def into(patient: Resource, survivor: str) -> Resource:
    """The Patient as its source tells that it was replaced."""
    link = {"other": {"reference": f"Patient/{survivor}"}, "type": "replaced-by"}
    return patient | {"active": False, "link": [*patient.get("link", []), link]}


def start() -> list[Resource]:
    patients = [
        {"resourceType": "Patient", "id": "a", "active": True},
        {"resourceType": "Patient", "id": "b"},
        {"resourceType": "Patient", "id": "c", "active": False},
        {"resourceType": "Patient", "id": "d", "link": [{"other": {"reference": "Patient/a"}, "type": "seealso"}]},
    ]
    visits = [
        {
            "resourceType": "Encounter",
            "id": f"e-{one}",
            "status": "finished",
            "subject": {"reference": f"Patient/{one}"},
        }
        for one in NAMES
    ]
    group: Resource = {
        "resourceType": "Group", "id": "g", "type": "person", "actual": True,
        "member": [{"entity": {"reference": f"Patient/{one}"}} for one in NAMES],
    }  # fmt: skip
    claim = {"resourceType": "Claim", "id": "k", "patient": {"reference": "Patient/a"}}
    return [*patients, *visits, group, claim]


def opened() -> Ledger:
    ledger = Ledger()
    for resource in start():
        ledger.tell(resource)
    return ledger


def tell_merge(ledger: Ledger, prior: str, survivor: str) -> None:
    """Sends the prior Patient; what is refused leaves nothing, as a transaction would."""
    before = deepcopy(ledger.versions)
    try:
        draft = ledger.tell(into(ledger.state()[f"Patient/{prior}"], survivor))
        run(apply_merges(ledger, ledger, [draft], CLIENT))
    except Refused:
        ledger.versions = before
        raise


def undo(ledger: Ledger, merge: Merge) -> None:
    run(undo_merge(ledger, ledger, merge.id, CLIENT))


def standing(ledger: Ledger) -> list[Merge]:
    return [merge for merge in ledger.merges.values() if merge.undone_at is None]


def subjects(ledger: Ledger) -> dict[str, str]:
    state = ledger.state()
    return {one: state[f"Encounter/e-{one}"]["subject"]["reference"].removeprefix("Patient/") for one in NAMES}


def test_what_referred_to_the_one_refers_to_the_other_and_back() -> None:
    ledger = opened()
    first = deepcopy(ledger.state())
    tell_merge(ledger, "a", "b")
    state = ledger.state()
    assert subjects(ledger) == {"a": "b", "b": "b", "c": "c", "d": "d"}
    assert [one["entity"]["reference"][-1] for one in state["Group/g"]["member"]] == ["b", "b", "c", "d"]
    assert state["Patient/b"]["link"] == [{"other": {"reference": "Patient/a"}, "type": "replaces"}]
    assert state["Patient/a"]["active"] is False and len(state["Patient/a"]["link"]) == 1
    assert state["Claim/k"]["patient"]["reference"] == "Patient/a"  # says what was claimed then
    assert state["Patient/d"]["link"][0]["other"]["reference"] == "Patient/a"
    undo(ledger, standing(ledger)[0])
    assert ledger.state() == first
    assert ledger.marked == {("a", "b"): False}


def test_merged_twice_is_merged_once_and_undone_twice_is_undone() -> None:
    ledger = opened()
    tell_merge(ledger, "a", "b")
    merged = deepcopy(ledger.state())
    run(apply_merges(ledger, ledger, [ledger.tell(ledger.state()["Patient/a"])], CLIENT))
    assert ledger.state() == merged and len(ledger.merges) == 1
    (merge,) = standing(ledger)
    undo(ledger, merge)
    versions = deepcopy(ledger.versions)
    undo(ledger, merge)
    assert ledger.versions == versions


@pytest.mark.parametrize("circle", [("b", "a"), ("c", "a"), ("a", "a")])
def test_a_circle_is_refused(circle: tuple[str, str]) -> None:
    ledger = opened()
    tell_merge(ledger, "a", "b")
    tell_merge(ledger, "b", "c")
    before = deepcopy(ledger.versions)
    with pytest.raises(Refused, match="merge-circle"):
        tell_merge(ledger, *circle)
    assert ledger.versions == before


def test_into_one_that_was_merged_means_into_whom_that_stands_for() -> None:
    ledger = opened()
    first = deepcopy(ledger.state())
    tell_merge(ledger, "a", "b")
    tell_merge(ledger, "c", "a")
    assert subjects(ledger) == {"a": "b", "b": "b", "c": "b", "d": "d"}
    assert {merge.survivor for merge in standing(ledger)} == {"b"}
    for merge in standing(ledger):  # neither hangs on the other
        undo(ledger, merge)
    assert ledger.state() == first


def test_who_was_merged_is_not_merged_elsewhere() -> None:
    ledger = opened()
    tell_merge(ledger, "a", "b")
    with pytest.raises(Refused, match="patient-merged-already"):
        tell_merge(ledger, "a", "d")
    tell_merge(ledger, "b", "d")
    tell_merge(ledger, "a", "d")  # it is, by way of b
    assert len(ledger.merges) == 2


def test_the_later_merge_is_undone_first() -> None:
    ledger = opened()
    first = deepcopy(ledger.state())
    tell_merge(ledger, "a", "b")
    tell_merge(ledger, "b", "c")
    early, late = ledger.merges.values()
    with pytest.raises(Refused, match="merge-undo-order"):
        undo(ledger, early)
    assert subjects(ledger)["a"] == "c"
    undo(ledger, late)
    assert subjects(ledger) == {"a": "b", "b": "b", "c": "c", "d": "d"}
    undo(ledger, early)
    assert ledger.state() == first
    with pytest.raises(Refused, match="merge-not-found"):
        run(undo_merge(ledger, ledger, "none", CLIENT))


def test_what_changed_since_keeps_its_change_and_gets_its_patient_back() -> None:
    ledger = opened()
    tell_merge(ledger, "a", "b")
    state = ledger.state()
    ledger.tell(state["Encounter/e-a"] | {"status": "cancelled"})
    ledger.tell(state["Encounter/e-b"] | {"subject": {"reference": "Patient/d"}})
    ledger.tell(state["Patient/a"] | {"gender": "female"})
    members = state["Group/g"]["member"]
    ledger.tell(state["Group/g"] | {"member": [{"entity": {"reference": "Practitioner/x"}}, *members]})
    undo(ledger, standing(ledger)[0])
    state = ledger.state()
    assert (state["Encounter/e-a"]["status"], subjects(ledger)["a"]) == ("cancelled", "a")
    assert subjects(ledger)["b"] == "d"
    assert (state["Patient/a"]["gender"], state["Patient/a"]["active"], "link" in state["Patient/a"]) == (
        "female",
        True,
        False,
    )
    assert sorted(one["entity"]["reference"][-1] for one in state["Group/g"]["member"]) == ["a", "b", "c", "d", "x"]


def test_what_was_sent_since_to_the_other_patient_stays_there() -> None:
    ledger = opened()
    tell_merge(ledger, "a", "b")
    new = {"resourceType": "Encounter", "id": "new", "status": "finished", "subject": {"reference": "Patient/b"}}
    ledger.tell(new)
    undo(ledger, standing(ledger)[0])
    assert ledger.state()["Encounter/new"] == new


def test_a_source_that_tells_only_of_the_last_merge_does_not_undo_the_earlier() -> None:
    ledger = opened()
    tell_merge(ledger, "a", "b")
    link = {"other": {"reference": "Patient/d"}, "type": "replaces"}
    run(apply_merges(ledger, ledger, [ledger.tell(ledger.state()["Patient/b"] | {"link": [link]})], CLIENT))
    assert {prior for prior, _ in merges_of("b", ledger.state()["Patient/b"])} == {"a", "d"}
    assert subjects(ledger) == {"a": "b", "b": "b", "c": "c", "d": "b"}


class Merging(RuleBasedStateMachine):
    """Any merges, in any order, with what sources tell in between; all of them undone, all is as it was."""

    @initialize()
    def begin(self) -> None:
        self.ledger = opened()
        self.first = deepcopy(self.ledger.state())

    @rule(prior=st.sampled_from(NAMES), survivor=st.sampled_from(NAMES))
    def merge(self, prior: str, survivor: str) -> None:
        try:
            tell_merge(self.ledger, prior, survivor)
        except Refused as error:
            assert error.code in ("merge-circle", "patient-merged-already")

    @rule(prior=st.sampled_from(NAMES), survivor=st.sampled_from(NAMES))
    def merge_from_the_other_side(self, prior: str, survivor: str) -> None:
        before = deepcopy(self.ledger.versions)
        kept = self.ledger.state()[f"Patient/{survivor}"]
        link = {"other": {"reference": f"Patient/{prior}"}, "type": "replaces"}
        try:
            draft = self.ledger.tell(kept | {"link": [*kept.get("link", []), link]})
            run(apply_merges(self.ledger, self.ledger, [draft], CLIENT))
        except Refused as error:
            self.ledger.versions = before
            assert error.code in ("merge-circle", "patient-merged-already")

    @precondition(lambda self: self.ledger.merges)
    @rule(data=st.data())
    def undo_one(self, data: st.DataObject) -> None:
        merge = data.draw(st.sampled_from(list(self.ledger.merges.values())))
        try:
            undo(self.ledger, merge)
        except Refused as error:
            assert error.code == "merge-undo-order"

    @invariant()
    def whoever_was_merged_has_nothing(self) -> None:
        priors = {merge.prior for merge in standing(self.ledger)}
        assert not priors & set(subjects(self.ledger).values())
        assert sorted(subjects(self.ledger)) == list(NAMES)

    def teardown(self) -> None:
        while merges := standing(self.ledger):
            undo(self.ledger, next(one for one in merges if one.survivor not in {other.prior for other in merges}))
        assert self.ledger.state() == self.first


Merging.TestCase.settings = settings(max_examples=120, stateful_step_count=14, deadline=None)
TestMerging = Merging.TestCase


# Over a real database


async def put(world: World, *resources: Resource) -> None:
    for one in resources:
        answer = await world.send("PUT", f"/{one['resourceType']}/{one['id']}", one)
        assert answer.status_code in (200, 201), answer.text


async def stored(world: World, reference: str) -> Resource:
    found: Resource = (await world.send("GET", f"/{reference}")).json()
    found.pop("meta", None)
    return found


async def persons(world: World, patient: str) -> set[str]:
    async with world.database.unit(world.tenant) as unit:
        found = await Persons(unit).find([patient])
    return {one.patient for one in found.records.values() if one.person == found.records[patient].person}


async def take_back(world: World) -> None:
    async with world.database.unit(world.tenant) as unit:
        (merge,) = await Merges(unit).merges()
        await undo_merge(Merges(unit), Repository(unit), merge.id, CLIENT)
        await rejoin(Persons(unit), [merge.prior, merge.survivor])


OLD = person("old", name=named("Otherwise", "Anders"), birthDate="1951-02-03", telecom=None, address=None)
PAYER = {"resourceType": "Organization", "id": "payer", "name": "Synthetic Payer A"}


async def test_a_patient_replaced_by_fhir_is_merged_and_comes_back(world: World) -> None:
    await put(world, PAYER, person("new"), OLD, coverage("c", "old"))
    answer = await world.send("PUT", "/Patient/old", into(OLD, "new"))
    assert answer.status_code == 200
    assert answer.headers["ETag"] == 'W/"2"'
    assert (await stored(world, "Coverage/c"))["beneficiary"]["reference"] == "Patient/new"
    assert merges_of("new", await stored(world, "Patient/new")) == [("old", "new")]
    found = (await world.send("GET", "/Coverage?beneficiary=Patient/new")).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["c"]
    assert await persons(world, "old") == {"old", "new"}
    await take_back(world)
    assert await stored(world, "Coverage/c") == coverage("c", "old")
    assert await stored(world, "Patient/old") == OLD and await stored(world, "Patient/new") == person("new")
    assert await persons(world, "old") == {"old"}


async def test_an_answer_carries_the_version_that_the_merge_made(world: World) -> None:
    await put(world, person("new"), OLD)
    link = into(OLD, "new")["link"]
    answer = await world.send("PUT", "/Patient/old", OLD | {"link": link})  # still called active by its sender
    assert (await stored(world, "Patient/old"))["active"] is False
    assert answer.headers["ETag"] == (await world.send("GET", "/Patient/old")).headers["ETag"] == 'W/"3"'


async def test_a_circle_leaves_nothing(world: World) -> None:
    await put(world, person("new"), OLD, into(OLD, "new"))
    answer = await world.send("PUT", "/Patient/new", into(person("new"), "old"))
    assert answer.status_code == 409
    assert merges_of("new", await stored(world, "Patient/new")) == [("old", "new")]


async def test_what_is_merged_is_not_asked_about_and_after_the_undoing_is_two_again(world: World) -> None:
    doubtful = person("old", telecom=None, address=None, identifier=numbered(("https://b.example", "1")))
    await put(world, person("new"), doubtful)
    (opened_work,) = [fact for fact in await world.facts() if fact.type == "work.opened"]
    await put(world, into(doubtful, "new"))
    (closed,) = [fact for fact in await world.facts() if fact.type == "work.closed"]
    assert closed.body.work_id == opened_work.body.work_id
    await put(world, into(doubtful, "new") | {"gender": "female"})
    assert [fact for fact in await world.facts() if fact.type.startswith("work.")] == []
    await take_back(world)
    assert await persons(world, "old") == {"old"}


def a40(mrn: str, prior: str, control: str) -> Mapped:
    text = (
        f"MSH|^~\\&|EHR|CLINIC|RCM|HUB|20260320120000||ADT^A40^ADT_A39|{control}|P|2.5.1\rEVN|A40|20260320120000\r"
        f"PID|1||{mrn}^^^CLINIC^MR||EXAMPLE^QUILLON||19800516|M\rMRG|{prior}^^^CLINIC^MR\r"
    )
    mapped = map_message(feed(), hl7v2.read(text.encode()), NOW)
    assert isinstance(mapped, Mapped)
    return mapped


async def take_in(world: World, mapped: Mapped) -> None:
    """As a feed's message is kept."""
    client = Client("feed", world.tenant, "clinic")
    async with world.database.unit(world.tenant) as unit:
        arrivals = await arrivals_of(Known(unit), mapped, uuid7)
        kept = await keep_arrivals(Repository(unit), client, arrivals, uuid7)
        await keep_persons(unit, client, kept)


async def test_a40_merges_repeatedly_and_is_undone(world: World) -> None:
    for control, prior in enumerate(("P1", "P2", "P1"), 1):
        await take_in(world, a40("S", prior, str(control)))
    async with world.database.unit(world.tenant) as unit:
        merges = await Merges(unit).merges()
    assert len(merges) == 2 and len({one.survivor for one in merges}) == 1
    survivor = merges[0].survivor
    assert {prior for prior, _ in merges_of(survivor, await stored(world, f"Patient/{survivor}"))} == {
        one.prior for one in merges
    }
    assert await persons(world, survivor) == {survivor, *(one.prior for one in merges)}
    assert [fact for fact in await world.facts() if fact.type.startswith("work.")] == []
    for merge in merges:
        async with world.database.unit(world.tenant) as unit:
            await undo_merge(Merges(unit), Repository(unit), merge.id, CLIENT)
            await rejoin(Persons(unit), [merge.prior, merge.survivor])
    prior = await stored(world, f"Patient/{merges[0].prior}")
    assert "link" not in prior and "active" not in prior
    assert await persons(world, survivor) == {survivor}


async def test_two_merges_at_once_make_no_circle(world: World) -> None:
    await put(world, person("new"), OLD)
    answers = await asyncio.gather(
        world.send("PUT", "/Patient/old", into(OLD, "new")),
        world.send("PUT", "/Patient/new", into(person("new"), "old")),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
