"""Merges of Patients: any of them, in any order, can be taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from copy import deepcopy
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from interface_engine.handlers.merging import apply_merges, merges_of, undo_merge
from interface_engine.model import Client
from interface_engine.model_persons import Merge
from kernel.errors import Refused
from persons_ledger import Ledger

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
