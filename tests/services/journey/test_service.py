"""The running service: facts from the stream into stages, spans, metrics and answers; the ledger proves itself."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from bus import Event, subject_of
from bus.event import encode
from bus.jetstream import connect
from chassis import ask, open_channel
from kernel.errors import LineError
from kernel.identifiers import journey_id, uuid7
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from platform_fixture import Platform
from rcm.billing.v1.billing_pb2 import EncounterFacts
from rcm.charge.v1.charge_pb2 import ChargesCaptured
from rcm.claims.v1.claims_pb2 import ClaimChanged
from rcm.coding.v1.coding_pb2 import EncounterCoded
from rcm.engine.v1.engine_pb2 import EncounterFinished
from rcm.event.v1.envelope_pb2 import Envelope
from rcm.journey.v1 import journey_pb2 as pb
from rcm.journey.v1.journey_pb2_grpc import JourneyServiceStub
from rcm.remittance.v1.remittance_pb2 import DepositMatched, PaymentPosted
from service_under_test import WAIT_S, ServiceUnderTest, running_service

SETTINGS = {"RCM_FOLD_EVERY_MS": "50", "RCM_SETTLE_MS": "200", "RCM_GAUGES_EVERY_S": "0.2", "RCM_LINGER_MS": "10"}


@pytest.fixture(scope="module")
def service(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceUnderTest]:
    with running_service("journey", platform, tmp_path_factory.mktemp("journey"), **SETTINGS) as running:
        yield running


@pytest.fixture
async def stub(service: ServiceUnderTest) -> AsyncIterator[JourneyServiceStub]:
    async with open_channel(f"127.0.0.1:{service.grpc_port}") as channel:
        yield JourneyServiceStub(channel)


def story(encounter: str, remittance: str) -> list[tuple[str, Any]]:
    """What the line tells of one encounter until its payment is posted and its deposit awaited."""
    facts = EncounterFacts(encounter=encounter, source="east")
    claim = {"claim_id": f"claim-{encounter}", "encounter": encounter, "payer_id": "p1", "payer_class": "medicare"}
    amounts = {"billed_cents": 1000, "paid_cents": 700, "adjusted_cents": 200, "patient_cents": 100}
    claim_of = {**claim, "total_cents": 1000, "responsibility": 1}
    return [
        ("encounter.finished", EncounterFinished(facts=facts)),
        ("encounter.coded", EncounterCoded(facts=facts)),
        ("charges.captured", ChargesCaptured(facts=facts, total_cents=1000)),
        ("claim.built", ClaimChanged(state="ready", **claim_of)),
        ("claim.submitted", ClaimChanged(state="submitted", **claim_of)),
        ("claim.acknowledged", ClaimChanged(state="accepted", **claim_of)),
        (
            "payment.posted",
            PaymentPosted(outcome="paid", remittance_id=remittance, settlement="awaited", **claim, **amounts),
        ),
    ]


async def until(stub: JourneyServiceStub, tenant: str, **wanted: str) -> pb.Journey:
    """The one journey that a search finds, as soon as it does."""
    async with asyncio.timeout(WAIT_S):
        while True:
            found = await ask(stub.FindJourneys, pb.FindJourneysRequest(**wanted), tenant=tenant)
            if found.journeys:
                assert len(found.journeys) == 1 and found.next == ""
                return found.journeys[0]
            await asyncio.sleep(0.05)


async def rebuilt(stub: JourneyServiceStub, tenant: str, check: bool) -> pb.RebuildProgress:
    call = stub.RebuildLedger(pb.RebuildLedgerRequest(check=check), timeout=30, metadata=[("rcm-tenant", tenant)])
    told = [progress async for progress in call]
    assert told[-1].done
    return told[-1]


def spans_written(service: ServiceUnderTest, trace_id: str) -> list[dict[str, Any]]:
    file = Path(service.folder / "traces" / "journey.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [row for row in rows if row["trace_id"] == trace_id]


def metrics_page(service: ServiceUnderTest) -> str:
    port = json.loads((service.folder / "run" / "journey.json").read_text())["metrics"]
    return httpx.get(f"http://127.0.0.1:{port}/metrics", headers={"accept": "application/openmetrics-text"}).text


async def test_an_encounter_goes_from_the_stream_to_its_stages_spans_and_metrics(
    service: ServiceUnderTest, stub: JourneyServiceStub, tenant: str
) -> None:
    journey, encounter, remittance = journey_id(), f"Encounter/{tenant}", f"r-{tenant}"
    for kind, body in story(encounter, remittance):
        await service.publish(kind, body, tenant, encounter, journey=journey, times=2)
    waiting = await until(stub, tenant, text=encounter, stage="settlement")
    assert (waiting.state, waiting.outcome, waiting.stage_cents, waiting.payer_class) == (
        "in-flight",
        "",
        700,
        "medicare",
    )
    matched = DepositMatched(deposit_id="d", remittance_id=remittance, amount_cents=700)
    await service.publish("deposit.matched", matched, tenant, "d", journey="")
    ended = await until(stub, tenant, text=f"claim-{encounter}", state="ended")
    assert (ended.journey_id, ended.outcome, ended.stage, ended.stage_cents) == (journey, "paid", "patient", 100)
    assert sum(stage.elapsed_us for stage in ended.stages) == ended.elapsed_us == ended.encounter_to_payment_us > 0
    answer = await ask(stub.GetJourney, pb.GetJourneyRequest(journey_id=journey), tenant=tenant)
    assert len(answer.journey.steps) == 8 and len(answer.journey.trace_ids) == 8 and not answer.journey.notices
    await _same_spans_again(service, stub, tenant, journey)
    assert (await rebuilt(stub, tenant, check=True)).differing == 0
    assert re.search(rf'rcm_encounter_to_payment_duration_seconds_bucket.*trace_id="{journey}"', metrics_page(service))


async def _same_spans_again(service: ServiceUnderTest, stub: JourneyServiceStub, tenant: str, journey: str) -> None:
    export = await ask(stub.ExportJourney, pb.ExportJourneyRequest(journey_id=journey), tenant=tenant)
    again = sorted((json.loads(row) for row in export.span_json), key=lambda row: row["span_id"])
    async with asyncio.timeout(WAIT_S):
        while len(written := spans_written(service, journey)) < len(again):  # noqa: ASYNC110 - a file is looked at
            await asyncio.sleep(0.1)
    assert sorted(written, key=lambda row: row["span_id"]) == again
    assert [row["name"] for row in again if not row["parent_id"]] == ["journey"]
    request = ExportTraceServiceRequest.FromString(export.otlp)
    assert sum(len(scope.spans) for one in request.resource_spans for scope in one.scope_spans) == len(again)
    repeated = await ask(stub.ExportJourney, pb.ExportJourneyRequest(journey_id=journey), tenant=tenant)
    assert repeated == export


async def test_what_is_unfinished_shows_in_the_gauges(
    service: ServiceUnderTest, stub: JourneyServiceStub, tenant: str
) -> None:
    encounter = f"Encounter/{tenant}"
    for kind, body in story(encounter, "r")[:4]:
        await service.publish(kind, body, tenant, encounter, journey=(journey := "b" * 32))
    found = await until(stub, tenant, stage="submission")
    assert found.journey_id == journey and found.first_end_at.seconds == 0
    wanted = 'rcm_unfinished_count{rcm_payer_class="medicare",rcm_stage="submission"}'
    async with asyncio.timeout(WAIT_S):
        while wanted not in metrics_page(service):  # noqa: ASYNC110 - a page is looked at
            await asyncio.sleep(0.1)
    gauges = [line for line in metrics_page(service).splitlines() if line.startswith("rcm_unfinished")]
    assert gauges and not [line for line in gauges if 'rcm_stage="settled"' in line]


async def test_facts_of_an_unknown_version_and_of_an_unknown_journey_are_kept_and_counted(
    service: ServiceUnderTest, stub: JourneyServiceStub, tenant: str
) -> None:
    accepted = ClaimChanged(claim_id="c", encounter="Encounter/x", state="accepted")
    strange = Event(uuid7(), "claim.acknowledged", tenant, journey_id(), "k", 1, datetime.now(UTC), "", accepted)
    envelope = Envelope.FromString(encode(strange))
    envelope.schema_version = 99
    client = await connect(service.nats_url, "test")
    await client.jetstream().publish(subject_of("claim.acknowledged", "k"), envelope.SerializeToString())
    await client.close()
    await service.publish("charges.captured", ChargesCaptured(total_cents=5), tenant, "k2", journey="")
    matched = DepositMatched(deposit_id="d2", remittance_id="nobody", amount_cents=7)
    await service.publish("deposit.unmatched", matched, tenant, "d2", journey=journey_id())
    async with asyncio.timeout(WAIT_S):
        while (told := await rebuilt(stub, tenant, check=True)).dead_letters < 1 or told.unbegun < 1:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert (told.dead_letters, told.unbegun, told.differing, told.journeys) == (1, 1, 0, 0)


async def test_the_ledger_notices_what_somebody_changed_and_mends_it(
    service: ServiceUnderTest, stub: JourneyServiceStub, tenant: str
) -> None:
    encounter = f"Encounter/{tenant}"
    for kind, body in story(encounter, f"r-{tenant}")[:5]:
        await service.publish(kind, body, tenant, encounter, journey=(journey := "c" * 32))
    before = await until(stub, tenant, stage="clearinghouse")
    await service.rows("update stage set started_at = started_at - interval '1 us' where tenant = $1", tenant)
    assert list((await rebuilt(stub, tenant, check=True)).differing_ids) == [journey]
    assert (await rebuilt(stub, tenant, check=False)).differing == 1
    assert (await rebuilt(stub, tenant, check=True)).differing == 0
    assert await until(stub, tenant, stage="clearinghouse") == before


async def test_what_is_not_there_or_not_asked_for_rightly_is_refused(stub: JourneyServiceStub, tenant: str) -> None:
    for call, request, kind in (
        (stub.GetJourney, pb.GetJourneyRequest(journey_id="d" * 32), "not_found"),
        (stub.GetJourney, pb.GetJourneyRequest(), "not_found"),
        (stub.ExportJourney, pb.ExportJourneyRequest(encounter="Encounter/none"), "not_found"),
        (stub.FindJourneys, pb.FindJourneysRequest(after="nonsense"), ""),
    ):
        with pytest.raises(LineError) as error:
            await ask(call, request, tenant=tenant)
        assert getattr(error.value, "kind", "") == kind
