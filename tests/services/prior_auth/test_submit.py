"""Claim/$submit for preauthorization and $inquire over gRPC: two replicas on one database, one payer."""

import asyncio
from datetime import UTC, datetime, timedelta

import prior_auth_records as records
import prior_auth_submissions as sent
import pytest
from chassis import ask, open_channel
from fhir_r4 import read, validate
from kernel.errors import Refused, Unreadable
from prior_auth_payer import NUMBER, asked, refusal_to, reply_to
from prior_auth_submissions import PAS, alone, bundle, claim, item, whole
from rcm.event.v1.envelope_pb2 import Envelope
from rcm.priorauth.v1 import priorauth_pb2 as pb
from rcm.priorauth.v1.priorauth_pb2_grpc import PriorAuthServiceStub
from service_under_test import running_service
from x12.views.authorization import Decision

X12_ACTIONS = "https://codesystem.x12.org/005010/306"


@pytest.fixture(scope="module")
def replicas(platform, tmp_path_factory):
    first, second = (tmp_path_factory.mktemp(name) for name in ("prior-auth-1", "prior-auth-2"))
    usual = {"RCM_INQUIRE_WAITS_S": "[1]", "RCM_MAX_TRIES": "3", "RCM_SUBMIT_WAIT_S": "2"}
    with running_service("prior-auth", platform, first, **usual) as one:
        same = usual | {"RCM_CLEARINGHOUSE_URL": one.clearinghouse.url}
        with running_service("prior-auth", platform, second, **same) as other:
            yield one, other


@pytest.fixture
def clearinghouse(replicas):
    payer = replicas[0].clearinghouse
    payer.asked.clear()
    payer.wait_s = 0.0
    payer.answer = decided("A1", NUMBER)
    return payer


def decided(action, number="", **parts):
    return lambda text: reply_to(text, datetime.now(UTC), decision=Decision(action=action, number=number, **parts))


async def call(service, tenant, method, request):
    async with open_channel(f"127.0.0.1:{service.grpc_port}") as channel:
        return await ask(getattr(PriorAuthServiceStub(channel), method), request, tenant=tenant, deadline_s=15)


async def submit(service, tenant, request):
    answer = await call(service, tenant, "SubmitFhir", request)
    found = read(answer.resource)
    assert validate(found) == []
    return answer.status, found


def reviews(response):
    """(itemSequence, X12 306 code, number, reasons) of each item."""
    return [(one["itemSequence"], *_review(one["adjudication"][0])) for one in response.get("item", ())]


def _review(adjudication):
    assert adjudication["category"]["coding"][0]["code"] == "submitted"
    (action,) = adjudication.get("extension", [{"url": f"{PAS}/extension-reviewAction", "extension": []}])
    assert action["url"] == f"{PAS}/extension-reviewAction"
    parts = action["extension"]
    codes = [p["valueCodeableConcept"]["coding"][0] for p in parts if p["url"] == f"{PAS}/extension-reviewActionCode"]
    assert all(code["system"] == X12_ACTIONS for code in codes)
    number = next((part["valueString"] for part in parts if part["url"] == "number"), "")
    reasons = [p["valueCodeableConcept"]["coding"][0]["code"] for p in parts if p["url"] == "reasonCode"]
    return next((code["code"] for code in codes), ""), number, reasons


async def test_a_grant_is_complete_and_reaches_the_claim(replicas, clearinghouse, tenant):
    status, response = await submit(replicas[0], tenant, alone())
    assert (status, response["outcome"], response["preAuthRef"]) == ("complete", "complete", NUMBER)
    assert reviews(response) == [(3, "A1", NUMBER, [])]
    assert response["identifier"] == claim()["identifier"]
    assert response["request"] == {"reference": "Claim/pa1"}
    (question,) = map(asked, clearinghouse.asked)
    assert (question.services[0].code, [one.code for one in question.diagnoses]) == ("70553", ["R519"])
    (told,) = await replicas[0].told(tenant, 1)
    assert told["type"] == "authorization.determined"
    answer = await call(replicas[1], tenant, "FindAuthorization", records.find())
    assert [(one.decision, one.number) for one in answer.authorizations] == [(pb.DECISION_APPROVED, NUMBER)]


