"""Charges: every FT1 ends as a charge, a hold or a named rejection, and credits reverse."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from feed_world import CHARGED, PID, PV1, channel, ft1, mapped, only, types
from interface_engine.handlers.rehearsing import Rehearsal
from interface_engine.rules import map_codes
from kernel import codes


def test_a_charge_is_a_charge_item(tmp_path: Path) -> None:
    line = ft1(f10="2", f11="150.5", f19="I10^^I10~E119^^I10", f20="1999000023^Sample-Doc^Bo", f26="25~59")
    found = mapped(channel(tmp_path, CHARGED), "DFT^P03", PID, PV1, line)
    charge = only(found, "ChargeItem")
    assert (charge["status"], charge["quantity"], charge["priceOverride"]["value"]) == (
        "billable", {"value": Decimal(2)}, Decimal("150.50"),
    )  # fmt: skip
    assert [one["valueCoding"]["code"] for one in charge["extension"]] == ["25", "59"]
    assert [one["coding"][0]["code"] for one in charge["reason"]] == ["I10", "E11.9"]
    assert only(found, "Encounter")["status"] == "finished"
    assert [one["rank"] for one in only(found, "Encounter")["diagnosis"]] == [1, 2]
    (account,) = found.charges
    assert (account.amount_cents, account.quantity) == (15050, Decimal(2))
    assert (account.kind, account.disposition) == ("charge", "charge")
    assert account.service_day == date(2026, 3, 16) and account.line_key == "T1"


@pytest.mark.parametrize(
    ("fields", "disposition", "reason"),
    [
        ({"f4": ""}, "rejected", "service-day-missing"),
        ({"f4": "soon"}, "rejected", "service-day-unreadable"),
        ({"f4": "202603"}, "rejected", "service-day-unreadable"),
        ({"f10": "many"}, "rejected", "quantity-unreadable"),
        ({"f10": "0"}, "rejected", "quantity-unreadable"),
        ({"f11": "a lot"}, "rejected", "amount-unreadable"),
        ({"f25": ""}, "rejected", "code-missing"),
        ({"f6": "PY"}, "rejected", "not-a-charge"),
        ({"f25": "LOCAL1"}, "hold", "unmapped-code"),
        ({"f25": "9921^^C4"}, "hold", "unmapped-code"),
        ({"f11": ""}, "charge", ""),
        ({"f6": ""}, "charge", ""),
    ],
)
def test_every_charge_ends_as_a_charge_a_hold_or_a_named_rejection(
    tmp_path: Path, fields: dict[str, Any], disposition: str, reason: str
) -> None:
    found = mapped(channel(tmp_path, CHARGED), "DFT^P03", PID, PV1, ft1(1, **fields), ft1(2))
    first, second = found.charges
    assert (first.disposition, first.reason) == (disposition, reason)
    assert (second.disposition, second.reason) == ("charge", "")
    assert types(found).count("ChargeItem") == (1 if disposition == "rejected" else 2)
    assert bool(found.unmapped) == (reason == "unmapped-code")


@pytest.mark.parametrize(
    ("policy", "disposition", "holds", "code"),
    [("hold", "hold", True, ""), ("pass", "rejected", False, ""),
     (f"{{default: {{system: {codes.CPT}, code: '99499'}}}}", "charge", False, "99499")],
)  # fmt: skip
def test_the_policy_for_what_no_map_knows(
    tmp_path: Path, policy: str, disposition: str, holds: bool, code: str
) -> None:
    feed = channel(tmp_path, f"{CHARGED}unmapped: {{ChargeItem: {policy}}}\n")
    found = mapped(feed, "DFT^P03", PID, PV1, ft1(code="LOCAL1"))
    assert found.charges[0].disposition == disposition
    if disposition != "rejected":
        made = map_codes(feed.source, only(found, "ChargeItem"), None)
        assert made.unmapped is holds
        assert [one["code"] for one in made.resource["code"]["coding"]][1:] == ([code] if code else [])


def test_a_code_map_has_its_days(tmp_path: Path) -> None:
    head = "source_system,source_code,target_system,target_code,effective_from,effective_to,policy,owner\n"
    rows = f"https://x.example,L1,{codes.CPT},99213,2026-01-01,2026-03-15,map,me\n"
    maps = (
        f"maps: [{{file: feed.csv, from: https://x.example, to: {codes.CPT}}}]\nsystems: {{LOC: https://x.example}}\n"
    )
    feed = channel(tmp_path, CHARGED + maps, feed_csv=head + rows)
    late = mapped(feed, "DFT^P03", PID, PV1, ft1(code="L1^^LOC"))
    early = mapped(feed, "DFT^P03", PID, PV1, ft1(code="L1^^LOC", f4="20260315"))
    assert (late.charges[0].disposition, early.charges[0].disposition) == ("hold", "charge")


async def test_a_credit_reverses_its_charge_once_in_any_order(tmp_path: Path) -> None:
    feed = channel(tmp_path, CHARGED)
    charge = mapped(feed, "DFT^P03", PID, PV1, ft1(f10="3", f11="300.00"), control="1")
    part = mapped(feed, "DFT^P03", PID, PV1, ft1(f6="CR", f10="1", f11="100.00"), at="20260317", control="2")
    for order in ((charge, part), (part, charge), (charge, part, part, charge)):
        world = Rehearsal()
        for one in order:
            await world.play(one)
        (item,) = world.all("ChargeItem")
        assert (item["status"], item["quantity"]["value"], item["priceOverride"]["value"]) == (
            "billable", Decimal(2), Decimal("200.00"),
        ), order  # fmt: skip
    whole = mapped(feed, "DFT^P03", PID, PV1, ft1(f6="CR", f10="3", f11="300.00"), at="20260317")
    for order in ((charge, whole), (whole, charge)):
        world = Rehearsal()
        for one in order:
            await world.play(one)
        assert world.all("ChargeItem")[0]["status"] == "entered-in-error"
    assert (whole.charges[0].kind, whole.charges[0].amount_cents, whole.charges[0].disposition) == (
        "credit", 30000, "charge",
    )  # fmt: skip


def test_a_credit_alone_does_not_finish_a_visit(tmp_path: Path) -> None:
    found = mapped(channel(tmp_path, CHARGED), "DFT^P03", PID, PV1, ft1(f6="CR"))
    assert only(found, "Encounter")["status"] == "in-progress"


async def test_a_charge_and_its_credit_in_one_message_leave_the_rest(tmp_path: Path) -> None:
    feed, world = channel(tmp_path, CHARGED), Rehearsal()
    lines = (ft1(f10="2", f11="80.00"), ft1(f6="CR", f10="1", f11="40.00"))
    await world.play(mapped(feed, "DFT^P03", PID, PV1, *lines))
    (item,) = world.all("ChargeItem")
    assert (item["quantity"]["value"], item["priceOverride"]["value"]) == (Decimal(1), Decimal("40.00"))


def test_procedures_bill_only_where_no_charges_come(tmp_path: Path) -> None:
    row = "PR1|1||76942^^C4||202603160930||||||||||||59"
    alone = only(mapped(channel(tmp_path), "BAR^P01", PID, PV1, row), "Procedure")
    assert (alone["status"], alone["performedDateTime"]) == ("completed", "2026-03-16T09:30:00-05:00")
    beside = mapped(channel(tmp_path, CHARGED), "DFT^P03", PID, PV1, ft1(), row)
    assert only(beside, "Procedure")["status"] == "unknown"
    assert only(mapped(channel(tmp_path, CHARGED), "BAR^P12", PID, PV1, row), "Procedure")["status"] == "unknown"
