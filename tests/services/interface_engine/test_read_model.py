"""What the services produce is kept from their facts, read by the same door, and never older over newer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bus import Event
from bus.flow import FLOW, flow_of
from engine_world import NOW, World
from fhir_r4 import write
from google.protobuf.message import Message
from interface_engine.entry_events import keep_produced, subscriptions
from interface_engine.entry_grpc import EngineServicer
from kernel.errors import Refused, Unreadable
from rcm.charge.v1.charge_pb2 import ChargesCaptured
from rcm.claims.v1.claims_pb2 import ClaimChanged
from rcm.eligibility.v1.eligibility_pb2 import CoverageVerified
from rcm.engine.v1.engine_pb2 import CountResourcesRequest, GetResourceRequest
from rcm.remittance.v1.remittance_pb2 import PaymentPosted
from rcm.work.v1.work_pb2 import WorkOpened


async def hear(world: World, type: str, body: Message, after_s: int = 0) -> None:
    """The fact, `after_s` seconds after NOW, as the bus hands it over."""
    at = NOW + timedelta(seconds=after_s)
    event = Event(f"{type}-{after_s}", type, world.tenant, "a" * 32, "Encounter/e1", 1, at, "", body)
    async with world.database.unit(world.tenant, event) as unit:
        await keep_produced(unit, event, None)


def claim(status: str = "active", patient: str = "p1", **more: Any) -> bytes:
    named = {"identifier": [{"system": "urn:control", "value": "C1"}], "patient": {"reference": f"Patient/{patient}"}}
    return write({"resourceType": "Claim", "id": "k1", "status": status} | named | more)


async def test_a_claim_is_read_and_found_as_it_was_told_last(world: World) -> None:
    await hear(world, "claim.built", ClaimChanged(claim_json=claim("draft", "p0")))
    await hear(world, "claim.submitted", ClaimChanged(claim_json=claim()), after_s=2)
    answer = await world.send("GET", "/Claim/k1")
    assert (answer.json()["status"], answer.headers["etag"]) == ("active", 'W/"2"')
    assert (await world.send("GET", "/Claim?patient=p1&status=active&identifier=urn:control|C1")).json()["total"] == 1
    assert (await world.send("GET", "/Claim?patient=p0")).json()["total"] == 0
    assert (await world.send("GET", "/Claim/k1/_history/1")).json()["status"] == "draft"


async def test_an_older_fact_never_overwrites_a_newer_one(world: World) -> None:
    await hear(world, "claim.submitted", ClaimChanged(claim_json=claim()), after_s=2)
    await hear(world, "claim.built", ClaimChanged(claim_json=claim("draft", "p0")), after_s=1)
    answer = await world.send("GET", "/Claim/k1")
    assert (answer.json()["status"], answer.headers["etag"]) == ("active", 'W/"1"')
    assert (await world.send("GET", "/Claim?patient=p0")).json()["total"] == 0
    await hear(world, "claim.rejected", ClaimChanged(claim_json=claim("cancelled")), after_s=2)
    assert (await world.send("GET", "/Claim/k1")).json()["status"] == "cancelled"


async def test_facts_that_carry_several_resources_or_none(world: World) -> None:
    items = [write({"resourceType": "ChargeItem", "id": f"x{number}", "status": "billable"}) for number in range(3)]
    await hear(world, "charges.captured", ChargesCaptured(charge_items=items))
    await hear(world, "coverage.verified", CoverageVerified())
    response = write({"resourceType": "ClaimResponse", "id": "y1", "status": "active"})
    explanation = write({"resourceType": "ExplanationOfBenefit", "id": "z1", "status": "active"})
    posted = PaymentPosted(claim_response_json=response, explanation_json=explanation)
    await hear(world, "payment.posted", posted)
    await hear(
        world, "work.opened", WorkOpened(task=write({"resourceType": "Task", "id": "t1", "status": "requested"}))
    )
    assert await world.count("resource") == 6
    assert (await world.send("GET", "/Task?status=requested")).json()["total"] == 1
    assert await world.facts() == []


@pytest.mark.parametrize("wrong", [b"{", write({"resourceType": "Claim"}), b"[]"])
async def test_what_is_no_resource_goes_to_the_dead_letters(world: World, wrong: bytes) -> None:
    with pytest.raises(Unreadable):
        await hear(world, "claim.built", ClaimChanged(claim_json=wrong))
    assert await world.count("resource") == 0


def test_every_fact_that_carries_a_resource_is_heard() -> None:
    heard = {one.event for one in subscriptions()}
    assert all("interface-engine" in flow_of(event).heard_by() for event in heard)
    produced = {flow.event for flow in FLOW if flow.producer not in ("interface-engine", "prior-auth", "coding")}
    of_money_and_work = {"claim.denied", "claim.underpaid", "claim.appealed", "patient.paid"}
    assert produced - heard == {*of_money_and_work, "deposit.matched", "deposit.unmatched"}


class Context:
    """A gRPC context as far as the servicer asks."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return (("rcm-tenant", self._tenant),)


async def test_the_grpc_door_reads_and_counts_for_its_tenant_alone(world: World) -> None:
    await hear(world, "claim.built", ClaimChanged(claim_json=claim()))
    servicer = EngineServicer(world.database)
    found = await servicer.GetResource(GetResourceRequest(reference="Claim/k1"), Context(world.tenant))
    assert found.version == 1 and b'"versionId":"1"' in found.resource
    counts = await servicer.CountResources(CountResourcesRequest(), Context(world.tenant))
    assert dict(counts.by_type) == {"Claim": 1}
    for reference, error in (("Claim/none", Refused), ("Claim", Unreadable)):
        with pytest.raises(error):
            await servicer.GetResource(GetResourceRequest(reference=reference), Context(world.tenant))
    with pytest.raises(Refused):
        await servicer.GetResource(GetResourceRequest(reference="Claim/k1"), Context(f"{world.tenant}-other"))
