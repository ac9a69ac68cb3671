"""The whole service: orders in, 278s out, decisions on the line and for the claim; nothing asked twice."""

import asyncio
from datetime import UTC, datetime

import prior_auth_records as records
import pytest
from chassis import ask, open_channel
from fhir_r4 import read, validate
from kernel.errors import Unreadable
from prior_auth_payer import NUMBER, asked, refusal_to, reply_to
from rcm.event.v1.envelope_pb2 import Envelope
from rcm.priorauth.v1 import priorauth_pb2 as pb
from rcm.priorauth.v1.priorauth_pb2_grpc import PriorAuthServiceStub
from rcm.work.v1.work_pb2 import WorkClosed, WorkOpened
from service_under_test import running_service
from x12.views.authorization import Decision

PLAIN = records.IMAGING | {"code": {"coding": [{"system": records.CPT, "code": "71046"}]}}


@pytest.fixture(scope="module")
def service(platform, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prior-auth")
    with running_service("prior-auth", platform, folder, RCM_INQUIRE_WAITS_S="[1]", RCM_MAX_TRIES="2") as running:
        yield running


@pytest.fixture
def clearinghouse(service):
    service.clearinghouse.asked.clear()
    service.clearinghouse.answer = decided("A1", NUMBER)
    return service.clearinghouse


def decided(action, number=""):
    return lambda text: reply_to(text, datetime.now(UTC), decision=Decision(action=action, number=number))


def bodies(rows):
    classes = {
        "authorization.determined": pb.AuthorizationDetermined,
        "work.opened": WorkOpened,
        "work.closed": WorkClosed,
    }
    envelopes = [Envelope.FromString(row["envelope"]) for row in rows]
    return [(each, classes[each.type].FromString(each.body)) for each in envelopes]


async def place(service, tenant, order=records.IMAGING, version=1, times=1, **changes):
    body = records.order_placed(order, **changes)
    return await service.publish("order.placed", body, tenant, body.order, version=version, times=times)


async def call(service, tenant, method, request):
    async with open_channel(f"127.0.0.1:{service.grpc_port}") as channel:
        return await ask(getattr(PriorAuthServiceStub(channel), method), request, tenant=tenant, deadline_s=5)


async def find(service, tenant, *codes, **changes):
    answer = await call(service, tenant, "FindAuthorization", records.find(codes=codes, **changes))
    return [(each.code, each.requirement, each.decision, each.number) for each in answer.authorizations]


async def test_an_order_is_authorized_once_and_its_number_reaches_the_claim(service, clearinghouse, tenant):
    event = await place(service, tenant, encounter="Encounter/e1", times=3)
    await service.told(tenant, 1)
    await place(service, tenant, encounter="Encounter/e1")
    await asyncio.sleep(1)
    rows = await service.told(tenant, 1)
    ((envelope, body),) = bodies(rows)
    assert (envelope.journey_id, envelope.causation_id) == (event.journey_id, event.event_id)
    assert rows[0]["trace"].split("-")[1] == event.trace["traceparent"].split("-")[1]
    assert (body.encounter, body.authorization.number) == ("Encounter/e1", NUMBER)
    assert len(clearinghouse.asked) == 1
    assert await find(service, tenant, "99213", "70553", "J0897") == [
        ("99213", pb.REQUIREMENT_NOT_REQUIRED, pb.DECISION_UNSPECIFIED, ""),
        ("70553", pb.REQUIREMENT_REQUIRED, pb.DECISION_APPROVED, NUMBER),
        ("J0897", pb.REQUIREMENT_REQUIRED, pb.DECISION_UNSPECIFIED, ""),
    ]
    assert len(clearinghouse.asked) == 1


async def test_what_needs_no_authorization_is_told_without_asking(service, clearinghouse, tenant):
    await place(service, tenant, PLAIN)
    ((_, body),) = bodies(await service.told(tenant, 1))
    assert body.authorization.requirement == pb.REQUIREMENT_NOT_REQUIRED
    assert clearinghouse.asked == []


async def test_a_claim_without_an_order_is_told_what_it_lacks(service, clearinghouse, tenant):
    lacking = [("70553", pb.REQUIREMENT_REQUIRED, pb.DECISION_UNSPECIFIED, "")]
    assert await find(service, tenant, "70553") == lacking
    assert clearinghouse.asked == []
    await place(service, tenant)
    await service.told(tenant, 1)
    assert await find(service, tenant, "70553", date="2027-03-20") == lacking
    assert await find(service, tenant, "70553", coverage=records.COVERAGE | {"id": "c2"}) == lacking
    assert await find(service, f"{tenant}x", "70553") == lacking


async def test_a_pended_request_is_asked_again_with_the_same_trace_until_it_is_decided(service, clearinghouse, tenant):
    clearinghouse.answer = decided("A4")
    event = await place(service, tenant)
    ((_, body),) = bodies(await service.told(tenant, 1))
    assert body.authorization.decision == pb.DECISION_PENDED
    clearinghouse.answer = decided("A1", NUMBER)
    envelope, body = bodies(await service.told(tenant, 2))[1]
    assert (envelope.journey_id, body.authorization.decision) == (event.journey_id, pb.DECISION_APPROVED)
    assert len({asked(text).trace_number for text in clearinghouse.asked}) == 1
    assert len(clearinghouse.asked) >= 2


async def test_a_denial_is_a_work_item(service, clearinghouse, tenant):
    clearinghouse.answer = decided("A3")
    await place(service, tenant, encounter="Encounter/e1")
    (_, body), (_, work) = bodies(await service.told(tenant, 2))
    assert body.authorization.decision == pb.DECISION_DENIED
    assert (work.kind, work.encounter, work.due_on) == ("authorization-needed", "Encounter/e1", "2026-03-20")
    assert validate(read(work.task)) == []
    assert (await find(service, tenant, "70553"))[0][2:] == (pb.DECISION_DENIED, "")


async def test_silence_is_a_work_item_that_closes_when_the_answer_comes(service, clearinghouse, tenant):
    clearinghouse.answer = lambda text: 503
    await place(service, tenant)
    (_, body), (_, opened) = bodies(await service.told(tenant, 2))
    assert body.authorization.decision == pb.DECISION_UNKNOWN
    clearinghouse.answer = decided("A1", NUMBER)
    told = bodies(await service.told(tenant, 4))
    assert [envelope.type for envelope, _ in told[2:]] == ["authorization.determined", "work.closed"]
    assert told[3][1].work_id == opened.work_id
    attempts = await service.rows("select failure, received from attempt where tenant = $1 order by attempt_id", tenant)
    assert [row["failure"] for row in attempts] == ["clearinghouse-unavailable", ""]
    assert attempts[1]["received"].startswith(b"ISA")


async def test_a_refused_request_is_not_repeated(service, clearinghouse, tenant):
    clearinghouse.answer = lambda text: refusal_to(text, datetime.now(UTC), "75")
    await place(service, tenant)
    (_, body), (_, work) = bodies(await service.told(tenant, 2))
    assert (body.authorization.reason, work.reason) == ("aaa-75", "aaa-75")
    assert await service.rows("select 1 from timer where tenant = $1", tenant) == []


async def test_a_requirement_is_explained(service, clearinghouse, tenant):
    request = pb.DetermineRequirementRequest(payer_id="SYNPA", code="70553", date="2026-03-20")
    answer = await call(service, tenant, "DetermineRequirement", request)
    assert (answer.requirement, answer.rule_id) == (pb.REQUIREMENT_REQUIRED, "synpa-advanced-imaging")
    assert answer.because
    with pytest.raises(Unreadable):
        await call(service, tenant, "DetermineRequirement", pb.DetermineRequirementRequest(date="soon"))


async def test_nothing_about_a_person_is_written_to_log_or_spans(service, clearinghouse, tenant):
    marks = ("Canary-Yew", "TSTCANARY77", "1999-12-31", "1999-12-3", "19991231")
    patient = records.PATIENT | {"name": [{"family": marks[0]}], "birthDate": marks[2]}
    facts = {"patient": patient, "coverage": records.COVERAGE | {"subscriberId": marks[1]}}
    clearinghouse.answer = lambda text: f"no X12 but {marks[1]} and {marks[0]}"
    await place(service, tenant, **facts)
    await service.told(tenant, 1)
    await place(service, tenant, records.IMAGING | {"occurrenceDateTime": marks[0]}, version=2, **facts)
    await asyncio.sleep(2)
    written = service.written()
    assert "order.placed" in written
    assert [mark for mark in (*marks, "CANARY", "ISA*") if mark in written] == []
