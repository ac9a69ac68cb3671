"""The charge master against the labelled set: every line of every story of the EHR generator has its labelled price."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from charge_capture.model import charge_cents
from charge_capture.rules import ChargeMaster
from simulator.ehr import stories

TODAY = date(2026, 11, 21)


def test_every_labelled_line_has_its_price(master: ChargeMaster) -> None:
    wrong, seen = [], 0
    for story in stories(7, 400, TODAY):
        for line in story.expected.lines:
            for on in (TODAY, TODAY - timedelta(days=230)):
                unit_cents = master.unit_cents(line.code, line.modifiers, on)
                seen += 1
                if unit_cents is None or charge_cents(unit_cents, Decimal(line.units)) != line.charge_cents:
                    wrong.append((line.code, unit_cents))
    assert wrong == []
    assert seen > 1000
