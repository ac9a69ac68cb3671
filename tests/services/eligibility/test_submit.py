"""CoverageEligibilityRequest/$submit over gRPC: two replicas on one database, one payer, one answer for one request."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta

import eligibility_records as records
import pytest
from chassis import ask, open_channel
from eligibility_payer import asked, refusal_to, reply_to
from fhir_r4 import read, validate, write
from kernel.errors import Refused, Unreadable
from rcm.eligibility.v1 import eligibility_pb2 as pb
from rcm.eligibility.v1.eligibility_pb2_grpc import EligibilityServiceStub
from service_under_test import running_service

TODAY = datetime.now(UTC).date()
SERVICE_TYPES = "https://codesystem.x12.org/005010/1365"
REQUEST = {
    "resourceType": "CoverageEligibilityRequest",
    "id": "r1",
    "identifier": [{"system": "https://clinic.example/requests", "value": "r-1"}],
    "status": "active",
    "purpose": ["benefits"],
    "patient": {"reference": "Patient/p1"},
    "servicedDate": TODAY.isoformat(),
    "created": TODAY.isoformat(),
    "provider": {"reference": "Organization/clinic"},
    "insurer": {"reference": "Organization/payer-a"},
    "insurance": [{"focal": True, "coverage": {"reference": "Coverage/c1"}}],
    "item": [{"category": {"coding": [{"system": SERVICE_TYPES, "code": "98"}]}}],
}
PEOPLE = (records.PATIENT, records.COVERAGE, records.PAYOR, records.PROVIDER)


@pytest.fixture(scope="module")
def replicas(platform, tmp_path_factory):
    first, second = (tmp_path_factory.mktemp(name) for name in ("eligibility-1", "eligibility-2"))
    with running_service("eligibility", platform, first, RCM_RETRY_WAITS_S="[1]") as one:
        same = {"RCM_CLEARINGHOUSE_URL": one.clearinghouse.url, "RCM_RETRY_WAITS_S": "[1]"}
        with running_service("eligibility", platform, second, **same) as other:
            yield one, other


@pytest.fixture
def clearinghouse(replicas):
    payer = replicas[0].clearinghouse
    payer.asked.clear()
    payer.wait_s = 0.0
    payer.answer = active
    return payer


def active(text):
    return reply_to(text, datetime.now(UTC), plan_begin=date(TODAY.year, 1, 1), plan_end=date(TODAY.year + 1, 12, 31))


def bundle(*resources):
    entries = [
        {"fullUrl": f"https://line.example/fhir/{r['resourceType']}/{r['id']}", "resource": r} for r in resources
    ]
    return write({"resourceType": "Bundle", "type": "collection", "entry": entries})


def request(changes=None, people=PEOPLE, **fields):
    content = {name: value for name, value in (REQUEST | (changes or {})).items() if value is not None}
    return pb.SubmitFhirRequest(resource=write(content), context=bundle(*people), client_id="client-1", **fields)


def own(payer):
    """What was asked for the person of these tests: others' questions may still be asked again by their timers."""
    return [text for text in payer.asked if records.COVERAGE["subscriberId"] in text]


async def submit(service, tenant, message):
    async with open_channel(f"127.0.0.1:{service.grpc_port}") as channel:
        return await ask(EligibilityServiceStub(channel).SubmitFhir, message, tenant=tenant, deadline_s=25)


async def test_an_active_coverage_is_complete_and_told_to_the_line(replicas, clearinghouse, tenant):
    answer = await submit(replicas[0], tenant, request())
    response = read(answer.resource)
    assert validate(response) == []
    assert (answer.status, response["outcome"], response["purpose"]) == ("complete", "complete", ["benefits"])
    assert response["request"] == {"reference": "CoverageEligibilityRequest/r1"}
    (insurance,) = response["insurance"]
    assert (insurance["inforce"], insurance["coverage"]) == (True, {"reference": "Coverage/c1"})
    amounts = {str(b["allowedMoney"]["value"]) for i in insurance["item"] for b in i["benefit"] if "allowedMoney" in b}
    assert amounts == {"25.00", "1000.00", "450.50"}
    (question,) = map(asked, own(clearinghouse))
    assert (question.service_types, question.service_date) == (("98",), TODAY)
    (told,) = await replicas[0].told(tenant, 1)
    assert told["type"] == "coverage.verified"


