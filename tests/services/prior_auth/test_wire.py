"""Orders in, 278 in both directions, and the facts as events of the line."""

from datetime import UTC, date, datetime

import prior_auth_records as records
import pytest
from asked_clearinghouse import FakeClearinghouse
from clearinghouse import Trading
from fhir_r4 import read, validate
from kernel.clock import FixedClock
from kernel.errors import Refused, Unavailable, Unreadable
from prior_auth.clients import ClearinghousePayer
from prior_auth.model import (
    Answer,
    Decision,
    Determined,
    Exchange,
    Requirement,
    Ruling,
    WorkClosed,
    WorkOpened,
)
from prior_auth.rules import decide, load_requirements
from prior_auth.wire.facts import write_fact, write_ruling
from prior_auth.wire.request import read_answer, write_278
from prior_auth.wire.resources import read_find, read_orders
from prior_auth_payer import APPROVAL, NUMBER, asked, refusal_to, reply_to
from rcm.priorauth.v1 import priorauth_pb2 as pb
from x12 import check, transaction_sets
from x12.views.authorization import Decision as X12Decision

PAYERS = load_requirements().payers
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TRADING = Trading("THROUGHLINE", "SYNCLEAR", "T")
REQUIRED = Ruling(requirement=Requirement.REQUIRED, rule_id="row-1", because="because")


def orders(resource=records.IMAGING, tenant="t1", **changes):
    return read_orders(records.order_placed(resource, **changes), "c" * 32, tenant, PAYERS, 90)


def order(resource=records.IMAGING, **changes):
    (found,) = orders(resource, **changes)
    return found


def test_a_service_request_becomes_an_order():
    found = order(encounter="Encounter/e1")
    assert (found.order, found.encounter, found.code) == ("ServiceRequest/o1", "Encounter/e1", "70553")
    assert (found.on, found.until, found.units, found.diagnoses) == (
        date(2026, 3, 20),
        date(2026, 3, 20),
        "1",
        ("R519",),
    )
    assert (found.payer_id, found.payer_name) == ("SYNPA", "Synthetic Payer A")
    assert (found.requester_npi, found.requester_name) == ("1234567893", "Sample Clinic")
    assert (found.subscriber.last, found.subscriber.member_id) == ("Sample-Alder", "TST100000001")
    assert (found.obstacle, found.off, found.urgent, found.journey_id) == ("", False, False, "c" * 32)


def test_a_drug_order_asks_for_its_units_over_a_window():
    found = order(records.DRUG)
    assert (found.code, found.units) == ("J0897", "60")
    assert (found.on, found.until) == (date(2026, 3, 10), date(2026, 6, 8))


def test_a_device_order_has_its_code_elsewhere():
    device = {
        "resourceType": "DeviceRequest",
        "id": "o3",
        "intent": "order",
        "codeCodeableConcept": {"coding": [{"system": records.HCPCS, "code": "E0601"}]},
        "subject": {"reference": "Patient/p1"},
        "occurrencePeriod": {"start": "2026-04-01", "end": "2026-04-30"},
    }
    found = order(device)
    assert (found.code, found.on, found.until) == ("E0601", date(2026, 4, 1), date(2026, 4, 30))


def test_each_billing_code_is_asked_for_once_and_others_are_not():
    coding = [{"system": records.CPT, "code": code} for code in ("70553", "70553", "72148", "NOPE")]
    several = records.IMAGING | {"code": {"coding": [*coding, {"system": "http://loinc.org", "code": "24590-2"}]}}
    assert [each.code for each in orders(several)] == ["70553", "72148"]
    assert orders(records.IMAGING | {"code": {"coding": [{"system": "http://loinc.org", "code": "1-1"}]}}) == ()
    assert orders(records.IMAGING | {"code": {"text": "head study"}}) == ()


def test_an_order_that_was_carried_out_asks_for_nothing():
    assert orders(records.IMAGING | {"status": "completed"}) == ()


def test_ids_are_derived_and_differ_between_codes_and_tenants():
    assert order().authorization_id == order().authorization_id
    assert order().authorization_id != order(tenant="t2").authorization_id
    assert order().authorization_id != order(records.DRUG).authorization_id
    assert order().trace() == order(encounter="Encounter/e1").trace()
    assert order().trace() != order(records.IMAGING | {"priority": "urgent"}).trace()


