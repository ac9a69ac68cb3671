"""Formats in and out: nothing of the record is lost on the way to the 837, and all FHIR that we write is valid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import fhir_r4
import pytest
from claims_gateway.handlers.building import _numbered
from claims_gateway.model import Claim, ClaimMoved, FileUnmatched, WorkClosed, WorkOpened
from claims_gateway.rules import RuleBook
from claims_gateway.wire.charges import read_charges
from claims_gateway.wire.facts import work_id, write_fact
from claims_gateway.wire.mail import Mail, read_mail
from claims_gateway.wire.professional import build_batch, claim_file
from claims_gateway.wire.resources import claim_resource
from gateway_world import (
    BILLING,
    JOURNEY,
    LAB,
    NOW,
    ORDERING,
    RENDERING,
    SENDER,
    SERVED,
    charges,
    claim,
    line,
    resources,
    service_line,
    with_insurance,
    with_visit,
)
from kernel.codes import LINE
from kernel.errors import Unreadable
from rcm.claims.v1 import claims_pb2
from rcm.work.v1 import work_pb2
from x12 import Envelope, check, transaction_sets
from x12.views.acknowledgment import (
    ClaimAcknowledgment,
    ClaimStatus,
    GroupAcknowledgment,
    InterchangeAcknowledgment,
    SetAcknowledgment,
    Status,
    build_277ca,
    build_999,
    build_ta1,
)
from x12.views.claim import Claim837, read_837p


def read(record: dict[str, dict[str, Any]], **changed: Any) -> Claim:
    body = charges(record=record, **changed)
    return _numbered(replace(claim(), draft=read_charges(body, JOURNEY, 1, "")))


def sent(made: Claim, book: RuleBook) -> Claim837:
    """What the payer reads."""
    batch = build_batch([made], book.payers, SENDER, 7, NOW)
    assert batch.refused == ()
    [transaction_set] = transaction_sets(batch.content)
    assert [found for found in check(transaction_set) if found.severity == "error"] == []
    [found] = read_837p(transaction_set)
    return found


def test_the_whole_record_reaches_the_837(book: RuleBook) -> None:
    found = sent(read(resources()), book)
    assert (found.control_number, found.total_cents, found.frequency) == ("BCDFGHJKMNPQRSTV1", 21500, "1")
    patient = found.subscriber
    assert (patient.last, patient.first, patient.middle, patient.gender) == ("Sample-Alder", "Testa", "Q", "F")
    assert (patient.member_id, patient.birth_date.isoformat()) == ("SYN000111222", "1980-05-06")  # type: ignore[union-attr]
    assert (found.billing.npi, found.billing.tax_id, found.billing.name) == (BILLING, "123456789", "Example Clinic")
    assert (found.payer.id, found.coverage.filing_indicator, found.coverage.responsibility) == ("SYNPA", "CI", "P")
    assert found.rendering is not None
    assert (found.rendering.npi, found.rendering.last) == (RENDERING, "Test-Birch")
    assert [(row.code, row.qualifier) for row in found.diagnoses] == [("E119", "ABK")]


def test_every_line_keeps_code_modifiers_units_dates_and_its_number(book: RuleBook) -> None:
    lines = [
        service_line(modifiers=["25", "95"], place_of_service="10"),
        service_line(**(LAB | {"units": "2", "modifiers": ["59"]})),
        service_line(line_id="l3", code="J1885", units="2", ndc="99999188501", ndc_quantity="2", ndc_unit="ML"),
    ]
    visit, lab, drug = sent(read(resources(), lines=lines), book).lines
    assert (visit.code, visit.modifiers, visit.date_from, visit.pointers) == ("99213", ("25", "95"), SERVED, (1,))
    assert (lab.units, lab.modifiers, lab.place_of_service) == ("2", ("59",), "11")
    assert lab.ordering is not None
    assert lab.ordering.npi == ORDERING
    assert drug.drug is not None
    assert (drug.drug.ndc, drug.drug.quantity, drug.drug.unit) == ("99999188501", "2", "ML")
    assert [row.line_control for row in (visit, lab, drug)] == [f"BCDFGHJKMNPQRSTV1{n:02d}" for n in (1, 2, 3)]


def test_pointers_follow_the_place_of_the_diagnosis_not_its_number(book: RuleBook) -> None:
    body = charges([service_line(pointers=[5, 2])])
    del body.diagnoses[:]
    body.diagnoses.add(sequence=5, icd10cm="E11.9")
    body.diagnoses.add(sequence=2, icd10cm="I10")
    made = _numbered(replace(claim(), draft=read_charges(body, JOURNEY, 1, "")))
    found = sent(made, book)
    assert [row.code for row in found.diagnoses] == ["I10", "E119"]
    assert found.lines[0].pointers == (2, 1)


def test_a_child_is_billed_through_the_subscriber(book: RuleBook) -> None:
    record = resources()
    record["Coverage"] |= {
        "subscriber": {"reference": "RelatedPerson/r1"},
        "relationship": {"coding": [{"code": "child"}]},
    }
    record["Subscriber"] = record["Patient"] | {
        "resourceType": "RelatedPerson",
        "id": "r1",
        "name": [{"family": "Sample-Alder", "given": ["Parenta"]}],
        "birthDate": "1955-01-01",
    }
    found = sent(read(record), book)
    assert found.subscriber.first == "Parenta"
    assert found.patient is not None
    assert (found.patient.first, found.patient.relationship) == ("Testa", "19")


def test_the_authorization_number_goes_out(book: RuleBook) -> None:
    assert sent(_numbered(claim(given_authorization="AUTH7")), book).prior_authorization == "AUTH7"
    assert sent(_numbered(claim()), book).prior_authorization == ""


def test_a_member_number_may_stand_in_the_identifiers() -> None:
    record = resources()
    del record["Coverage"]["subscriberId"]
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MB"}]}
    record["Coverage"]["identifier"] = [{"value": "other"}, {"type": kind, "value": "MB1"}]
    insurance = read(record).draft.visit.insurance
    assert insurance is not None
    assert insurance.member_id == "MB1"


def test_coverages_stand_in_their_order() -> None:
    record = resources()
    record["Second"] = record["Coverage"] | {"id": "c0", "order": 2}
    record = {"Second": record.pop("Second"), **record}
    visit = read(record).draft.visit
    assert visit.insurance is not None
    assert visit.insurance.reference == "Coverage/c1"
    assert [other.reference for other in visit.other_insurance] == ["Coverage/c0"]


def test_coverages_without_an_order_are_not_two_primaries() -> None:
    record = resources()
    record["Second"] = record["Coverage"] | {"id": "c2"}
    del record["Coverage"]["order"], record["Second"]["order"]
    visit = read(record).draft.visit
    assert visit.insurance is not None
    assert [visit.insurance.order, *(other.order for other in visit.other_insurance)] == [1, 2]


@pytest.mark.parametrize("missing", ["Patient", "Coverage", "Payor", "Organization", "Practitioner", "Encounter"])
def test_an_incomplete_record_is_read_all_the_same(missing: str) -> None:
    record = resources()
    del record[missing]
    made = read(record)
    assert made.draft.encounter == "Encounter/e1"
    assert fhir_r4.validate(claim_resource(made, NOW)) == []


@pytest.mark.parametrize("field", ["encounter", "encounter_key"])
def test_charges_without_an_encounter_are_unreadable(field: str) -> None:
    body = charges()
    body.facts.ClearField(field)
    with pytest.raises(Unreadable):
        read_charges(body, JOURNEY, 1, "")


def test_a_date_that_is_none_is_unreadable_and_not_repeated() -> None:
    with pytest.raises(Unreadable) as raised:
        read_charges(charges([service_line(service_from="SMITH")]), JOURNEY, 1, "")
    assert raised.value.path == "lines[0].service_from"
    assert "SMITH" not in str(raised.value)


def test_one_claim_that_x12_cannot_carry_does_not_stop_the_others(book: RuleBook) -> None:
    good = _numbered(claim())
    bad = with_visit(replace(good, claim_id="bad", control_number="X" * 17), patient=replace(
        good.draft.visit.patient, last="Sample~Alder*"))  # fmt: skip
    too_long = replace(good, claim_id="far", control_number="Y" * 18)
    batch = build_batch([bad, good, too_long], book.payers, SENDER, 7, NOW)
    assert [made.claim_id for made in batch.claims] == ["claim-1"]
    assert [made.claim_id for made, _ in batch.refused] == ["bad", "far"]
    assert all(path and "Sample" not in path for _, path in batch.refused)
    assert "Sample~" not in batch.content
    [transaction_set] = transaction_sets(batch.content)
    assert len(read_837p(transaction_set)) == 1


def test_a_batch_of_which_nothing_can_go_is_no_file(book: RuleBook) -> None:
    batch = build_batch([replace(claim(), control_number="Y" * 18)], book.payers, SENDER, 7, NOW)
    assert (batch.content, batch.claims, len(batch.refused)) == ("", (), 1)


def test_the_same_claims_and_number_give_the_same_bytes(book: RuleBook) -> None:
    made = [_numbered(claim())]
    files = {build_batch(made, book.payers, SENDER, 7, NOW).content for _ in range(2)}
    assert len(files) == 1
    assert claim_file(made[0], book.payers, SENDER, 7, NOW) in files
    assert build_batch(made, book.payers, SENDER, 8, NOW).content not in files


def test_the_fhir_claim_says_what_the_837_says() -> None:
    made = _numbered(claim(given_authorization="AUTH7"))
    resource = claim_resource(made, NOW)
    assert fhir_r4.validate(resource) == []
    assert resource["identifier"][0]["value"] == made.control_number
    assert fhir_r4.write(resource["total"]) == b'{"value":215.00,"currency":"USD"}'
    assert resource["insurance"][0]["preAuthRef"] == ["AUTH7"]
    assert [item["sequence"] for item in resource["item"]] == [1, 2]
    assert resource["item"][0]["productOrService"]["coding"][0]["code"] == "99213"
    assert resource["diagnosis"][0]["diagnosisCodeableConcept"]["coding"][0]["code"] == "E11.9"


HELD = replace(_numbered(claim(state="held")), filing_deadline=SERVED)
FACTS = (
    ClaimMoved("claim.built", HELD, "draft", "edit-01"),
    WorkOpened("claim-hold", "edit-01", "front-desk", HELD),
    WorkClosed("claim-hold", "edit-01", "biller", HELD),
    WorkClosed("claim-hold", "edit-01", "biller", with_insurance(HELD, reference=""), "cancelled"),
    FileUnmatched("file-1", "999-unknown-set"),
)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_every_task_and_claim_that_we_tell_is_valid_fhir(fact: Any) -> None:
    _, body, key, _ = write_fact(fact, "t1", NOW)
    resource = body.claim_json if isinstance(body, claims_pb2.ClaimChanged) else body.task  # type: ignore[attr-defined]
    assert fhir_r4.validate(fhir_r4.read(resource)) == []
    assert key


def test_a_moved_claim_tells_all_that_the_next_need() -> None:
    type, body, key, journey = write_fact(FACTS[0], "t1", NOW)
    assert isinstance(body, claims_pb2.ClaimChanged)
    assert (type, key, journey) == ("claim.built", "Encounter/e1", JOURNEY)
    assert (body.state, body.from_state, body.reason, body.total_cents) == ("held", "draft", "edit-01", 21500)
    assert (body.patient, body.coverage, body.filing_deadline) == ("Patient/p1", "Coverage/c1", SERVED.isoformat())
    assert [row.control_number for row in body.lines] == [f"BCDFGHJKMNPQRSTV1{n:02d}" for n in (1, 2)]
    assert [row.icd10cm for row in body.diagnoses] == ["E11.9"]


def test_work_is_named_by_what_it_is_about() -> None:
    _, opened, _, _ = write_fact(FACTS[1], "t1", NOW)
    _, closed, _, _ = write_fact(FACTS[2], "t1", NOW)
    assert isinstance(opened, work_pb2.WorkOpened)
    assert isinstance(closed, work_pb2.WorkClosed)
    assert opened.work_id == closed.work_id
    assert (opened.dollars_cents, opened.due_on, opened.owner) == (21500, SERVED.isoformat(), "front-desk")
    assert work_id("claim-hold", "t2|claim-1") != opened.work_id


def test_the_task_of_a_hold_says_what_people_sort_their_queue_by() -> None:
    _, opened, _, _ = write_fact(FACTS[1], "t1", NOW)
    _, cancelled, _, _ = write_fact(FACTS[3], "t1", NOW)
    task, closed = fhir_r4.read(opened.task), fhir_r4.read(cancelled.task)  # type: ignore[attr-defined]
    assert (task["status"], closed["status"]) == ("requested", "cancelled")
    assert task["focus"]["reference"] == f"Claim/{HELD.claim_id}"
    assert task["businessStatus"]["coding"] == [{"system": f"{LINE}/CodeSystem/work-reason", "code": "edit-01"}]
    assert task["restriction"]["period"]["end"] == SERVED.isoformat()
    assert task["performerType"][0]["coding"][0]["code"] == "front-desk"
    assert "authoredOn" in task and "authoredOn" not in closed


def test_a_file_that_matches_nothing_is_about_no_claim() -> None:
    _, opened, _, journey = write_fact(FACTS[4], "t1", NOW)
    task = fhir_r4.read(opened.task)  # type: ignore[attr-defined]
    assert journey == ""
    assert task.keys().isdisjoint({"focus", "for", "encounter", "extension", "restriction"})


ENVELOPE = Envelope(sender_id="SYNCLEAR", receiver_id="THROUGHLINE", control_number=3, created=NOW)


def group(status: str, set_status: str, codes: tuple[str, ...] = ()) -> bytes:
    answer = SetAcknowledgment(code="837", control="0001", status=set_status, guide="005010X222A1", codes=codes)
    accepted = 1 if set_status in {"A", "E"} else 0
    return build_999(
        GroupAcknowledgment(
            functional_code="HC",
            group_control="42",
            guide="005010X222A1",
            status=status,
            included=1,
            received=1,
            accepted=accepted,
            sets=(answer,),
        ),
        ENVELOPE,
    ).encode()


@pytest.mark.parametrize(
    ("status", "set_status", "state"),
    [("A", "A", "received"), ("E", "E", "received"), ("R", "R", "rejected"), ("P", "R", "rejected")],
)
def test_a_999_speaks_for_the_whole_file(status: str, set_status: str, state: str) -> None:
    [verdict] = read_mail(group(status, set_status)).files
    assert (verdict.control_number, verdict.state) == (42, state)


def test_a_rejected_999_says_why() -> None:
    [verdict] = read_mail(group("R", "R", ("5",))).files
    assert verdict.reason == "999-5"


@pytest.mark.parametrize(("status", "state"), [("A", "submitted"), ("E", "submitted"), ("R", "rejected")])
def test_a_ta1_speaks_for_the_interchange(status: str, state: str) -> None:
    said = InterchangeAcknowledgment(control_number="000000042", created=NOW, status=status, note="000")
    [verdict] = read_mail(build_ta1(said, ENVELOPE).encode()).files
    assert (verdict.control_number, verdict.state, verdict.reason) == (42, state, "ta1-000")


def claim_answer(*statuses: Status) -> Mail:
    said = ClaimStatus(
        control_number="BCDFGHJKMNPQRSTV1",
        statuses=statuses,
        status_date=SERVED,
        amount_cents=21500,
        payer_claim_number="P1",
        last="SAMPLE-ALDER",
        first="TESTA",
        member_id="SYN000111222",
    )
    batch = ClaimAcknowledgment(
        source_id="SYNPA",
        source_name="SYNTHETIC PAYER A",
        submitter_id="THROUGHLINE",
        submitter_name="THROUGHLINE",
        trace_number="T1",
        batch_reference="000000042",
        received_date=SERVED,
        processed_date=SERVED,
        batch_status=Status(category="A1", code="19", entity="PR"),
        claims=(said,),
    )
    return read_mail(build_277ca(batch, ENVELOPE).encode())


def test_an_accepted_claim_brings_the_payers_number() -> None:
    [said] = claim_answer(Status(category="A2", code="20")).claims
    assert (said.control_number, said.state, said.reason) == ("BCDFGHJKMNPQRSTV1", "accepted", "277ca-A2-20")
    assert said.payer_claim_number == "P1"


@pytest.mark.parametrize("category", ["A3", "A6", "A7", "A8"])
def test_a_rejected_claim_says_the_status_that_rejects(category: str) -> None:
    [said] = claim_answer(Status(category=category, code="33", entity="IL")).claims
    assert (said.state, said.reason) == ("rejected", f"277ca-{category}-33")


@pytest.mark.parametrize("content", [b"", b"HELLO", b"\xff\xfe", b"ISA*00*", group("A", "A")[:120]])
def test_what_cannot_be_read_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        read_mail(content)


def test_another_transaction_is_no_acknowledgement(book: RuleBook) -> None:
    batch = build_batch([_numbered(claim([line()]))], book.payers, SENDER, 7, NOW)
    with pytest.raises(Unreadable) as raised:
        read_mail(batch.content.encode())
    assert raised.value.code == "mail-kind"