async def test_a_pas_bundle_is_answered_in_kind(replicas, clearinghouse, tenant):
    status, answer = await submit(replicas[0], tenant, whole())
    assert (status, answer["resourceType"], answer["type"]) == ("complete", "Bundle", "collection")
    assert answer["identifier"]["value"]
    assert answer["timestamp"]
    first, *others = answer["entry"]
    assert first["resource"]["resourceType"] == "ClaimResponse"
    assert first["resource"]["request"] == {"reference": "https://ehr.example/fhir/Claim/pa1"}
    assert first["resource"]["patient"] == {"reference": "Patient/p1"}
    assert {one["fullUrl"] for one in others} == {one["fullUrl"] for one in bundle()["entry"]}
    assert reviews(first["resource"]) == [(3, "A1", NUMBER, [])]


async def test_what_a_bundle_was_granted_is_found_by_member_and_not_by_its_ids(replicas, clearinghouse, tenant):
    await submit(replicas[0], tenant, whole())
    answer = await call(replicas[0], tenant, "FindAuthorization", records.find())
    assert answer.authorizations[0].number == NUMBER
    other = records.COVERAGE | {"subscriberId": "TST100000002"}
    answer = await call(replicas[0], tenant, "FindAuthorization", records.find(coverage=other))
    assert answer.authorizations[0].number == ""


async def test_a_hundred_at_once_over_two_replicas_ask_the_payer_once(replicas, clearinghouse, tenant):
    clearinghouse.wait_s = 0.3
    message = whole()
    keyed = [whole(idempotency_key=f"k{number}") for number in range(50)]
    answers = await asyncio.gather(
        *(call(replicas[n % 2], tenant, "SubmitFhir", message) for n in range(50)),
        *(call(replicas[n % 2], tenant, "SubmitFhir", one) for n, one in enumerate(keyed)),
    )
    assert len(clearinghouse.asked) == 1
    assert len({answer.resource for answer in answers}) == 1
    rows = await replicas[0].rows("select 1 from authorization_standing where tenant = $1", tenant)
    assert len(rows) == 1
    assert len(await replicas[0].told(tenant, 1)) == 1


async def test_every_item_is_asked_and_keeps_its_sequence(replicas, clearinghouse, tenant):
    def by_code(text):
        return decided("A1", NUMBER)(text) if asked(text).services[0].code == "70553" else decided("A4")(text)

    clearinghouse.answer = by_code
    status, response = await submit(replicas[0], tenant, alone(claim([item(9), item(2, "J0897")])))
    assert (status, response["outcome"]) == ("queued", "queued")
    assert reviews(response) == [(9, "A1", NUMBER, []), (2, "A4", "", [])]
    clearinghouse.answer = decided("A1", "AUTH00000002")
    told = await replicas[0].told(tenant, 3)
    assert [row["type"] for row in told] == ["authorization.determined"] * 3
    found = await inquire(replicas[1], tenant, alone(claim([item(9), item(2, "J0897")])))
    assert reviews(first_response(found)) == [(9, "A1", NUMBER, []), (2, "A1", "AUTH00000002", [])]


async def test_a_payer_that_does_not_answer_in_time_pends(replicas, clearinghouse, tenant):
    clearinghouse.wait_s = 3.0
    started = datetime.now(UTC)
    status, answer = await submit(replicas[0], tenant, whole())
    assert datetime.now(UTC) - started < timedelta(seconds=10)
    response = answer["entry"][0]["resource"]
    assert (status, response["outcome"]) == ("queued", "partial")
    assert reviews(response) == [(3, "A4", "", [])]
    clearinghouse.wait_s = 0.0
    told = [Envelope.FromString(row["envelope"]) for row in await replicas[0].told(tenant, 4)]
    decided_later = [one for one in told if one.type == "authorization.determined"][-1]
    carried = read(pb.AuthorizationDetermined.FromString(decided_later.body).claim_response_json)
    assert validate(carried) == []
    assert (carried["id"], carried["entry"][0]["resource"]["outcome"]) == (answer["id"], "complete")
    assert reviews(carried["entry"][0]["resource"]) == [(3, "A1", NUMBER, [])]


async def test_a_denial_says_why(replicas, clearinghouse, tenant):
    clearinghouse.answer = decided("A3", reasons=("0V",))
    status, response = await submit(replicas[0], tenant, alone())
    assert (status, reviews(response)) == ("complete", [(3, "A3", "", ["0V"])])
    assert "preAuthRef" not in response


