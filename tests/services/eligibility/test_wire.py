"""FHIR and X12 in both directions, and the facts as events of the line."""

from datetime import UTC, date, datetime
from decimal import Decimal

import eligibility_records as records
import pytest
from asked_clearinghouse import FakeClearinghouse
from clearinghouse import Trading
from eligibility.clients import ClearinghousePayer
from eligibility.model import (
    Answer,
    Benefit,
    CoverageFound,
    Exchange,
    GapClosed,
    GapOpened,
    Status,
)
from eligibility.rules import load_tables, verify
from eligibility.wire.facts import write_fact, write_verification
from eligibility.wire.inquiry import read_answer, trace_of, write_270
from eligibility.wire.resources import read_appointment, read_check_in, read_request
from eligibility.wire.response import write_response
from eligibility_payer import ACTIVE, asked, refusal_to, reply_to
from fhir_r4 import read, validate
from kernel.clock import FixedClock
from kernel.errors import Refused, Unavailable, Unreadable
from kernel.identifiers import uuid7
from kernel.person import Person
from rcm.eligibility.v1 import eligibility_pb2 as pb
from x12 import check, transaction_sets
from x12.views.eligibility import Benefit as X12Benefit
from x12.views.eligibility import OtherPayer
from x12.views.parties import Member

TABLES = load_tables()
NOW = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
TRADING = Trading("THROUGHLINE", "SYNCLEAR", "T")
JOURNEY = "b" * 32


def question(**changes):
    return read_check_in(records.encounter_started(**changes), JOURNEY, TABLES.payers).question


def test_an_appointment_becomes_a_question():
    visit = read_appointment(records.appointment_booked(), JOURNEY, TABLES.payers)
    found = visit.question
    assert (visit.off, visit.starts_at) == (False, datetime(2026, 3, 10, 14, 30, tzinfo=UTC))
    assert (found.patient, found.coverage, found.payor) == ("Patient/p1", "Coverage/c1", "Organization/payer-a")
    assert (found.payer_id, found.payer_name) == ("SYNPA", "Synthetic Payer A")
    assert (found.provider_npi, found.provider_name) == ("1234567893", "Sample Clinic")
    assert found.subscriber == Person("Sample-Alder", "Nora", date(1980, 5, 17), "F", "TST100000001")
    assert (found.appointment, found.encounter, found.journey_id) == ("Appointment/a1", "", JOURNEY)
    assert (found.on, found.obstacle, found.dependent) == (date(2026, 3, 10), "", None)


@pytest.mark.parametrize("status", ["cancelled", "noshow", "entered-in-error"])
def test_an_appointment_that_will_not_take_place_is_off(status):
    booked = records.appointment_booked(appointment={"status": status})
    assert read_appointment(booked, "", TABLES.payers).off


def test_the_subject_stays_the_same_over_events_and_requests():
    keys = {
        question().subject_key,
        read_appointment(records.appointment_booked(), "", TABLES.payers).question.subject_key,
        read_request(records.coverage_on(), TABLES.payers).subject_key,
    }
    assert len(keys) == 1
    assert question(coverage=records.COVERAGE | {"id": "c2"}).subject_key not in keys


def test_events_and_requests_about_the_same_facts_are_one_question():
    assert question().digest() == read_request(records.coverage_on(), TABLES.payers).digest()
    other = records.PATIENT | {"birthDate": "1980-05-18"}
    assert question().digest() != question(patient=other).digest()


@pytest.mark.parametrize(
    ("changes", "obstacle"),
    [
        ({}, ""),
        ({"coverage": None, "payor": None}, "no-coverage"),
        ({"payor": None}, "payer-unknown"),
        ({"payor": records.PAYOR | {"identifier": [{"value": "SYNPZ"}]}}, "payer-unknown"),
        ({"coverage": records.COVERAGE | {"subscriberId": ""}}, "member-id-missing"),
        ({"patient": records.PATIENT | {"name": []}}, "name-missing"),
        ({"provider": None}, "provider-unknown"),
        ({"provider": records.PROVIDER | {"identifier": []}}, "provider-unknown"),
    ],
)
def test_what_keeps_us_from_asking_is_named(changes, obstacle):
    assert question(**changes).obstacle == obstacle


