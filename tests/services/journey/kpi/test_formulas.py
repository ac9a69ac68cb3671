"""Each KPI by its published formula, on stories small enough to count on one's fingers."""

from __future__ import annotations

from datetime import date
from typing import Any

import kpi_stories as stories
import pytest
from bus import Database
from journey.kpi import sql
from journey.kpi.model import Basis, Cost, KpiValue, Total, duration_text
from journey.kpi.read import _value
from journey.kpi.table_formulas import BY_NAME, FORMULAS
from kpi_stories import AS_OF, Story, ago, balance, figure, good_journey, rows, tell

DAY_US = 86_400_000_000


def sums(total: Total) -> tuple[int, int]:
    return total.numerator, total.denominator


def test_every_kpi_has_a_version_a_formula_and_a_reason_for_no_value() -> None:
    assert len(BY_NAME) == len(FORMULAS)
    for one in FORMULAS:
        assert one.version >= 1 and one.title and one.missing, one.name
        assert one.text.endswith(".") and ("÷" in one.text or "−" in one.text), one.name
        assert (one.integrated is None) == (one.standalone is None)
        assert "{" not in sql.rows_of(one, Basis(AS_OF))


async def test_a_good_journey_counts_where_it_should(database: Database, tenant: str) -> None:
    await tell(database, tenant, good_journey(1, ago(60)))
    expected = {
        # What the patient owes, 1000 cents, over charges of 10,000 less 3,000 contractual in 58 days.
        "net-days-in-ar": (1000 * 58, 7000),
        "days-in-ar": (1000 * 58, 10_000),
        "aged-ar-0-30": (0, 1000),
        "aged-ar-31-60": (1000, 1000),
        "dnfb-days": (0, 10_000),
        "fbns-days": (0, 10_000),
        "dnsp-days": (0, 10_000),
        "clean-claim-rate": (1, 1),
        "claim-acceptance-rate": (1, 1),
        "first-pass-acceptance": (1, 1),
        "first-pass-resolution": (1, 1),
        "initial-denial-rate": (0, 30),
        "initial-denial-dollars": (0, 300_000),
        "primary-denial-rate": (0, 0),
        "net-collection-rate": (6000, 7000),
        "gross-collection-rate": (6000, 10_000),
        "charge-lag": (2 * DAY_US + DAY_US // 2, 1),
        "payer-lag": (15 * DAY_US, 1),
        "posting-lag": (DAY_US, 1),
        "denial-to-appeal": (0, 0),
        "late-charges": (0, 10_000),
        "capture-gap": (0, 1),
        "encounter-to-payment": (20 * DAY_US, 1),
    }
    assert {name: sums(await figure(database, tenant, name)) for name in expected} == expected


async def test_receivables_fall_into_their_bucket_by_date_of_service(database: Database, tenant: str) -> None:
    await tell(database, tenant, *(good_journey(days, ago(days)) for days in (40, 61, 95, 121, 130)))
    numerators = [(await figure(database, tenant, one.name)).numerator for one in FORMULAS if "aged-ar" in one.name]
    assert numerators == [0, 1000, 1000, 1000, 2000]


async def test_a_credit_balance_is_no_net_receivable(database: Database, tenant: str) -> None:
    told = good_journey(1, ago(60))
    told.tell("patient.paid", ago(10), paid_cents=1500, point_of_service=True)
    await tell(database, tenant, told)
    assert sums(await figure(database, tenant, "net-days-in-ar")) == (0, 7000)
    assert sums(await figure(database, tenant, "days-in-ar")) == (-500 * 58, 10_000)
    assert sums(await figure(database, tenant, "aged-ar-31-60")) == (0, 0)
    assert sums(await figure(database, tenant, "point-of-service-cash")) == (1500, 1500)
    assert sums(await figure(database, tenant, "gross-collection-rate")) == (7500, 10_000)


async def test_what_is_not_billed_and_what_is_not_sent(database: Database, tenant: str) -> None:
    unbilled, unsent, cancelled = (good_journey(number, ago(30)) for number in (1, 2, 3))
    del unbilled.facts[3:], unsent.facts[4:], cancelled.facts[3:]
    cancelled.tell("encounter.cancelled", ago(20))
    await tell(database, tenant, unbilled, unsent, cancelled)
    assert await rows(database, tenant, "dnfb-days") == {
        unbilled.journey_id: (10_000 * 28, 0),
        **{told.facts[2].event_id: (0, 10_000) for told in (unbilled, unsent, cancelled)},
    }
    assert sums(await figure(database, tenant, "fbns-days")) == (10_000 * 28, 30_000)
    assert sums(await figure(database, tenant, "dnsp-days")) == (20_000 * 28, 30_000)
    assert sums(await figure(database, tenant, "days-in-ar")) == (0, 30_000)


@pytest.mark.parametrize("spoil", [{"qualifier": "held"}, {"type_": "claim.held"}, {"touched": True}])
async def test_a_claim_that_was_held_or_touched_is_not_clean(
    database: Database, tenant: str, spoil: dict[str, Any]
) -> None:
    told = good_journey(1, ago(60))
    told.tell(spoil.pop("type_", "claim.built"), ago(57, hours=-1), **spoil)
    await tell(database, tenant, told, good_journey(2, ago(50)))
    assert sums(await figure(database, tenant, "clean-claim-rate")) == (1, 2)


async def test_a_claim_touched_after_it_left_stays_clean(database: Database, tenant: str) -> None:
    told = good_journey(1, ago(60))
    told.tell("claim.built", ago(54), "ready", touched=True, from_state="rejected")
    await tell(database, tenant, told)
    assert sums(await figure(database, tenant, "clean-claim-rate")) == (1, 1)


async def test_a_rejection_counts_each_answer_but_the_first_pass_once(database: Database, tenant: str) -> None:
    told = good_journey(1, ago(60))
    told.tell("claim.rejected", ago(55, hours=1), "rejected")
    await tell(database, tenant, told)
    assert sums(await figure(database, tenant, "claim-acceptance-rate")) == (1, 2)
    assert sums(await figure(database, tenant, "first-pass-acceptance")) == (0, 1)


def denied(number: int, denied_at: int, cents: int = 4000) -> Story:
    """A claim that is paid but for a denied part, `denied_at` days ago."""
    told = good_journey(number, ago(denied_at + 20))
    told.facts[-1] = stories.replace(
        told.facts[-1],
        qualifier="partly_paid",
        detail=told.facts[-1].detail | balance(10_000, 6000 - cents, 3000, 1000),
    )
    told.tell("claim.denied", ago(denied_at), "", "coding", category="coding", carc=["4"], work_id=f"work-{number}",
              denied_cents=cents)  # fmt: skip
    return told


async def test_denials_are_measured_against_the_monthly_average(database: Database, tenant: str) -> None:
    await tell(database, tenant, denied(1, 10), denied(2, 40), good_journey(3, ago(60)))
    # Submissions 26, 56 and 56 days ago: 56 days, so the month's average is 3 x 30 / 56.
    assert sums(await figure(database, tenant, "initial-denial-rate")) == (56, 90)
    assert sums(await figure(database, tenant, "initial-denial-dollars")) == (4000 * 56, 900_000)


async def test_an_appeal_that_is_won_overturns_at_most_what_was_denied(database: Database, tenant: str) -> None:
    won, lost = denied(1, 40), denied(2, 40)
    won.tell("claim.appealed", ago(38), work_id="work-1")
    won.tell("payment.posted", ago(20), "paid", remittance_id="r-2", **balance(10_000, 6000, 3000, 1000))
    lost.tell("payment.posted", ago(35), "written_off", by_person=True, **balance(10_000, 2000, 3000, 1000, other=4000))
    await tell(database, tenant, won, lost)
    assert sums(await figure(database, tenant, "denials-overturned")) == (1, 2)
    assert sums(await figure(database, tenant, "denials-overturned-dollars")) == (4000, 8000)
    assert sums(await figure(database, tenant, "denial-to-appeal")) == (2 * DAY_US, 1)
    assert await figure(database, tenant, "denial-to-resolution") == Total(25 * DAY_US, 2, 5 * DAY_US, 20 * DAY_US)


async def test_a_takeback_of_what_was_won_is_no_overturned_denial(database: Database, tenant: str) -> None:
    told = denied(1, 40)
    told.tell("payment.posted", ago(20), "paid", remittance_id="r-2", **balance(10_000, 6000, 3000, 1000))
    told.tell("payment.reversed", ago(10), "paid", remittance_id="r-3", **balance(10_000, 2000, 3000, 1000))
    await tell(database, tenant, told)
    assert sums(await figure(database, tenant, "denials-overturned")) == (0, 1)
    assert sums(await figure(database, tenant, "gross-collection-rate")) == (2000, 10_000)


async def test_zero_paid_remits_of_four_weeks(database: Database, tenant: str) -> None:
    young, old = good_journey(1, ago(40)), good_journey(2, ago(60))
    for told in (young, old):
        told.facts[-1] = stories.replace(told.facts[-1], detail=told.facts[-1].detail | balance(10_000, 0, 3000, 7000))
    await tell(database, tenant, young, old, good_journey(3, ago(40)))
    assert sums(await figure(database, tenant, "primary-denial-rate")) == (1, 2)


async def test_a_secondary_claim_is_no_second_charge(database: Database, tenant: str) -> None:
    told = good_journey(1, ago(60))
    other = {"claim_id": "second", "responsibility": 2, "billed_cents": 10_000}
    told.tell("claim.built", ago(30), "ready", **other)
    told.tell("claim.submitted", ago(29), "submitted", **other)
    told.tell("payment.posted", ago(20), "paid", claim_id="second", remittance_id="r-2", **balance(10_000, 800, 9200))
    await tell(database, tenant, told)
    assert sums(await figure(database, tenant, "days-in-ar")) == (1000 * 58, 10_000)
    assert sums(await figure(database, tenant, "gross-collection-rate")) == (6800, 10_000)
    assert sums(await figure(database, tenant, "initial-denial-rate")) == (0, 30)
    assert sums(await figure(database, tenant, "primary-denial-rate")) == (0, 0)


async def test_late_charges_are_what_was_added_late(database: Database, tenant: str) -> None:
    told = good_journey(1, ago(60))
    told.tell("charges.captured", ago(56, hours=-13), gross_cents=10_500)
    await tell(database, tenant, told)
    assert sums(await figure(database, tenant, "late-charges")) == (500, 10_500)


async def test_a_remittance_is_touched_when_it_waits_or_was_quarantined(database: Database, tenant: str) -> None:
    line = Story("")
    line.tell("remittance.received", ago(5), remittance_id="a", claims=10, unmatched=1)
    line.tell("remittance.quarantined", ago(4), remittance_id="b", claims=5)
    line.tell("remittance.received", ago(3), remittance_id="b", claims=5)
    await tell(database, tenant, line)
    assert await rows(database, tenant, "auto-post-rate") == {"a": (9, 10), "b": (0, 5)}


async def test_the_capture_gap_counts_visits_with_a_missing_charge(database: Database, tenant: str) -> None:
    told = good_journey(1, ago(60))
    told.tell("work.opened", ago(59), "missing-charge", "order-without-charge", work_id="w", dollars_cents=700)
    await tell(database, tenant, told, good_journey(2, ago(50)))
    assert sums(await figure(database, tenant, "capture-gap")) == (1, 2)


async def test_cost_to_collect_is_of_the_month_whose_cost_is_known(database: Database, tenant: str) -> None:
    await tell(database, tenant, good_journey(1, ago(45)), good_journey(2, ago(75)))
    june = Basis(AS_OF, Cost(date(2026, 6, 1), date(2026, 7, 1), 300))
    assert sums(await figure(database, tenant, "cost-to-collect", june)) == (300, 6000)


async def test_claims_without_a_journey_count_too(database: Database, tenant: str) -> None:
    told = good_journey(1, ago(60))
    alone = Story("", "claim-alone", [])
    for fact in told.facts[3:]:
        alone.tell(
            fact.type, fact.occurred_at, fact.qualifier, fact.reason, **fact.detail | {"claim_id": "claim-alone"}
        )
    await tell(database, tenant, alone)
    assert sums(await figure(database, tenant, "clean-claim-rate")) == (1, 1)
    assert sums(await figure(database, tenant, "payer-lag")) == (15 * DAY_US, 1)
    await stories.record(database, tenant, [stories.replace(alone.facts[0], event_id="more", type="claim.held")])
    await stories.add_up(database, tenant)
    assert sums(await figure(database, tenant, "clean-claim-rate")) == (0, 1)


def shown(name: str, numerator: int, denominator: int, state: str = "ok") -> KpiValue:
    row: Any = {"version": BY_NAME[name].version, "state": state, "because": "", "numerator": numerator}
    row |= {"denominator": denominator, "p50": None, "p90": None, "as_of": AS_OF}
    return _value(BY_NAME[name], row, None)


@pytest.mark.parametrize(
    ("name", "numerator", "denominator", "text", "standing"),
    [
        ("clean-claim-rate", 964, 1000, "96.4 %", "integrated"),
        ("clean-claim-rate", 2, 3, "66.7 %", "standalone"),
        ("clean-claim-rate", 93, 100, "93.0 %", "between"),
        ("days-in-ar", 624, 20, "31.2 d", "integrated"),
        ("days-in-ar", -5, 100, "-0.1 d", "integrated"),
        ("aged-ar-over-120", 10, 100, "10.0 %", "between"),
        ("aged-ar-over-120", 18, 100, "18.0 %", "standalone"),
        ("payer-lag", 2 * 273_600_000_000, 2, "3 d 4 h", ""),
        ("point-of-service-cash", 0, 0, "-", ""),
    ],
)
def test_how_a_value_is_shown(name: str, numerator: int, denominator: int, text: str, standing: str) -> None:
    value = shown(name, numerator, denominator)
    assert (value.shown, value.standing) == (text, standing)


def test_no_value_is_shown_of_another_version_of_the_formula() -> None:
    row: Any = {"version": 0, "state": "ok", "numerator": 1, "denominator": 1}
    assert _value(BY_NAME["days-in-ar"], row, None).state == "waiting"
    assert shown("days-in-ar", 1, 1, "not-configured").shown == "-"


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(12, "12 µs"), (152_000, "152 ms"), (125_000_000, "2 min 5 s"), (86_400_000_000, "1 d"), (86_460_000_000, "1 d")],
)
def test_durations_in_their_two_largest_units(microseconds: int, text: str) -> None:
    assert duration_text(microseconds) == text