@pytest.mark.parametrize(
    ("changes", "obstacle"),
    [
        ({}, ""),
        ({"coverage": None, "payor": None}, "no-coverage"),
        ({"payor": None}, "payer-unknown"),
        ({"coverage": records.COVERAGE | {"subscriberId": ""}}, "member-id-missing"),
        ({"patient": records.PATIENT | {"name": []}}, "name-missing"),
        ({"provider": None}, ""),
        ({"provider": None, "requester": None}, "provider-unknown"),
    ],
)
def test_what_keeps_us_from_asking_is_named(changes, obstacle):
    assert order(**changes).obstacle == obstacle


def test_the_practitioner_asks_where_the_organisation_has_no_npi():
    found = order(provider=None)
    assert (found.requester_npi, found.requester_name) == ("1003000126", "Test-Birch")


@pytest.mark.parametrize("change", [{"status": "revoked"}, {"status": "entered-in-error"}, {"doNotPerform": True}])
def test_a_withdrawn_order_is_off(change):
    assert order(records.IMAGING | change).off


@pytest.mark.parametrize(
    ("resource", "changes", "code"),
    [
        (records.IMAGING, {"patient": None}, "order-incomplete"),
        (records.IMAGING | {"occurrenceDateTime": "soon"}, {}, "date-format"),
        ({k: v for k, v in records.DRUG.items() if k != "authoredOn"}, {}, "order-date-missing"),
    ],
)
def test_what_is_no_order_is_unreadable(resource, changes, code):
    with pytest.raises(Unreadable) as caught:
        orders(resource, **changes)
    assert caught.value.code == code


def test_a_claim_asks_about_the_same_subject():
    subject, questions = read_find(records.find(codes=["70553", "99213"], diagnoses=["R51.9"], place_of_service="22"))
    assert subject == order().subject_key
    assert [(each.code, each.on, each.diagnoses) for each in questions] == [
        ("70553", date(2026, 3, 20), ("R519",)),
        ("99213", date(2026, 3, 20), ("R519",)),
    ]
    assert read_find(records.find(coverage=records.COVERAGE | {"id": "c2"}))[0] != subject


def test_the_278_is_clean_and_asks_for_what_was_ordered():
    text = write_278(order(), TRADING, NOW)
    (ts,) = transaction_sets(text)
    assert [finding for finding in check(ts) if finding.severity == "error"] == []
    request = asked(text)
    assert (request.umo_id, request.requester_npi) == ("SYNPA", "1234567893")
    assert (request.services[0].code, request.services[0].units) == ("70553", "1")
    assert (request.event_from, request.trace_number) == (date(2026, 3, 20), order().trace())
    assert [diagnosis.code for diagnosis in request.diagnoses] == ["R519"]
    assert request.subscriber.member_id == "TST100000001"


def test_an_urgent_drug_order_over_a_window_is_clean_too():
    text = write_278(order(records.DRUG | {"priority": "stat"}), TRADING, NOW)
    (ts,) = transaction_sets(text)
    assert [finding for finding in check(ts) if finding.severity == "error"] == []
    request = asked(text)
    assert (request.level_of_service, request.services[0].units) == ("U", "60")
    assert (request.event_from, request.event_to) == (date(2026, 3, 10), date(2026, 6, 8))


@pytest.mark.parametrize("on_service", [False, True])
def test_an_approval_is_read_wherever_the_payer_put_it(on_service):
    reply = reply_to(write_278(order(), TRADING, NOW), NOW, on_service=on_service)
    answer = read_answer(reply, order())
    assert (answer.action, answer.number) == ("A1", NUMBER)
    assert (answer.valid_from, answer.valid_to) == (APPROVAL.effective_from, APPROVAL.effective_to)


@pytest.mark.parametrize("action", ["A2", "A3", "A4", "A6", "CT", "NA"])
def test_other_decisions_are_read(action):
    sent = write_278(order(), TRADING, NOW)
    answer = read_answer(reply_to(sent, NOW, decision=X12Decision(action=action, reasons=("0C",))), order())
    assert (answer.action, answer.number) == (action, "")


def test_a_refusal_and_its_code_are_heard():
    answer = read_answer(refusal_to(write_278(order(), TRADING, NOW), NOW, "75"), order())
    assert answer.rejections == ("75",)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: "<html>down</html>", "278-unreadable"),
        (lambda text: "", "278-refused"),
        (lambda text: text.replace("ST*278", "ST*999"), "278-refused"),
    ],
)
def test_what_is_no_278_is_unreadable(change, code):
    reply = reply_to(write_278(order(), TRADING, NOW), NOW)
    with pytest.raises(Unreadable) as caught:
        read_answer(change(reply), order())
    assert caught.value.code == code