def test_a_payer_out_of_force_is_unknown():
    assert question(date="2019-12-31").obstacle == "payer-unknown"


def test_the_member_id_may_stand_in_a_typed_identifier():
    coverage = {name: value for name, value in records.COVERAGE.items() if name != "subscriberId"}
    coverage["identifier"] = [
        {"type": {"coding": [{"code": "SN"}]}, "value": "WRONG"},
        {"type": {"coding": [{"code": "MB"}]}, "value": "TST100000009"},
    ]
    assert question(coverage=coverage).subscriber.member_id == "TST100000009"


def test_a_dependent_is_asked_about_on_the_holders_policy():
    coverage = records.COVERAGE | {
        "relationship": {"coding": [{"code": "child"}]},
        "subscriber": {"reference": "#holder"},
        "contained": [{"resourceType": "Patient", "id": "holder", "name": [{"family": "Sample-Elm"}]}],
    }
    found = question(coverage=coverage)
    assert (found.subscriber.last, found.subscriber.member_id) == ("Sample-Elm", "TST100000001")
    assert (found.dependent.last, found.dependent.member_id) == ("Sample-Alder", "")
    inquiry = asked(write_270(found, uuid7(), TRADING, NOW))
    assert (inquiry.subscriber.last, inquiry.dependent.last) == ("SAMPLE-ELM", "SAMPLE-ALDER")


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"patient": None}, "patient-missing"), ({"date": "10.03.2026"}, "date-format"), ({"date": ""}, "date-format")],
)
def test_what_cannot_be_a_question_is_unreadable(changes, code):
    with pytest.raises(Unreadable) as caught:
        question(**changes)
    assert caught.value.code == code


def test_the_270_is_clean_and_asks_what_we_want_to_know():
    verification_id = uuid7()
    text = write_270(question(), verification_id, TRADING, NOW)
    (ts,) = transaction_sets(text)
    assert [finding for finding in check(ts) if finding.severity == "error"] == []
    inquiry = asked(text)
    assert (inquiry.payer_id, inquiry.provider_npi) == ("SYNPA", "1234567893")
    assert (inquiry.subscriber.member_id, inquiry.subscriber.birth_date) == ("TST100000001", date(1980, 5, 17))
    assert (inquiry.service_date, inquiry.service_types) == (date(2026, 3, 10), ("30",))
    assert inquiry.trace_number == trace_of(verification_id)


def test_names_with_reserved_characters_are_cleaned_not_sent():
    patient = records.PATIENT | {"name": [{"family": "Núñez~Sample*Fir", "given": ["An:na"]}]}
    inquiry = asked(write_270(question(patient=patient), uuid7(), TRADING, NOW))
    assert (inquiry.subscriber.last, inquiry.subscriber.first) == ("NUNEZ SAMPLE FIR", "AN NA")


def test_the_271_becomes_an_answer_with_exact_amounts():
    verification_id = uuid7()
    sent = write_270(question(), verification_id, TRADING, NOW)
    answer = read_answer(reply_to(sent, NOW), verification_id)
    assert (answer.active, answer.rejections, answer.authorization) == (True, (), False)
    assert (answer.plan_begin, answer.plan_end) == (date(2026, 1, 1), date(2026, 12, 31))
    assert answer.benefits == (
        Benefit(kind="copay", service_type="98", amount_cents=2500, network="in"),
        Benefit(kind="coinsurance", service_type="30", percent="20", network="in"),
        Benefit(kind="deductible", service_type="30", amount_cents=100000, network="in"),
        Benefit(kind="deductible-remaining", service_type="30", amount_cents=45050, network="in"),
    )


def test_authorization_and_another_primary_payer_are_heard():
    verification_id = uuid7()
    sent = write_270(question(), verification_id, TRADING, NOW)
    other = OtherPayer(name="SYNTHETIC PAYER B", id="SYNPB", responsibility="P")
    benefits = (ACTIVE, X12Benefit(code="R", service_types=("30",), other_payer=other))
    wanted = X12Benefit(code="1", service_types=("4",), authorization="Y")
    answer = read_answer(reply_to(sent, NOW, benefits=(*benefits, wanted)), verification_id)
    assert (answer.other_payer_id, answer.authorization) == ("SYNPB", True)


