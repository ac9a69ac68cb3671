"""The whole service: facts and questions in, 270s out, facts on the line; nothing twice, nothing lost, one trace."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import eligibility_records as records
import grpc
import pytest
from chassis import ask, open_channel
from eligibility_payer import asked, refusal_to, reply_to
from fhir_r4 import read, validate
from kernel.errors import Unreadable
from rcm.eligibility.v1 import eligibility_pb2 as pb
from rcm.eligibility.v1.eligibility_pb2_grpc import EligibilityServiceStub
from rcm.event.v1.envelope_pb2 import Envelope
from rcm.work.v1.work_pb2 import WorkClosed, WorkOpened
from service_under_test import running_service

TODAY = datetime.now(UTC).date()
SOON = TODAY + timedelta(days=5)


@pytest.fixture(scope="module")
def service(platform, tmp_path_factory):
    folder = tmp_path_factory.mktemp("eligibility")
    with running_service("eligibility", platform, folder, RCM_RETRY_WAITS_S="[1]", RCM_MAX_TRIES="3") as running:
        yield running


@pytest.fixture
def clearinghouse(service):
    service.clearinghouse.asked.clear()
    service.clearinghouse.wait_s = 0.0
    service.clearinghouse.answer = active
    return service.clearinghouse


def active(text):
    return reply_to(text, datetime.now(UTC), plan_begin=date(TODAY.year, 1, 1), plan_end=date(TODAY.year + 1, 12, 31))


def refused(code):
    return lambda text: refusal_to(text, datetime.now(UTC), code)


def bodies(rows):
    classes = {
        "coverage.verified": pb.CoverageVerified,
        "coverage.gap_found": pb.CoverageVerified,
        "work.opened": WorkOpened,
        "work.closed": WorkClosed,
    }
    envelopes = [Envelope.FromString(row["envelope"]) for row in rows]
    return [(each, classes[each.type].FromString(each.body)) for each in envelopes]


def start_at(day):
    return {"start": f"{day.isoformat()}T15:00:00Z"}


async def test_a_booking_is_verified_once_however_often_it_is_delivered(service, clearinghouse, tenant):
    body = records.appointment_booked(SOON.isoformat(), start_at(SOON))
    event = await service.publish("appointment.booked", body, tenant, "Appointment/a1", times=3)
    rows = await service.told(tenant, 1)
    await asyncio.sleep(1)
    rows = await service.told(tenant, 1)
    ((envelope, found),) = bodies(rows)
    assert (envelope.type, envelope.journey_id) == ("coverage.verified", event.journey_id)
    assert (envelope.causation_id, envelope.ordering_key) == (event.event_id, "Appointment/a1")
    assert found.verification.status == pb.COVERAGE_STATUS_ACTIVE
    assert validate(read(found.verification.response_json)) == []
    assert rows[0]["trace"].split("-")[1] == event.trace["traceparent"].split("-")[1]
    (kept,) = await service.rows("select sent, received from verification where tenant = $1", tenant)
    assert kept["sent"].decode() in clearinghouse.asked
    assert kept["received"].startswith(b"ISA")


async def test_a_booking_is_checked_again_a_day_before(service, clearinghouse, tenant):
    body = records.appointment_booked(SOON.isoformat(), start_at(SOON))
    await service.publish("appointment.booked", body, tenant, "Appointment/a1")
    await service.told(tenant, 1)
    query = "select kind, due_at from timer where tenant = $1"
    (timer,) = await service.rows(query, tenant)
    assert timer["kind"] == "eligibility.previsit"
    assert timer["due_at"] == datetime(SOON.year, SOON.month, SOON.day, 15, tzinfo=UTC) - timedelta(days=1)
    await service.rows("update timer set due_at = now() where tenant = $1", tenant)
    assert len(await service.told(tenant, 2)) == 2
    cancelled = records.appointment_booked(SOON.isoformat(), {"status": "cancelled"})
    await service.publish("appointment.changed", cancelled, tenant, "Appointment/a1", version=2)
    await asyncio.sleep(1)
    assert await service.rows(query, tenant) == []


async def test_a_refusal_at_check_in_is_a_gap_with_a_work_item_that_closes(service, clearinghouse, tenant):
    clearinghouse.answer = refused("71")
    body = records.encounter_started(TODAY.isoformat())
    await service.publish("encounter.started", body, tenant, "Encounter/e1")
    (_, gap), (_, work) = bodies(await service.told(tenant, 2))
    assert gap.verification.status == pb.COVERAGE_STATUS_REJECTED
    assert [(m.field, m.aaa) for m in gap.verification.mismatches] == [("birth-date", "71")]
    assert (work.kind, work.reason, work.encounter) == ("coverage-gap", "aaa-71", "Encounter/e1")
    assert validate(read(work.task)) == []
    clearinghouse.answer = active
    mended = records.encounter_started(TODAY.isoformat(), patient=records.PATIENT | {"birthDate": "1980-05-18"})
    await service.publish("encounter.started", mended, tenant, "Encounter/e1", version=2)
    told = bodies(await service.told(tenant, 4))
    assert [envelope.type for envelope, _ in told[2:]] == ["coverage.verified", "work.closed"]
    assert told[3][1].work_id == work.work_id


async def test_silence_is_unknown_and_the_answer_comes_by_itself(service, clearinghouse, tenant):
    clearinghouse.answer = lambda text: 503
    body = records.encounter_started(TODAY.isoformat())
    event = await service.publish("encounter.started", body, tenant, "Encounter/e1")
    ((_, found),) = bodies(await service.told(tenant, 1))
    assert (found.verification.status, found.verification.reason) == (
        pb.COVERAGE_STATUS_UNKNOWN,
        "clearinghouse-unavailable",
    )
    clearinghouse.answer = active
    envelope, found = bodies(await service.told(tenant, 2))[1]
    assert (envelope.journey_id, found.verification.status) == (event.journey_id, pb.COVERAGE_STATUS_ACTIVE)


async def test_silence_that_lasts_becomes_a_persons_matter(service, clearinghouse, tenant):
    clearinghouse.answer = lambda text: "nothing that anybody could read"
    body = records.encounter_started(TODAY.isoformat())
    await service.publish("encounter.started", body, tenant, "Encounter/e1")
    told = bodies(await service.told(tenant, 2))
    assert [envelope.type for envelope, _ in told] == ["coverage.verified", "work.opened"]
    assert told[1][1].reason == "271-unreadable"
    assert len(clearinghouse.asked) == 3


async def coverage_on(service, tenant, **changes):
    async with open_channel(f"127.0.0.1:{service.grpc_port}") as channel:
        stub = EligibilityServiceStub(channel)
        request = records.coverage_on(TODAY.isoformat(), **changes)
        return await ask(stub.GetCoverageOn, request, tenant=tenant, deadline_s=25)


async def test_claims_in_parallel_ask_the_payer_once(service, clearinghouse, tenant):
    clearinghouse.wait_s = 0.3
    answers = await asyncio.gather(*(coverage_on(service, tenant) for _ in range(20)))
    assert len(clearinghouse.asked) == 1
    assert {answer.verification.verification_id for answer in answers} == {answers[0].verification.verification_id}
    assert all(answer.asked_now for answer in answers)
    later = await coverage_on(service, tenant)
    assert (later.asked_now, len(clearinghouse.asked)) == (False, 1)
    assert later.verification == answers[0].verification
    assert asked(clearinghouse.asked[0]).service_date == TODAY


async def test_a_check_in_answers_the_claim_of_the_day(service, clearinghouse, tenant):
    body = records.encounter_started(TODAY.isoformat())
    await service.publish("encounter.started", body, tenant, "Encounter/e1")
    await service.told(tenant, 1)
    found = await coverage_on(service, tenant)
    assert (found.asked_now, found.verification.status) == (False, pb.COVERAGE_STATUS_ACTIVE)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"coverage": None, "payor": None}, "no-coverage"), ({"payor": None}, "payer-unknown")],
)
async def test_what_cannot_be_asked_is_unknown_at_once(service, clearinghouse, tenant, changes, reason):
    found = (await coverage_on(service, tenant, **changes)).verification
    assert (found.status, found.reason) == (pb.COVERAGE_STATUS_UNKNOWN, reason)
    assert clearinghouse.asked == []
    await coverage_on(service, tenant, **changes)
    assert [row["type"] for row in await service.told(tenant, 2)] == ["coverage.gap_found", "work.opened"]


async def test_check_coverage_asks_once_for_an_idempotency_key(service, clearinghouse, tenant):
    async with open_channel(f"127.0.0.1:{service.grpc_port}") as channel:
        stub = EligibilityServiceStub(channel)
        request = pb.CheckCoverageRequest(date=TODAY.isoformat(), service_types=["98"], **records.carried())
        first, second = [
            await ask(stub.CheckCoverage, request, tenant=tenant, deadline_s=25, idempotency_key="k1") for _ in range(2)
        ]
        assert first == second
        assert len(clearinghouse.asked) == 1
        assert asked(clearinghouse.asked[0]).service_types == ("98",)
        await ask(stub.CheckCoverage, request, tenant=tenant, deadline_s=25, idempotency_key="k2")
        assert len(clearinghouse.asked) == 2


async def test_a_question_that_is_none_is_refused_without_its_content(service, clearinghouse, tenant):
    with pytest.raises(Unreadable) as caught:
        await coverage_on(service, tenant, patient=None)
    assert caught.value.code == "patient-missing"
    async with grpc.aio.insecure_channel(f"127.0.0.1:{service.grpc_port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raw:
            await EligibilityServiceStub(channel).GetCoverageOn(records.coverage_on(), timeout=5)
    assert raw.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert clearinghouse.asked == []


async def test_nothing_about_a_person_is_written_to_log_or_spans(service, clearinghouse, tenant):
    marks = ("Canary-Yew", "TSTCANARY77", "1999-12-31", "1999-12-3", "19991231")
    patient = records.PATIENT | {"name": [{"family": marks[0]}], "birthDate": marks[2]}
    facts = {"patient": patient, "coverage": records.COVERAGE | {"subscriberId": marks[1]}}
    clearinghouse.answer = lambda text: f"no X12 but {marks[1]} and {marks[0]}"
    body = records.encounter_started(TODAY.isoformat(), **facts)
    await service.publish("encounter.started", body, tenant, "Encounter/e1")
    await service.told(tenant, 1)
    await coverage_on(service, tenant, **facts)
    with pytest.raises(Unreadable):
        await coverage_on(service, tenant, patient=patient | {"birthDate": f"{marks[2]} "[:9] + "x"})
    await asyncio.sleep(2)
    written = service.written()
    assert "encounter.started" in written
    assert [mark for mark in (*marks, "CANARY", "ISA*") if mark in written] == []