def test_the_answer_to_another_request_is_not_ours():
    reply = reply_to(write_278(order(), TRADING, NOW), NOW, trace="SOMETHINGELSE")
    with pytest.raises(Unreadable) as caught:
        read_answer(reply, order())
    assert caught.value.code == "278-foreign"


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (Unavailable("clearinghouse-timeout", "no answer"), "timeout"),
        (TimeoutError(), "timeout"),
        (Unavailable("clearinghouse-unavailable", "down"), "clearinghouse-unavailable"),
        (Refused("clearinghouse-refused", "no"), "clearinghouse-refused"),
        (lambda text: "garbage", "278-unreadable"),
        (lambda text: reply_to(text, NOW), ""),
    ],
)
async def test_a_failure_outside_is_a_reason_in_the_exchange(answer, failure):
    exchange = await ClearinghousePayer(FakeClearinghouse(answer), TRADING, FixedClock(NOW), 5.0).ask(order())
    assert exchange.failure == failure
    assert (exchange.answer is None) is bool(failure)
    assert exchange.sent


async def test_a_record_that_x12_cannot_carry_is_not_sent():
    clearinghouse = FakeClearinghouse(lambda text: text)
    hostile = order(coverage=records.COVERAGE | {"subscriberId": "TST~1*2"})
    exchange = await ClearinghousePayer(clearinghouse, TRADING, FixedClock(NOW), 5.0).ask(hostile)
    assert (exchange.failure, clearinghouse.sent) == ("request-unbuildable", [])


@pytest.mark.parametrize(
    ("answer", "decision", "number"),
    [
        (Answer(action="A1", number="N1"), pb.DECISION_APPROVED, "N1"),
        (Answer(action="A3"), pb.DECISION_DENIED, ""),
        (Answer(action="A4"), pb.DECISION_PENDED, ""),
        (None, pb.DECISION_UNKNOWN, ""),
    ],
)
def test_a_determination_is_told_as_it_stands(answer, decision, number):
    ordered = order(encounter="Encounter/e1")
    found = decide(ordered, REQUIRED, Exchange(answer=answer, failure="" if answer else "timeout"), NOW, 1)
    event_type, body = write_fact(Determined(ordered, found), NOW)
    told = body.authorization
    assert (event_type, body.encounter) == ("authorization.determined", "Encounter/e1")
    assert (told.requirement, told.decision, told.number) == (pb.REQUIREMENT_REQUIRED, decision, number)
    assert (told.code, told.payer_id, told.order, told.rule_id) == ("70553", "SYNPA", "ServiceRequest/o1", "row-1")
    assert told.valid_from == ("2026-03-20" if number else "")


def test_decisions_and_requirements_have_a_message_each():
    for requirement in Requirement:
        assert write_ruling(Ruling(requirement=requirement)).requirement in pb.Requirement.values()
    assert {decision.value for decision in Decision} == {
        "not-asked",
        "approved",
        "partial",
        "denied",
        "pended",
        "unknown",
    }


@pytest.mark.parametrize("encounter", ["", "Encounter/e1"])
def test_a_needed_authorization_is_a_valid_task(encounter):
    event_type, body = write_fact(WorkOpened("w1", order(encounter=encounter), "hcr-a3"), NOW)
    task = read(body.task)
    assert (event_type, body.kind, body.owner) == ("work.opened", "authorization-needed", "authorization")
    assert (body.due_on, body.encounter, body.reason) == ("2026-03-20", encounter, "hcr-a3")
    assert validate(task) == []
    assert (task["focus"]["reference"], task["for"]["reference"]) == ("ServiceRequest/o1", "Patient/p1")
    assert task["restriction"]["period"]["end"] == "2026-03-20"
    assert ("encounter" in task) is bool(encounter)


@pytest.mark.parametrize(("outcome", "status"), [("resolved", "completed"), ("cancelled", "cancelled")])
def test_a_closed_one_is_the_same_task_done(outcome, status):
    event_type, body = write_fact(WorkClosed("w1", order(), outcome), NOW)
    task = read(body.task)
    assert (event_type, body.outcome, task["id"], task["status"]) == ("work.closed", outcome, "w1", status)
    assert validate(task) == []
