"""The snapshot Bundle to a visit's facts: what counts as done, which codes, whose NPI, where and why."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import fhir_r4
import pytest
from coding.handlers import code_visit
from coding.model import WorkItem
from coding.rules import Rules
from coding.wire.messages import coded_message, read_coded, read_diagnoses, read_lines
from coding.wire.snapshot import read_visit
from coding.wire.task import task_of
from hypothesis import given
from hypothesis import strategies as st
from kernel import codes
from kernel.errors import Unreadable
from rcm.billing.v1 import billing_pb2
from rcm.engine.v1 import engine_pb2


def test_an_office_visit(office: Any) -> None:
    visit = office.read()
    assert (visit.encounter, visit.encounter_key, visit.patient) == ("Encounter/e1", "key-1", "Patient/p1")
    assert visit.date == date(2026, 2, 10)  # the day as the sender wrote it, not the day in UTC
    assert visit.diagnoses == (("Condition/condition-3", "I10"),)
    assert [(one.source, one.code) for one in visit.services] == [("Encounter/e1", "99213")]
    assert visit.em == {"problems": "low", "data": "limited", "risk": "low"}
    assert visit.minutes == 20
    assert visit.rendering_npi == "1000000012"


def test_diagnoses_follow_the_encounters_rank_and_leave_out_what_is_none(chart: Any) -> None:
    second, first = chart.diagnosis("E11.9"), chart.diagnosis("I10")
    chart.diagnosis("J06.9", verificationStatus=codes_of("refuted"))
    chart.diagnosis("J02.9", verificationStatus=codes_of("provisional"))
    chart.diagnosis("E78.5", encounter={"reference": "Encounter/other"})
    unranked = chart.diagnosis("M54.50")
    ranks = [{"condition": {"reference": second}, "rank": 2}, {"condition": {"reference": first}, "rank": 1}]
    chart.encounter["diagnosis"] = ranks
    assert [source for source, _ in chart.read().diagnoses] == [first, second, unranked]


def codes_of(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": code}]}


def test_only_what_was_done_is_a_service(chart: Any) -> None:
    done = chart.procedure("20610")
    chart.procedure("20610", status="not-done")
    chart.procedure("20610", status="in-progress")
    chart.order("80053", status="active")
    chart.order("80053", intent="plan")
    lab = chart.order("80053")
    assert [one.source for one in chart.read().services] == [done, lab]


def test_what_performs_an_order_is_the_line_and_the_order_is_not_billed_again(chart: Any) -> None:
    order = chart.order("70551")
    done = chart.procedure("70551", basedOn=[{"reference": order}])
    (service,) = chart.read().services
    assert (service.source, service.order, service.ordering_npi) == (done, order, "1000000012")


def test_an_order_done_without_a_code_of_its_own_is_billed_by_the_orders_code(chart: Any) -> None:
    order = chart.order("70551")
    chart.procedure(
        "", code={"coding": [{"system": codes.SNOMED, "code": "113091000"}]}, basedOn=[{"reference": order}]
    )
    visit = chart.read()
    assert [(one.source, one.code) for one in visit.services] == [(order, "70551")]
    assert len(visit.without_code) == 1


def test_an_unmapped_procedure_holds_its_order_back_too(chart: Any) -> None:
    order = chart.order("70551")
    chart.unmapped = [chart.procedure("x", code={"text": "local"}, basedOn=[{"reference": order}])]
    visit = chart.read()
    assert visit.services == ()
    assert visit.without_code == ()
    assert visit.unmapped == tuple(chart.unmapped)


def test_a_drug_has_its_dose_and_ndc(chart: Any) -> None:
    chart.drug("J0897", Decimal("60.0"), "mg")
    (service,) = chart.read().services
    assert (service.code, service.dose, service.dose_unit, service.ndc) == (
        "J0897",
        Decimal("60.0"),
        "mg",
        "99999089701",
    )


def test_a_vaccine_is_one_dose_whatever_its_volume(chart: Any, rules: Rules) -> None:
    chart.diagnosis("Z23")
    coding = [{"system": codes.CVX, "code": "140"}, {"system": codes.CPT, "code": "90656"}]
    chart.add(
        "Immunization", status="completed", vaccineCode={"coding": coding}, doseQuantity={"value": Decimal("0.5")}
    )
    (line,) = chart.code(rules).lines
    assert (line.code, line.units) == ("90656", 1)


def test_the_oid_of_hcpcs_is_the_same_system(chart: Any) -> None:
    coding = [{"system": "urn:oid:2.16.840.1.113883.6.285", "code": "G0439"}]
    chart.procedure("G0439", code={"coding": coding})
    assert [one.code for one in chart.read().services] == ["G0439"]


def test_a_charge_item_is_a_line_unless_its_service_is_one_already(chart: Any) -> None:
    done = chart.procedure("97110")
    charge = {"status": "billable", "code": {"coding": [{"system": codes.CPT, "code": "97110"}]}}
    chart.add("ChargeItem", **charge, service=[{"reference": done}], quantity={"value": 3})
    alone = chart.add("ChargeItem", **charge, quantity={"value": 2})
    chart.add("ChargeItem", **(charge | {"status": "aborted"}))
    assert [(one.source, one.units) for one in chart.read().services] == [(done, 1), (alone, 2)]


@pytest.mark.parametrize(
    ("visit_class", "place", "elsewhere", "expected"),
    [("AMB", "", False, "11"), ("AMB", "22", False, "22"), ("EMER", "", False, "23"), ("VR", "", False, "10"),
     ("VR", "", True, "02"), ("IMP", "", False, "21"), ("HH", "", False, "12"), ("FLD", "", False, "")],
)  # fmt: skip
def test_place_of_service(
    office: Any, rules: Rules, visit_class: str, place: str, elsewhere: bool, expected: str
) -> None:
    office.encounter["class"]["code"] = visit_class
    if place:
        room = office.add("Location", type=[{"coding": [{"system": codes.POS, "code": place}]}])
        office.encounter["location"] = [{"location": {"reference": room}}]
    if elsewhere:
        url = "https://throughline.example/fhir/StructureDefinition/telehealth-elsewhere"
        office.encounter["extension"] = [{"url": url, "valueBoolean": True}]
    assert office.code(rules).lines[0].place == expected


def test_the_performer_renders_also_behind_a_role(chart: Any) -> None:
    other = chart.add("Practitioner", identifier=[{"system": codes.NPI, "value": "1000000020"}])
    role = chart.add("PractitionerRole", practitioner={"reference": other})
    chart.procedure("20610", performer=[{"actor": {"reference": role}}])
    assert chart.read().services[0].rendering_npi == "1000000020"


def test_a_snapshot_without_its_encounter_is_unreadable(chart: Any) -> None:
    body = chart.message()
    body.facts.encounter = "Encounter/other"
    with pytest.raises(Unreadable) as refused:
        read_visit(body)
    assert refused.value.code == "snapshot-encounter"
    with pytest.raises(Unreadable):
        read_visit(engine_pb2.EncounterFinished())


def test_a_proposal_survives_its_message(office: Any, rules: Rules) -> None:
    office.drug("J0897", 60, "mg")
    office.procedure("20610", "7771000")
    office.unmapped = ["Procedure/unknown"]
    coded = code_visit(office.read(), rules)
    assert read_coded(coded_message(coded, office.message().facts, False)) == coded
    assert len(coded.lines) == 3


@given(st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=3).filter(bool))
def test_units_keep_their_exact_value(units: Decimal) -> None:
    line = billing_pb2.ServiceLine(code="99213", service_from="2026-02-10", units=str(units), pointers=[1])
    assert read_lines([line], diagnoses=1)[0].units == units


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"code": "9921"}, "lines[0].code"),
        ({"pointers": [2]}, "lines[0].pointers"),
        ({"pointers": [1, 1, 1, 1, 1]}, "lines[0].pointers"),
        ({"units": "0"}, "lines[0]"),
        ({"units": "NaN"}, "lines[0]"),
        ({"units": "many"}, "lines[0]"),
        ({"service_from": "yesterday"}, "lines[0]"),
        ({"service_to": "2026-02-09"}, "lines[0]"),
    ],
)
def test_a_persons_line_that_cannot_stand_on_a_claim(change: dict[str, Any], path: str) -> None:
    good = {"code": "99213", "service_from": "2026-02-10", "units": "1", "pointers": [1]}
    assert read_lines([billing_pb2.ServiceLine(**good)], diagnoses=1)
    with pytest.raises(Unreadable) as refused:
        read_lines([billing_pb2.ServiceLine(**(good | change))], diagnoses=1)
    assert refused.value.path == path


def test_a_persons_diagnoses_are_numbered_and_checked() -> None:
    found = read_diagnoses([billing_pb2.Diagnosis(icd10cm="E11.9"), billing_pb2.Diagnosis(icd10cm="I10")])
    assert [(one.sequence, one.icd10cm) for one in found] == [(1, "E119"), (2, "I10")]
    with pytest.raises(Unreadable, match="shape"):
        read_diagnoses([billing_pb2.Diagnosis(icd10cm="sugar")])
    with pytest.raises(Unreadable, match="twelve"):
        read_diagnoses([billing_pb2.Diagnosis(icd10cm="I10")] * 13)


@pytest.mark.parametrize(
    ("state", "status"), [("open", "requested"), ("resolved", "completed"), ("cancelled", "cancelled")]
)
def test_the_task_is_valid_fhir(state: str, status: str) -> None:
    item = WorkItem(
        "5b0c1f6e-2f0a-5a43-9d2b-2c6f0a7d9e11", "coder-review", "ptp", "key-1", "Encounter/e1", "Patient/p1", state,
        date(2026, 2, 11), datetime(2026, 2, 10, 12, tzinfo=UTC),
    )  # fmt: skip
    task = task_of(item, datetime(2026, 2, 10, 13, tzinfo=UTC))
    assert fhir_r4.validate(task) == []
    assert task["status"] == status
    assert fhir_r4.read(fhir_r4.write(task)) == task