async def test_what_needs_none_is_said_by_the_payer(replicas, clearinghouse, tenant):
    clearinghouse.answer = decided("NA")
    status, response = await submit(replicas[0], tenant, alone(claim([item(1, "71046")])))
    assert (status, reviews(response)) == ("complete", [(1, "NA", "", [])])
    assert len(clearinghouse.asked) == 1


async def test_a_reject_reason_is_an_error(replicas, clearinghouse, tenant):
    clearinghouse.answer = lambda text: refusal_to(text, datetime.now(UTC), "75")
    status, response = await submit(replicas[0], tenant, alone())
    assert (status, response["outcome"], "item" in response) == ("error", "error", False)
    assert response["error"][0]["code"]["coding"][0]["code"] == "75"
    assert response["error"][0]["itemSequence"] == 3


UNKNOWN = records.PAYOR | {"identifier": [{"value": "NOBODY"}]}
REFERRAL = item(3, productOrService=sent.concept("https://codesystem.x12.org/005010/1365", "3"))


@pytest.mark.parametrize(
    ("content", "people", "reason"),
    [
        (claim(), (*sent.PEOPLE[:2], UNKNOWN, records.PROVIDER), "payer-unknown"),
        (claim([REFERRAL]), sent.PEOPLE, "service-code-missing"),
        (claim(), (*sent.PEOPLE[:3], records.PROVIDER | {"identifier": []}), "provider-unknown"),
    ],
)
async def test_what_cannot_be_asked_is_an_error_and_nobodys_work(
    replicas, clearinghouse, tenant, content, people, reason
):
    people = tuple({name: value for name, value in one.items() if value != []} for one in people)
    status, response = await submit(replicas[0], tenant, alone(content, people))
    assert (status, response["error"][0]["code"]["coding"][0]["code"]) == ("error", reason)
    assert clearinghouse.asked == []
    assert await replicas[0].rows("select 1 from outbox where tenant = $1", tenant) == []


async def inquire(service, tenant, request):
    asking = pb.InquireFhirRequest(resource=request.resource, context=request.context, client_id=request.client_id)
    answer = await call(service, tenant, "InquireFhir", asking)
    for content in (answer.resource, answer.single):
        assert validate(read(content)) == []
    return answer


def first_response(answer):
    return read(answer.single)["entry"][0]["resource"]


async def test_an_inquiry_finds_what_was_submitted_and_narrows_it(replicas, clearinghouse, tenant):
    await submit(replicas[0], tenant, whole())
    other = claim([item(1, "74177")], id="pa2", identifier=[{"value": "R-2"}])
    await submit(replicas[0], tenant, alone(other))
    everything = await inquire(replicas[1], tenant, alone(claim(item=None, identifier=None), client_id="client-9"))
    assert (everything.matches, everything.status) == (2, "complete")
    parameters = read(everything.resource)["parameter"]
    assert [(one["name"], one["resource"]["type"]) for one in parameters] == [("responseBundle", "collection")] * 2
    kinds = [entry["resource"]["resourceType"] for entry in read(everything.single)["entry"]]
    assert kinds[:2] == ["ClaimResponse"] * 2
    assert "ClaimResponse" not in kinds[2:]
    for content, matches in (
        (claim(item=None), 1),
        (claim([item(1, "74177")], identifier=None), 1),
        (claim([item(1, "74177")]), 0),
        (claim(item=None, identifier=[{"value": "R-9"}]), 0),
    ):
        assert (await inquire(replicas[0], tenant, alone(content))).matches == matches


async def test_an_inquiry_without_a_match_is_empty_in_both_versions(replicas, clearinghouse, tenant):
    answer = await inquire(replicas[0], tenant, whole())
    assert (answer.status, answer.matches, read(answer.resource)) == ("none", 0, {"resourceType": "Parameters"})
    assert (first_response(answer)["outcome"], "item" in first_response(answer)) == ("complete", False)
    await submit(replicas[0], tenant, whole())
    assert (await inquire(replicas[0], f"{tenant}x", whole())).matches == 0


MODIFIED = [{"url": f"{PAS}/modifierextension-infoCancelled", "valueBoolean": True}]
MONTH = item(1, servicedDate="2026-03")
LATER = bundle(people=(records.PATIENT,))