def test_a_refusal_and_its_code_are_heard():
    verification_id = uuid7()
    sent = write_270(question(), verification_id, TRADING, NOW)
    answer = read_answer(refusal_to(sent, NOW, "72"), verification_id)
    assert (answer.rejections, answer.active) == (("72",), None)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: "<html>down</html>", "271-unreadable"),
        (lambda text: "", "271-refused"),
        (lambda text: text.replace("ST*271", "ST*999"), "271-refused"),
    ],
)
def test_what_is_no_271_is_unreadable(change, code):
    verification_id = uuid7()
    reply = reply_to(write_270(question(), verification_id, TRADING, NOW), NOW)
    with pytest.raises(Unreadable) as caught:
        read_answer(change(reply), verification_id)
    assert caught.value.code == code


def test_the_answer_to_another_question_is_not_ours():
    reply = reply_to(write_270(question(), uuid7(), TRADING, NOW), NOW)
    with pytest.raises(Unreadable) as caught:
        read_answer(reply, uuid7())
    assert caught.value.code == "271-foreign"


async def through(answer):
    clearinghouse = FakeClearinghouse(answer)
    payer = ClearinghousePayer(clearinghouse, TRADING, FixedClock(NOW), 5.0)
    return await payer.ask(question(), uuid7()), clearinghouse


async def test_an_exchange_keeps_both_raw_texts():
    exchange, clearinghouse = await through(lambda text: reply_to(text, NOW))
    assert exchange.sent.decode() == clearinghouse.sent[0]
    assert exchange.received.startswith(b"ISA")
    assert (exchange.failure, exchange.answer.active) == ("", True)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (Unavailable("clearinghouse-timeout", "no answer"), "timeout"),
        (TimeoutError(), "timeout"),
        (Unavailable("clearinghouse-unavailable", "down"), "clearinghouse-unavailable"),
        (Refused("clearinghouse-refused", "no"), "clearinghouse-refused"),
        (lambda text: "garbage", "271-unreadable"),
    ],
)
async def test_a_failure_outside_is_a_reason_in_the_exchange(answer, failure):
    exchange, _ = await through(answer)
    assert (exchange.failure, exchange.answer) == (failure, None)
    assert exchange.sent


async def test_a_record_that_x12_cannot_carry_is_not_sent():
    clearinghouse = FakeClearinghouse(lambda text: text)
    payer = ClearinghousePayer(clearinghouse, TRADING, FixedClock(NOW), 5.0)
    hostile = question(coverage=records.COVERAGE | {"subscriberId": "TST~1*2"})
    exchange = await payer.ask(hostile, uuid7())
    assert (exchange.failure, clearinghouse.sent) == ("inquiry-unbuildable", [])


def verified(answer=None, failure="", **changes):
    asked_about = question(**changes)
    exchange = Exchange(verification_id=uuid7(), answer=answer, failure=failure)
    return asked_about, verify(asked_about, exchange, TABLES, NOW)