async def test_a_hundred_at_once_over_two_replicas_ask_the_payer_once(replicas, clearinghouse, tenant):
    clearinghouse.wait_s = 0.3
    async with AsyncExitStack() as opened:
        lines = [await opened.enter_async_context(open_channel(f"127.0.0.1:{one.grpc_port}")) for one in replicas]
        stubs = [EligibilityServiceStub(line) for line in lines]
        asking = (ask(stubs[n % 2].SubmitFhir, request(), tenant=tenant, deadline_s=25) for n in range(100))
        answers = await asyncio.gather(*asking)
    assert len(own(clearinghouse)) == 1
    assert len({answer.resource for answer in answers}) == 1
    rows = await replicas[0].rows("select verification_id from verification where tenant = $1", tenant)
    assert len(rows) == 1


async def test_the_content_is_the_same_under_another_id_and_spelling(replicas, clearinghouse, tenant):
    message = request()
    first = await submit(replicas[0], tenant, message)
    spelled = json.dumps(json.loads(message.resource) | {"id": "other", "meta": {"versionId": "7"}}, indent=2)
    second = await submit(replicas[1], tenant, pb.SubmitFhirRequest(
        resource=spelled.encode(), context=message.context, client_id=message.client_id
    ))  # fmt: skip
    assert (first.resource, len(own(clearinghouse))) == (second.resource, 1)


async def test_a_corrected_patient_or_another_tenant_is_asked_for_anew(replicas, clearinghouse, tenant):
    await submit(replicas[0], tenant, request())
    corrected = records.PATIENT | {"birthDate": "1980-05-18"}
    await submit(replicas[0], tenant, request(people=(corrected, *PEOPLE[1:])))
    await submit(replicas[0], f"{tenant}x", request())
    assert len(own(clearinghouse)) == 3


async def test_a_key_stands_for_one_content(replicas, clearinghouse, tenant):
    first = await submit(replicas[0], tenant, request(idempotency_key="k1"))
    again = await submit(replicas[1], tenant, request(idempotency_key="k1"))
    assert (first.resource, len(own(clearinghouse))) == (again.resource, 1)
    with pytest.raises(Refused) as refused:
        await submit(replicas[1], tenant, request({"purpose": ["validation"]}, idempotency_key="k1"))
    assert refused.value.code == "idempotency-key-reused"
    other = await submit(replicas[1], tenant, request(idempotency_key="k2"))
    assert other.resource != first.resource


async def test_a_payer_that_is_away_is_queued_and_asked_again(replicas, clearinghouse, tenant):
    clearinghouse.answer = lambda text: 503
    answer = await submit(replicas[0], tenant, request())
    response = read(answer.resource)
    assert validate(response) == []
    assert (answer.status, response["outcome"]) == ("queued", "queued")
    assert "inforce" not in response["insurance"][0]
    clearinghouse.answer = active
    told = await replicas[0].told(tenant, 2)
    assert [row["type"] for row in told] == ["coverage.verified", "coverage.verified"]


async def test_a_refusal_of_the_payer_is_an_error_with_what_to_correct(replicas, clearinghouse, tenant):
    clearinghouse.answer = lambda text: refusal_to(text, datetime.now(UTC), "72")
    answer = await submit(replicas[0], tenant, request())
    response = read(answer.resource)
    assert (answer.status, response["error"][0]["code"]["coding"][0]["code"]) == ("error", "72")
    told = await replicas[0].told(tenant, 2)
    assert [row["type"] for row in told] == ["coverage.gap_found", "work.opened"]


@pytest.mark.parametrize(
    ("changes", "people", "reason"),
    [
        ({"insurance": None}, PEOPLE, "no-coverage"),
        ({}, (*PEOPLE[:2], records.PAYOR | {"identifier": [{"value": "NOBODY"}]}, PEOPLE[3]), "payer-unknown"),
        ({"provider": None}, PEOPLE, "provider-unknown"),
    ],
)
async def test_what_cannot_be_asked_is_an_error_and_never_a_pass(
    replicas, clearinghouse, tenant, changes, people, reason
):
    answer = await submit(replicas[0], tenant, request(changes, people))
    response = read(answer.resource)
    assert validate(response) == []
    assert (answer.status, response["error"][0]["code"]["coding"][0]["code"]) == ("error", reason)
    assert own(clearinghouse) == []


