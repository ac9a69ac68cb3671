"""What a visit costs and what is missing of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import fhir_r4
import pytest
from charge_capture.handlers import reckon
from charge_capture.model import Decision, Order, charge_cents
from charge_capture.rules import ChargeMaster
from charge_capture.wire.charges import charge_item, charges_captured
from charge_capture.wire.visit import read_order
from hypothesis import given
from hypothesis import strategies as st
from kernel.errors import Unreadable
from rcm.engine.v1 import engine_pb2

NOW = datetime(2026, 2, 10, 18, tzinfo=UTC)


def missing(coded: Any, master: ChargeMaster, *decisions: Decision, remembered: tuple[Order, ...] = ()) -> list[tuple]:
    return [(one.reason, one.subject) for one in reckon(coded.read(), remembered, decisions, master).missing]


def test_lines_are_priced_by_units(coded: Any, master: ChargeMaster) -> None:
    found = reckon(coded.line("99213").line("J0897", units="60").read(), (), (), master)
    assert [(one.line.code, one.unit_cents, one.cents) for one in found.charges] == [
        ("99213", 15500, 15500),
        ("J0897", 4500, 270000),
    ]
    assert (found.total_cents, found.missing) == (285500, ())


@pytest.mark.parametrize(("units", "cents"), [("1", 5), ("0.5", 3), ("0.49", 2), ("0.1", 1), ("2.5", 13)])
def test_fractions_of_a_cent_round_half_up(units: str, cents: int) -> None:
    assert charge_cents(5, Decimal(units)) == cents


@given(st.integers(0, 10**9), st.integers(1, 10**4))
def test_whole_units_never_round(unit_cents: int, units: int) -> None:
    assert charge_cents(unit_cents, Decimal(units)) == unit_cents * units


def test_the_same_line_twice_is_one_charge(coded: Any, master: ChargeMaster) -> None:
    visit = coded.line("99213", "Encounter/e1").line("99213", "Encounter/e1").read()
    assert reckon(visit, (), (), master).total_cents == 15500


def test_no_lines_cost_nothing(coded: Any, master: ChargeMaster) -> None:
    found = reckon(coded.read(), (), (), master)
    assert (found.charges, found.missing, found.total_cents) == ((), (), 0)


def test_a_line_without_a_price_is_missing(coded: Any, master: ChargeMaster) -> None:
    coded.line("99213").line("99499", "Procedure/odd")
    assert missing(coded, master) == [("no-price", "line-Procedure/odd")]


def test_a_price_after_the_service_is_no_price(coded: Any, master: ChargeMaster) -> None:
    coded.line("J2919", service_from="2024-03-31")
    assert [reason for reason, _ in missing(coded, master)] == ["no-price"]


def test_a_performed_order_without_a_line_is_missing_with_its_worth(coded: Any, master: ChargeMaster) -> None:
    order = coded.line("99213").add("ServiceRequest", "o1", code="80053", occurrenceDateTime="2026-02-10")
    assert missing(coded, master) == [("no-charge", order)]
    (found,) = reckon(coded.read(), (), (), master).missing
    assert (found.code, found.cents) == ("80053", 6000)


@pytest.mark.parametrize("more", [{"status": "active"}, {"status": "revoked"}, {"intent": "plan"}])
def test_an_order_that_was_not_performed_is_not_missing(coded: Any, master: ChargeMaster, more: dict[str, str]) -> None:
    coded.line("99213").add("ServiceRequest", "o1", **({"code": "80053"} | more))
    assert missing(coded, master) == []


def test_an_order_is_answered_by_its_own_line_or_by_what_performed_it(coded: Any, master: ChargeMaster) -> None:
    lab, imaging = coded.add("ServiceRequest", "o1", code="80053"), coded.add("ServiceRequest", "o2", code="70551")
    coded.line("80053", lab).line("70551", "Procedure/x", order=imaging)
    assert missing(coded, master) == []


def test_one_procedure_may_answer_two_orders(coded: Any, master: ChargeMaster) -> None:
    orders = [coded.add("ServiceRequest", name, code="80053") for name in ("o1", "o2")]
    done = coded.add("Procedure", "x", code="80053", basedOn=[{"reference": order} for order in orders])
    coded.line("80053", done, order=orders[0])
    assert missing(coded, master) == []


def test_what_was_done_for_an_order_without_a_line_is_missing(coded: Any, master: ChargeMaster) -> None:
    coded.line("99213").add("Procedure", "x", code="1234-5", basedOn=[{"reference": "ServiceRequest/away"}])
    assert missing(coded, master) == [("no-charge", "ServiceRequest/away")]


def test_orders_heard_of_before_count_too(coded: Any, master: ChargeMaster) -> None:
    heard = (Order("ServiceRequest/o9", "80053", date(2026, 2, 10)),)
    assert missing(coded.line("99213"), master, remembered=heard) == [("no-charge", "ServiceRequest/o9")]
    coded.line("80053", "ServiceRequest/o9")
    assert missing(coded, master, remembered=heard) == []


def test_a_coder_who_found_nothing_billable_closes_the_orders_too(coded: Any, master: ChargeMaster) -> None:
    coded.add("ServiceRequest", "o1", code="80053")
    assert missing(coded, master) == [("no-charge", "ServiceRequest/o1")]
    coded.reviewed = True
    assert missing(coded, master) == []


def test_decisions(coded: Any, master: ChargeMaster) -> None:
    order = coded.line("99213").line("99499", "Procedure/odd").add("ServiceRequest", "o1", code="80053")
    added = replace(coded.read().lines[0], line_id="added", code="80053", source=order, orders=(order,))
    for_order, for_line = Decision(order, line=added), Decision("line-Procedure/odd", unit_cents=777)
    visit = coded.read()
    assert reckon(visit, (), (for_order, for_line), master).total_cents == 15500 + 777 + 6000
    dropped = (Decision(order), Decision("line-Procedure/odd"))
    found = reckon(visit, (), dropped, master)
    assert (found.missing, found.total_cents) == ((), 15500)


def test_charge_items_are_valid_fhir_and_exact(coded: Any, master: ChargeMaster) -> None:
    coded.line("20610", modifiers=["25", "LT"]).line("J0897", "MedicationAdministration/m1", units="2.5")
    coded.line("80053", "ServiceRequest/o1", rendering_npi="", service_to="2026-02-12")
    visit = coded.read()
    found = reckon(visit, (), (), master)
    for charge in found.charges:
        item = charge_item(charge, visit, NOW)
        assert fhir_r4.validate(item) == []
        assert fhir_r4.read(fhir_r4.write(item)) == item
    items = [charge_item(charge, visit, NOW) for charge in found.charges]
    assert items[1]["priceOverride"] == {"value": Decimal("112.50"), "currency": "USD"}
    assert items[1]["service"] == [{"reference": "MedicationAdministration/m1"}]
    assert "service" not in items[2]
    assert "performer" not in items[2]
    assert len({item["id"] for item in items}) == 3


def test_the_captured_visit_keeps_all_that_was_coded(coded: Any, master: ChargeMaster) -> None:
    coded.line("99213", ndc="99999089701", order="ServiceRequest/o1", ordering_npi="1000000020")
    visit = coded.read()
    body = charges_captured(visit, reckon(visit, (), (), master), NOW)
    before, after = coded.lines[0], body.lines[0]
    assert (after.unit_charge_cents, after.charge_cents) == (15500, 15500)
    assert after.charge_item_id == fhir_r4.read(body.charge_items[0])["id"]
    for name in ("unit_charge_cents", "charge_cents", "charge_item_id"):
        after.ClearField(name)
    assert after == before
    assert (body.facts, list(body.diagnoses)) == (coded.message().facts, list(coded.message().diagnoses))


@pytest.mark.parametrize("change", [{"units": ""}, {"units": "-1"}, {"units": "NaN"}, {"service_from": ""}])
def test_a_line_that_cannot_be_charged_is_unreadable(coded: Any, change: dict[str, str]) -> None:
    with pytest.raises(Unreadable) as refused:
        coded.line("99213", **change).read()
    assert refused.value.path == "lines[0]"


def performed(resource: dict[str, Any], encounter: str = "") -> engine_pb2.OrderPlaced:
    reference = f"{resource['resourceType']}/{resource['id']}"
    return engine_pb2.OrderPlaced(order=reference, encounter=encounter, order_json=fhir_r4.write(resource))


def test_performed_orders_are_read_from_each_kind() -> None:
    concept = {"coding": [{"code": "1234-5"}, {"code": "80053"}]}
    order = {"resourceType": "ServiceRequest", "id": "o1", "code": concept, "encounter": {"reference": "Encounter/e1"}}
    assert read_order(performed(order)) == ("Encounter/e1", [Order("ServiceRequest/o1", "80053")])
    assert read_order(performed(order, "Encounter/e2"))[0] == "Encounter/e2"
    done = {"resourceType": "Procedure", "id": "x", "basedOn": [{"reference": "ServiceRequest/o1"}]}
    assert read_order(performed(done)) == ("", [Order("ServiceRequest/o1", "")])
    given = {"resourceType": "MedicationAdministration", "id": "m", "context": {"reference": "Encounter/e1"}}
    assert read_order(performed(given)) == ("Encounter/e1", [])