OUTCOMES = {
    "active": verified(Answer(active=True, benefits=(Benefit(kind="copay", service_type="98", amount_cents=2500),))),
    "inactive": verified(Answer(active=False)),
    "rejected": verified(Answer(rejections=("71",))),
    "mismatch": verified(Answer(active=True, person=Person(last="OTHER"))),
    "waiting": verified(failure="timeout"),
    "no-coverage": verified(coverage=None, payor=None),
    "payer-unknown": verified(payor=records.PAYOR | {"id": "z", "identifier": [{"value": "SYNPZ"}]}),
    "no-provider": verified(provider=None),
    "dental": verified(
        Answer(
            active=True,
            authorization=True,
            plan_begin=date(2026, 1, 1),
            benefits=(
                Benefit(kind="limitation", service_type="35"),
                Benefit(kind="coinsurance", service_type="35", percent="12.5", network="out"),
                Benefit(kind="deductible-remaining", service_type="", amount_cents=1, network="in"),
            ),
        )
    ),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_response_is_valid_fhir(name):
    response = read(write_verification(*OUTCOMES[name]).response_json)
    assert validate(response) == []


@pytest.mark.parametrize(
    ("name", "outcome", "inforce", "errors"),
    [
        ("active", "complete", True, 0),
        ("inactive", "complete", False, 1),
        ("rejected", "error", None, 1),
        ("mismatch", "complete", True, 1),
        ("waiting", "queued", None, 1),
        ("no-coverage", "error", None, 1),
    ],
)
def test_the_response_says_what_was_found_and_no_more(name, outcome, inforce, errors):
    response = write_response(*OUTCOMES[name])
    insurance = response.get("insurance", [{}])[0]
    assert (response["outcome"], insurance.get("inforce")) == (outcome, inforce)
    assert len(response.get("error", [])) == errors
    assert ("insurance" in response) is (name != "no-coverage")


def test_money_in_the_response_is_exact():
    (item,) = write_response(*OUTCOMES["active"])["insurance"][0]["item"]
    assert item["benefit"][0]["allowedMoney"] == {"value": Decimal("25.00"), "currency": "USD"}
    assert b"25.00" in write_verification(*OUTCOMES["active"]).response_json


@pytest.mark.parametrize(
    ("name", "event", "status"),
    [
        ("active", "coverage.verified", pb.COVERAGE_STATUS_ACTIVE),
        ("waiting", "coverage.verified", pb.COVERAGE_STATUS_UNKNOWN),
        ("inactive", "coverage.gap_found", pb.COVERAGE_STATUS_INACTIVE),
        ("rejected", "coverage.gap_found", pb.COVERAGE_STATUS_REJECTED),
        ("mismatch", "coverage.gap_found", pb.COVERAGE_STATUS_ACTIVE),
        ("no-coverage", "coverage.gap_found", pb.COVERAGE_STATUS_UNKNOWN),
    ],
)
def test_the_event_of_an_outcome(name, event, status):
    event_type, body = write_fact(CoverageFound(*OUTCOMES[name]), NOW)
    assert (event_type, body.verification.status) == (event, status)
    assert body.verification.date == "2026-03-10"


def test_the_message_carries_mismatches_and_their_remedies():
    message = write_verification(*OUTCOMES["rejected"])
    assert [(m.field, m.aaa) for m in message.mismatches] == [("birth-date", "71")]
    assert message.mismatches[0].remedy
    assert (message.reason, message.payer_id) == ("aaa-71", "SYNPA")


@pytest.mark.parametrize("name", ["inactive", "no-coverage"])
def test_a_gap_is_a_valid_task_that_names_reason_and_deadline(name):
    asked_about, _ = OUTCOMES[name]
    event_type, body = write_fact(GapOpened("w1", asked_about, name), NOW)
    task = read(body.task)
    assert (event_type, body.kind, body.owner) == ("work.opened", "coverage-gap", "front-desk")
    assert body.due_on == "2026-03-10"
    assert validate(task) == []
    assert (task["status"], task["intent"]) == ("requested", "order")
    assert task["code"]["coding"][0]["code"] == "coverage-gap"
    assert task["businessStatus"]["coding"][0]["code"] == name
    assert task["restriction"]["period"]["end"] == "2026-03-10"
    assert task["focus"]["reference"] == ("Patient/p1" if name == "no-coverage" else "Coverage/c1")
    assert task["encounter"]["reference"] == "Encounter/e1"


@pytest.mark.parametrize(("outcome", "status"), [("resolved", "completed"), ("cancelled", "cancelled")])
def test_a_closed_gap_is_the_same_task_done(outcome, status):
    event_type, body = write_fact(GapClosed("w1", question(), outcome), NOW)
    task = read(body.task)
    assert (event_type, body.work_id, body.outcome, task["id"], task["status"]) == (
        "work.closed",
        "w1",
        outcome,
        "w1",
        status,
    )
    assert validate(task) == []


def test_the_payers_own_name_and_number_come_back():
    verification_id = uuid7()
    sent = write_270(question(), verification_id, TRADING, NOW)
    other = Member("SAMPLE-BIRCH", "NORA", "TST100000002", date(1980, 5, 17), "F")
    answer = read_answer(reply_to(sent, NOW, subscriber=other), verification_id)
    found = verify(question(), Exchange(verification_id=verification_id, answer=answer), TABLES, NOW)
    assert (found.status, [m.field for m in found.mismatches]) == (Status.ACTIVE, ["name", "member-id"])