TWO = [{"coverage": {"reference": "Coverage/c1"}}, {"coverage": {"reference": "Coverage/c1"}}]


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"patient": {"reference": "Patient/none"}}, "reference-unresolved", "CoverageEligibilityRequest.patient"),
        (
            {"insurance": [{"coverage": {"reference": "Coverage/none"}}]},
            "reference-unresolved",
            "CoverageEligibilityRequest.insurance[0].coverage",
        ),
        ({"insurance": TWO}, "insurance-focal", "CoverageEligibilityRequest.insurance"),
        ({"servicedDate": "2026-03"}, "date-partial", "CoverageEligibilityRequest.servicedDate"),
        (
            {"modifierExtension": [{"url": "https://x.example/not", "valueBoolean": True}]},
            "modifier-extension",
            "CoverageEligibilityRequest.modifierExtension",
        ),
        ({"status": "banana"}, "fhir-binding", "CoverageEligibilityRequest.status"),
    ],
)
async def test_a_request_that_cannot_be_read_says_where(replicas, clearinghouse, tenant, changes, code, path):
    with pytest.raises(Unreadable) as unreadable:
        await submit(replicas[0], tenant, request(changes))
    assert (unreadable.value.code, unreadable.value.path) == (code, path)
    assert own(clearinghouse) == []


async def test_another_resource_and_a_cancelled_request_are_refused(replicas, clearinghouse, tenant):
    with pytest.raises(Unreadable) as unreadable:
        await submit(replicas[0], tenant, pb.SubmitFhirRequest(resource=write(records.PATIENT)))
    assert unreadable.value.code == "submit-type"
    with pytest.raises(Refused) as refused:
        await submit(replicas[0], tenant, request({"status": "cancelled"}))
    assert (refused.value.code, refused.value.reason) == (
        "request-not-active",
        "CoverageEligibilityRequest.status is not active",
    )


def sent_whole(patient):
    people = (records.COVERAGE, patient, records.PAYOR, records.PROVIDER)
    entries = [
        {"fullUrl": f"https://ehr.example/{r['resourceType']}/{r['id']}", "resource": r} for r in (REQUEST, *people)
    ]
    return {
        "resourceType": "Bundle",
        "identifier": {"value": "b1"},
        "type": "collection",
        "timestamp": "2026-03-10T10:00:00Z",
        "entry": entries,
    }


async def test_the_ids_of_a_bundle_are_never_taken_for_ours(replicas, clearinghouse, tenant):
    await submit(replicas[0], tenant, request())
    message = pb.SubmitFhirRequest(resource=write(sent_whole(records.PATIENT)), client_id="client-2")
    answer = await submit(replicas[0], tenant, message)
    response = read(answer.resource)
    assert validate(response) == []
    assert (response["patient"], response["insurance"][0]["coverage"]) == (
        {"reference": "Patient/p1"},
        {"reference": "Coverage/c1"},
    )
    rows = await replicas[0].rows("select distinct subject_key from verification where tenant = $1", tenant)
    assert len(rows) == 2


async def test_somebody_elses_policy_is_asked_for_the_dependent(replicas, clearinghouse, tenant):
    holder = records.PATIENT | {"id": "p9", "name": [{"family": "Sample-Holder", "given": ["Max"]}]}
    child = {"coding": [{"code": "child"}]}
    coverage = records.COVERAGE | {"subscriber": {"reference": "Patient/p9"}, "relationship": child}
    await submit(replicas[0], tenant, request(people=(records.PATIENT, coverage, *PEOPLE[2:], holder)))
    (question,) = map(asked, own(clearinghouse))
    assert (question.subscriber.last, question.dependent is not None) == ("SAMPLE-HOLDER", True)


async def test_nothing_about_a_person_is_written_or_said(replicas, clearinghouse, tenant):
    marks = ("Canary-Yew", "TSTCANARY77", "1999-12-31")
    patient = records.PATIENT | {"name": [{"family": marks[0]}], "birthDate": marks[2]}
    people = (patient, records.COVERAGE | {"subscriberId": marks[1]}, *PEOPLE[2:])
    await submit(replicas[0], tenant, request(people=people))
    with pytest.raises(Unreadable) as unreadable:
        await submit(replicas[0], tenant, request({"servicedDate": marks[0]}, people))
    await asyncio.sleep(1)
    written = replicas[0].written() + str(unreadable.value) + unreadable.value.path
    assert [mark for mark in (*marks, "ISA*") if mark in written] == []


async def test_an_answer_grows_old(replicas, clearinghouse, tenant):
    await submit(replicas[0], tenant, request())
    query = "update submission set answered_at = answered_at - interval '301 seconds' where tenant = $1"
    await replicas[0].rows(query, tenant)
    await submit(replicas[1], tenant, request())
    assert len(own(clearinghouse)) == 2


async def test_a_replica_that_died_is_relieved(replicas, clearinghouse, tenant):
    await submit(replicas[0], tenant, request())
    past = datetime.now(UTC) - timedelta(seconds=1)
    query = "update submission set answered_at = null, answer = '', leased_until = $2 where tenant = $1"
    await replicas[0].rows(query, tenant, past)
    assert (await submit(replicas[1], tenant, request())).status == "complete"
    assert len(own(clearinghouse)) == 2
