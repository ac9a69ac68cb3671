"""Claim/$submit over gRPC: two gateway processes on one database make one claim and one 837 of a hundred submits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from chassis import ask, open_channel
from fhir_r4 import read, validate
from gateway_world import resources
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from kernel.errors import Refused, Unreadable
from platform_fixture import Platform
from rcm.claims.v1 import claims_pb2
from rcm.claims.v1.claims_pb2_grpc import ClaimsServiceStub
from rcm.event.v1.envelope_pb2 import Envelope
from service_under_test import ServiceUnderTest, running_service
from submit_world import claim, item, request, running_others
from x12 import transaction_sets
from x12.views.claim import read_837p

TENANT = "claims-submit"
SERVED = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()


@dataclass
class Replicas:
    services: tuple[ServiceUnderTest, ServiceUnderTest]
    drop: Path

    async def submit(self, number: int, message: claims_pb2.SubmitFhirRequest) -> claims_pb2.SubmitFhirResponse:
        port = self.services[number % 2].grpc_port
        async with open_channel(f"127.0.0.1:{port}") as channel:
            stub = ClaimsServiceStub(channel)  # type: ignore[no-untyped-call]
            return await ask(stub.SubmitFhir, message, tenant=TENANT, deadline_s=30)

    def carried(self) -> list[str]:
        """CLM01 of every claim in every file that has left."""
        texts = [path.read_bytes() for path in sorted((self.drop / "in").glob("*.837"))]
        return [one.control_number for text in texts for ts in transaction_sets(text) for one in read_837p(ts)]

    async def facts(self, claim_id: str, until: str) -> list[str]:
        async with asyncio.timeout(30):
            while True:
                rows = await self.services[0].rows(
                    "select envelope from outbox where tenant = $1 order by position", TENANT
                )
                found = [Envelope.FromString(row["envelope"]) for row in rows]
                own = [each.type for each in found if claim_id.encode() in each.body]
                if until in own:
                    return own
                await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def replicas(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    first, second = (tmp_path_factory.mktemp(name) for name in ("gateway-1", "gateway-2"))
    drop = first / "drop"
    drop.mkdir()
    with running_others() as port:
        settings = {
            "RCM_CLEARINGHOUSE_URL": drop.as_uri(),
            "RCM_MAILBOXES": json.dumps({TENANT: "THROUGHLINE"}),
            "RCM_ADDRESS_ELIGIBILITY": f"127.0.0.1:{port}",
            "RCM_ADDRESS_PRIOR_AUTH": f"127.0.0.1:{port}",
        }
        with (
            running_service("claims-gateway", platform, first, **settings) as one,
            running_service("claims-gateway", platform, second, **settings) as other,
        ):
            yield Replicas((one, other), drop)


def sent(number: int, **changed: Any) -> dict[str, Any]:
    """A claim of its own patient, under its own identifier."""
    identifier = [{"system": "https://clinic.example/claims", "value": f"C-{number}"}]
    return claim(SERVED, identifier=identifier, patient={"reference": f"Patient/p{number}"}, **changed)


def record(number: int) -> dict[str, dict[str, Any]]:
    found = resources()
    found["Patient"] |= {"id": f"p{number}"}
    return found


async def test_a_hundred_at_once_over_two_replicas_are_one_claim_and_one_837(replicas: Replicas) -> None:
    message = request(sent(1), record(1))
    answers = await asyncio.gather(*(replicas.submit(number, message) for number in range(100)))
    assert len({answer.resource for answer in answers}) == 1
    response = read(answers[0].resource)
    assert validate(response) == []
    claim_id = response["request"]["reference"].removeprefix("Claim/")
    rows = await replicas.services[0].rows("select claim_id, control_number from claim where tenant = $1", TENANT)
    assert [row["claim_id"] for row in rows] == [claim_id]
    assert await replicas.facts(claim_id, "claim.submitted") == ["claim.built", "claim.submitted"]
    await asyncio.sleep(1)
    assert replicas.carried() == [rows[0]["control_number"]]
    again = await replicas.submit(1, message)
    assert again.resource == answers[0].resource


async def test_with_a_key_of_their_own_they_are_one_claim_too(replicas: Replicas) -> None:
    messages = [request(sent(2), record(2), idempotency_key=f"key-{number}") for number in range(40)]
    answers = await asyncio.gather(*(replicas.submit(number, each) for number, each in enumerate(messages)))
    references = {read(answer.resource)["request"]["reference"] for answer in answers}
    assert len(references) == 1


async def test_a_held_claim_is_an_answer_and_no_error(replicas: Replicas) -> None:
    lines = [item(1, "99213", "155.00", SERVED, locationCodeableConcept=None)]
    answer = await replicas.submit(0, request(sent(3, item=lines, total=None), record(3)))
    response = read(answer.resource)
    assert (answer.status, response["error"][0]["itemSequence"]) == ("error", 1)
    claim_id = response["request"]["reference"].removeprefix("Claim/")
    assert await replicas.facts(claim_id, "claim.held") == ["claim.built", "claim.held", "work.opened"]


async def test_a_refusal_tells_its_place_in_the_status(replicas: Replicas) -> None:
    wrong = request(sent(4, item=[item(1, "99213", "155.00", "2026-03")]), record(4))
    with pytest.raises(Unreadable) as unreadable:
        await replicas.submit(0, wrong)
    assert (unreadable.value.code, unreadable.value.path) == ("date-partial", "Claim.item[0].servicedDate")
    channel = open_channel(f"127.0.0.1:{replicas.services[0].grpc_port}")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        stub = ClaimsServiceStub(channel)  # type: ignore[no-untyped-call]
        await stub.SubmitFhir(wrong, timeout=10, metadata=[("rcm-tenant", TENANT)])
    await channel.close()
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    info = error_details_pb2.ErrorInfo()
    assert rpc_status.from_call(raised.value).details[0].Unpack(info)
    assert dict(info.metadata) == {"path": "Claim.item[0].servicedDate"}


async def test_a_second_claim_of_the_encounter_is_told_of_the_first(replicas: Replicas) -> None:
    visit = {"resourceType": "Encounter", "id": "e5", "status": "finished", "class": {"code": "AMB"}}
    found = record(5) | {"Encounter": visit}
    lines = [item(1, "99213", "155.00", SERVED, encounter=[{"reference": "Encounter/e5"}])]
    answer = await replicas.submit(0, request(sent(5, item=lines, total=None), found))
    first = read(answer.resource)["request"]["reference"].removeprefix("Claim/")
    other = [item(1, "99214", "195.00", SERVED, encounter=[{"reference": "Encounter/e5"}])]
    second = sent(6, item=other, total=None) | {"patient": {"reference": "Patient/p5"}}
    with pytest.raises(Refused) as refused:
        await replicas.submit(1, request(second, found))
    assert (refused.value.kind, first in refused.value.reason) == ("already_exists", True)


async def test_no_name_or_number_of_a_person_is_in_logs_or_spans(replicas: Replicas) -> None:
    marks = ("Canary-Yew", "TSTCANARY77", "1999-12-31", "19991231", "ISA*")
    found = record(7)
    found["Patient"] |= {"name": [{"family": marks[0]}], "birthDate": marks[2]}
    found["Coverage"] |= {"subscriberId": marks[1]}
    answer = await replicas.submit(0, request(sent(7), found))
    claim_id = read(answer.resource)["request"]["reference"].removeprefix("Claim/")
    await replicas.facts(claim_id, "claim.submitted")
    with pytest.raises(Unreadable):
        await replicas.submit(1, request(sent(8, created=marks[0]), found))
    written = "".join(service.written() for service in replicas.services)
    assert [mark for mark in marks if mark in written] == []