@pytest.mark.parametrize(
    ("content", "code", "path"),
    [
        (
            bundle(claim([item(1, servicedDate="2026-03")])),
            "date-partial",
            "Bundle.entry[0].resource.item[0].servicedDate",
        ),
        (
            bundle(claim([item(1, modifierExtension=MODIFIED)])),
            "modifier-extension",
            "Bundle.entry[0].resource.item[0].modifierExtension",
        ),
        (bundle(claim(item=None)), "items-missing", "Bundle.entry[0].resource.item"),
        (LATER, "reference-unresolved", "Bundle.entry[0].resource.insurance[0].coverage"),
        (bundle() | {"identifier": None}, "bundle-identifier", "Bundle.identifier"),
        (bundle() | {"timestamp": None}, "bundle-timestamp", "Bundle.timestamp"),
        (bundle() | {"entry": bundle()["entry"][::-1]}, "entry-first", "Bundle.entry[0]"),
        (bundle(type="searchset"), "submit-type", "Bundle.type"),
        (bundle(claim(created="2026")), "date-partial", "Bundle.entry[0].resource.created"),
    ],
)
async def test_a_request_that_cannot_be_read_says_where(replicas, clearinghouse, tenant, content, code, path):
    content = {name: value for name, value in content.items() if value is not None}
    if code == "date-partial" and "created" in path:
        del content["entry"][0]["resource"]["item"][0]["servicedDate"]
    with pytest.raises(Unreadable) as unreadable:
        await submit(replicas[0], tenant, whole(content))
    assert (unreadable.value.code, unreadable.value.path) == (code, path)
    assert clearinghouse.asked == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"use": "claim"}, "use-not-taken"),
        ({"status": "cancelled"}, "claim-not-active"),
        ({"related": [{"claim": {"reference": "Claim/1"}}]}, "related-claim-not-taken"),
    ],
)
async def test_what_is_not_taken_here_is_refused(replicas, clearinghouse, tenant, changes, code):
    with pytest.raises(Refused) as refused:
        await submit(replicas[0], tenant, alone(claim(**changes)))
    assert (refused.value.code, clearinghouse.asked) == (code, [])


async def test_a_key_stands_for_one_content(replicas, clearinghouse, tenant):
    await submit(replicas[0], tenant, alone(idempotency_key="k1"))
    with pytest.raises(Refused) as refused:
        await submit(replicas[1], tenant, alone(claim([item(8)]), idempotency_key="k1"))
    assert refused.value.code == "idempotency-key-reused"


async def test_a_payer_that_was_away_is_asked_again_by_the_same_request_later(replicas, clearinghouse, tenant):
    clearinghouse.answer = decided("A4")
    await submit(replicas[0], tenant, alone())
    old = "update submission set answered_at = answered_at - interval '301 seconds' where tenant = $1"
    await replicas[0].rows(old, tenant)
    clearinghouse.answer = decided("A1", NUMBER)
    status, response = await submit(replicas[1], tenant, alone())
    assert (status, reviews(response)) == ("complete", [(3, "A1", NUMBER, [])])
    assert len({asked(text).trace_number for text in clearinghouse.asked}) == 1


async def test_nothing_about_a_person_is_written_or_said(replicas, clearinghouse, tenant):
    marks = ("Canary-Yew", "TSTCANARY77", "1999-12-31")
    patient = records.PATIENT | {"name": [{"family": marks[0]}], "birthDate": marks[2]}
    people = (patient, records.COVERAGE | {"subscriberId": marks[1]}, records.PAYOR, records.PROVIDER)
    await submit(replicas[0], tenant, whole(bundle(people=people)))
    with pytest.raises(Unreadable) as unreadable:
        await submit(replicas[0], tenant, whole(bundle(claim([item(1, servicedDate=marks[0])]), people)))
    clearinghouse.answer = lambda text: f"no X12 but {marks[1]} and {marks[0]}"
    await submit(replicas[0], tenant, whole(bundle(claim([item(1, "74177")]), people)))
    await asyncio.sleep(1)
    written = "".join(one.written() for one in replicas) + str(unreadable.value)
    assert [mark for mark in (*marks, "ISA*") if mark in written] == []
