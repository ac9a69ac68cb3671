"""The gRPC door to persons, with the engine's database behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from chassis.call import TENANT
from engine_world import World
from interface_engine.entry_grpc_persons import PersonServicer
from kernel.errors import Refused, Unreadable
from persons_people import FEED_B, coverage, named, numbered, person
from rcm.engine.v1 import persons_pb2 as pb

DOUBTFUL = person("doubtful", identifier=numbered((FEED_B, "78")), telecom=None, address=None)
OLD = person("old", name=named("Otherwise", "Anders"), birthDate="1951-02-03", telecom=None, address=None)


@dataclass(frozen=True)
class Context:
    """The caller's metadata."""

    tenant: str

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ((TENANT, self.tenant),)


async def put(world: World, *resources: dict[str, Any]) -> None:
    for one in resources:
        answer = await world.send("PUT", f"/{one['resourceType']}/{one['id']}", one)
        assert answer.status_code in (200, 201), answer.text


async def test_a_review_is_shown_and_decided(world: World) -> None:
    servicer, context = PersonServicer(world.database), Context(world.tenant)
    await put(world, person("me"), DOUBTFUL)
    (pair,) = (await servicer.ListReviews(pb.ListReviewsRequest(), context)).pairs
    assert {pair.first, pair.second, pair.state} == {"me", "doubtful", "review"}
    assert pair.score > 20 and "birth-same" in pair.fired
    assert not (await servicer.ListReviews(pb.ListReviewsRequest(), Context("another"))).pairs
    request = pb.DecidePairRequest(first="Patient/me", second="doubtful", same=True, by="clerk-7")
    assert (await servicer.DecidePair(request, context)).pair.decided_by == "clerk-7"
    assert not (await servicer.ListReviews(pb.ListReviewsRequest(), context)).pairs
    shown = await servicer.GetPerson(pb.GetPersonRequest(patient="me"), context)
    assert [one.id for one in shown.patients] == ["doubtful", "me"]
    assert b"Quillon" in shown.patients[0].patient and shown.pairs[0].state == "same"
    request.same = False
    await servicer.DecidePair(request, context)
    assert len((await servicer.GetPerson(pb.GetPersonRequest(patient="me"), context)).patients) == 1


async def test_a_merge_is_listed_and_undone(world: World) -> None:
    servicer, context = PersonServicer(world.database), Context(world.tenant)
    payer = {"resourceType": "Organization", "id": "payer", "name": "Synthetic Payer A"}
    link = [{"other": {"reference": "Patient/me"}, "type": "replaced-by"}]
    await put(world, payer, person("me"), OLD, coverage("c", "old"), OLD | {"link": link})
    (merge,) = (await servicer.ListMerges(pb.ListMergesRequest(patient="old"), context)).merges
    assert (merge.prior, merge.survivor, merge.merged_by, merge.changes) == ("old", "me", "default", 4)
    assert not (await servicer.ListMerges(pb.ListMergesRequest(patient="other"), context)).merges
    with pytest.raises(Refused, match="patient-merged"):
        await servicer.DecidePair(pb.DecidePairRequest(first="me", second="old", by="clerk-7"), context)
    undone = await servicer.UndoMerge(pb.UndoMergeRequest(id=merge.id, by="clerk-7"), context)
    assert (undone.restored, undone.merge.undone_by) == (3, "clerk-7")
    assert not (await servicer.ListMerges(pb.ListMergesRequest(), context)).merges
    assert len((await servicer.ListMerges(pb.ListMergesRequest(undone=True), context)).merges) == 1
    shown = await servicer.GetPerson(pb.GetPersonRequest(patient="me"), context)
    assert [one.id for one in shown.patients] == ["me"]


async def test_what_names_nobody_is_refused(world: World) -> None:
    servicer, context = PersonServicer(world.database), Context(world.tenant)
    with pytest.raises(Refused, match="patient-not-found"):
        await servicer.GetPerson(pb.GetPersonRequest(patient="absent"), context)
    with pytest.raises(Unreadable):
        await servicer.GetPerson(pb.GetPersonRequest(patient="a b"), context)
    with pytest.raises(Unreadable):
        await servicer.DecidePair(pb.DecidePairRequest(first="a", second="b", same=True), context)
    with pytest.raises(Refused, match="merge-not-found"):
        await servicer.UndoMerge(pb.UndoMergeRequest(id="absent", by="clerk-7"), context)
