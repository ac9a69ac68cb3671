"""The whole service as a process: a fact in, a file at the clearinghouse, its answer back, and traces that say so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from chassis import ask, open_channel
from fhir_r4 import read, validate
from gateway_world import BILLING, LAB, answer, charges, record_of, service_line
from kernel.errors import Refused
from platform_fixture import Platform
from rcm.claims.v1 import claims_pb2
from rcm.claims.v1.claims_pb2_grpc import ClaimsServiceStub
from rcm.eligibility.v1 import eligibility_pb2
from rcm.eligibility.v1.eligibility_pb2_grpc import EligibilityServiceServicer, add_EligibilityServiceServicer_to_server
from rcm.event.v1.envelope_pb2 import Envelope
from rcm.priorauth.v1 import priorauth_pb2
from rcm.priorauth.v1.priorauth_pb2_grpc import PriorAuthServiceServicer, add_PriorAuthServiceServicer_to_server
from service_under_test import ServiceUnderTest, running_service
from x12 import transaction_sets
from x12.views.claim import read_837p

TENANT = "claims-service"
SERVED = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()


@dataclass
class Others(EligibilityServiceServicer, PriorAuthServiceServicer):  # type: ignore[misc]
    """Eligibility and prior-auth behind one port, answering what a test sets."""

    status: int = eligibility_pb2.COVERAGE_STATUS_ACTIVE
    required: bool = False
    fails: grpc.StatusCode | None = None
    asked: list[Any] = field(default_factory=list)

    def GetCoverageOn(self, request: Any, context: Any) -> Any:
        metadata = dict(context.invocation_metadata())
        if metadata["rcm-tenant"] == TENANT:  # the process also wakes timers that other tests have left
            self.asked.append((request, metadata))
        if self.fails:
            context.abort(self.fails, "no")
        verification = eligibility_pb2.CoverageVerification(status=self.status, date=request.date, payer_id="SYNPA")
        return eligibility_pb2.GetCoverageOnResponse(verification=verification)

    def FindAuthorization(self, request: Any, context: Any) -> Any:
        requirement = priorauth_pb2.REQUIREMENT_REQUIRED if self.required else priorauth_pb2.REQUIREMENT_NOT_REQUIRED
        rows = [priorauth_pb2.Authorization(code=code, requirement=requirement) for code in request.codes]
        return priorauth_pb2.FindAuthorizationResponse(authorizations=rows)


@pytest.fixture(scope="module")
def others() -> Iterator[tuple[Others, int]]:
    servicer, server = Others(), grpc.server(ThreadPoolExecutor(4))
    add_EligibilityServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]
    add_PriorAuthServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, port
    server.stop(None)


@dataclass
class Running:
    service: ServiceUnderTest
    drop: Path
    traces: Path
    others: Others

    async def take(self, number: int, **fields: Any) -> Any:
        """Charges of a visit of its own patient."""
        lines = [
            service_line(service_from=SERVED, service_to=SERVED),
            service_line(**LAB, service_from=SERVED, service_to=SERVED),
        ]
        body = charges(lines, key=f"visit-{number}", encounter=f"Encounter/e{number}", record=record_of(number))
        return await self.service.publish("charges.captured", body, TENANT, f"Encounter/e{number}", **fields)

    async def facts(self, journey: str, until: str) -> list[tuple[str, Any, str]]:
        """(event, body, trace id) of a journey in order, as soon as `until` is among them."""
        async with asyncio.timeout(30):
            while True:
                rows = await self.service.rows("select envelope, trace from outbox order by position")
                found = [(Envelope.FromString(row["envelope"]), row["trace"]) for row in rows]
                own = [(e.type, e.body, trace.split("-")[1]) for e, trace in found if e.journey_id == journey]
                if until in [type for type, _, _ in own]:
                    return own
                await asyncio.sleep(0.1)

    def answer(self, name: str, content: bytes) -> None:
        """The clearinghouse puts a file into our mailbox."""
        folder = self.drop / "out" / "999"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".new").write_bytes(content)
        (folder / ".new").rename(folder / name)

    def stub(self) -> Any:
        return ClaimsServiceStub(open_channel(f"127.0.0.1:{self.service.grpc_port}"))  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def running(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, others: tuple[Others, int]
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("claims-gateway")
    drop = folder / "drop"
    drop.mkdir()
    address = f"127.0.0.1:{others[1]}"
    settings = {
        "RCM_CLEARINGHOUSE_URL": drop.as_uri(),
        "RCM_MAILBOXES": json.dumps({TENANT: "THROUGHLINE"}),
        "RCM_ADDRESS_ELIGIBILITY": address,
        "RCM_ADDRESS_PRIOR_AUTH": address,
    }
    with running_service("claims-gateway", platform, folder, **settings) as service:
        yield Running(service, drop, folder / "traces" / "claims-gateway.jsonl", others[0])


@pytest.fixture(autouse=True)
def usual(others: tuple[Others, int]) -> None:
    others[0].__init__()  # type: ignore[misc]


def the_file(running: Running, control_number: str) -> tuple[int, Any]:
    """(ISA13, claim) of the 837 that carried a claim."""
    for path in (running.drop / "in").glob("*.837"):
        for transaction_set in transaction_sets(path.read_bytes()):
            for claim in read_837p(transaction_set):
                if claim.control_number == control_number:
                    return int(transaction_set.interchange.elements[12]), claim
    raise AssertionError("no file has the claim")


async def test_one_trace_leads_from_the_charges_to_the_hand_over_and_a_linked_one_comes_back(running: Running) -> None:
    event = await running.take(1, times=3)
    told = await running.facts(event.journey_id, "claim.submitted")
    assert [type for type, _, _ in told] == ["claim.built", "claim.submitted"]
    trace_id = event.trace["traceparent"].split("-")[1]
    assert {trace for _, _, trace in told} == {trace_id}
    built = claims_pb2.ClaimChanged.FromString(told[0][1])
    assert validate(read(built.claim_json)) == []
    isa, carried = the_file(running, built.control_number)
    assert (carried.billing.npi, carried.total_cents) == (BILLING, 21500)
    running.answer("000000000001-a.x12", answer(isa))
    told = await running.facts(event.journey_id, "claim.acknowledged")
    assert told[-1][2] != trace_id
    await wait_for(lambda: links_of(running, told[-1][2]) == {trace_id, event.journey_id})


def links_of(running: Running, trace_id: str) -> set[str]:
    """Traces to which the spans of a trace link."""
    lines = running.traces.read_text().splitlines() if running.traces.exists() else []
    spans = [line for line in lines if trace_id in line]
    linked = [json.loads(line).get("links", []) for line in spans]
    found = {
        str(link.get("trace_id", link.get("context", {}).get("trace_id", ""))) for links in linked for link in links
    }
    return {text.removeprefix("0x") for text in found}


async def wait_for(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - a file is watched
            await asyncio.sleep(0.1)


async def test_the_tenant_travels_with_the_question(running: Running) -> None:
    event = await running.take(2)
    await running.facts(event.journey_id, "claim.built")
    request, metadata = running.others.asked[-1]
    assert metadata["rcm-tenant"] == TENANT
    assert (request.date, request.journey_id) == (SERVED, event.journey_id)
    assert read(request.coverage_json)["id"] == "c1"


@pytest.mark.parametrize("code", [grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT])
async def test_a_refused_question_holds_the_claim_as_unknown(running: Running, code: grpc.StatusCode) -> None:
    running.others.fails = code
    event = await running.take(10 + code.value[0])
    told = await running.facts(event.journey_id, "work.opened")
    held = claims_pb2.ClaimChanged.FromString(told[1][1])
    assert [type for type, _, _ in told] == ["claim.built", "claim.held", "work.opened"]
    assert held.reason == "edit-01"


async def test_an_eligibility_that_is_away_is_waited_for(running: Running) -> None:
    running.others.fails = grpc.StatusCode.UNAVAILABLE
    event = await running.take(3)
    async with asyncio.timeout(20):
        while not running.others.asked:  # noqa: ASYNC110 - another thread fills it
            await asyncio.sleep(0.05)
    running.others.fails = None
    told = await running.facts(event.journey_id, "claim.submitted")
    assert [type for type, _, _ in told] == ["claim.built", "claim.submitted"]


async def test_a_person_gives_the_number_that_was_missing(running: Running) -> None:
    running.others.required = True
    event = await running.take(4)
    told = await running.facts(event.journey_id, "work.opened")
    built = claims_pb2.ClaimChanged.FromString(told[0][1])
    assert built.reason == "edit-06"
    request = claims_pb2.ReleaseHoldRequest(claim_id=built.claim_id, authorization_number="AUTH00000009")
    answer = await ask(running.stub().ReleaseHold, request, tenant=TENANT, deadline_s=10, idempotency_key="r1")
    assert answer.claim.state == "ready"
    await running.facts(event.journey_id, "claim.submitted")
    assert the_file(running, built.control_number)[1].prior_authorization == "AUTH00000009"


async def test_a_claim_that_nobody_knows_is_not_found(running: Running) -> None:
    with pytest.raises(Refused) as raised:
        await ask(running.stub().GetClaim, claims_pb2.GetClaimRequest(claim_id="none"), tenant=TENANT)
    assert raised.value.kind == "not_found"


async def test_another_tenants_claims_are_not_listed(running: Running) -> None:
    found = await ask(running.stub().ListClaims, claims_pb2.ListClaimsRequest(), tenant="somebody-else")
    assert list(found.claims) == []


async def test_no_name_or_number_of_a_person_is_in_spans_or_logs(running: Running) -> None:
    event = await running.take(5)
    await running.facts(event.journey_id, "claim.submitted")
    log = running.traces.parent.parent / "log"
    for text in (running.traces.read_text(), log.read_text()):
        assert not [
            mark for mark in ("Sample", "Alder", "SYN000111222", "1980-05-06", "19800506", "ISA*") if mark in text
        ]
